//! Introspection (RFC 7662).

use serde_json::{Value, json};
use tokenry_core::client::{ClientRole, ClientStatus};
use tokenry_protocol::secret::Kind;

use crate::support::{BASE, Door, GrantSpec, IssuedGrant, TestApp, TestClient, TestUser};

struct World {
    app: TestApp,
    ada: TestUser,
    client: TestClient,
    /// Marked as a resource server.
    gateway: TestClient,
    grant: IssuedGrant,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let gateway = app.confidential_client("gateway", &ada).await;
        app.change_client(&gateway, |client| client.role = ClientRole::ResourceServer).await;
        let grant = app.grant(&ada, &client, "read tickets:write").await;
        Self { app, ada, client, gateway, grant }
    }

    async fn ask(&self, client: &TestClient, token: &str) -> Value {
        let call = self.app.post("/oauth/introspect").form(&[("token", token)]);
        call.by_client(client).await.expect(200).json()
    }

    async fn used_at(&self) -> Value {
        let path = format!("/api/v2/oauth/tokens/{}", self.grant.id);
        let answer = self.app.get(&path).by(&self.ada).await.expect(200);
        answer.json()["token"]["used_at"].clone()
    }
}

fn inactive() -> Value {
    json!({"active": false})
}

#[tokio::test]
async fn a_live_token_is_described_to_its_client_and_to_resource_servers() {
    let world = World::new().await;
    let noon = world.app.now().as_seconds();
    let expected = json!({
        "active": true,
        "scope": "read tickets:write",
        "client_id": "acme_reports",
        "username": "ada@acme.test",
        "sub": world.ada.id.to_string(),
        "token_type": "bearer",
        "exp": noon + 1_800,
        "iat": noon,
        "iss": BASE,
        "jti": world.grant.id.to_string(),
    });
    for asker in [&world.client, &world.gateway] {
        assert_eq!(world.ask(asker, &world.grant.access).await, expected);
    }
    let mut refresh = expected;
    refresh.as_object_mut().unwrap().remove("token_type");
    refresh["exp"] = json!(noon + 2_592_000);
    for asker in [&world.client, &world.gateway] {
        assert_eq!(world.ask(asker, &world.grant.refresh).await, refresh);
    }
}

#[tokio::test]
async fn a_token_without_expiry_has_no_exp() {
    let world = World::new().await;
    let token = world.app.created_token(&world.ada, &world.client, "read").await;
    let answer = world.ask(&world.client, &token.access).await;
    assert_eq!(answer["active"], true);
    assert!(answer.get("exp").is_none());
}

#[tokio::test]
async fn times_are_those_of_the_token_and_not_of_its_record() {
    let world = World::new().await;
    world.app.clock.advance(60);
    let door = Door::Standard;
    let narrow = [("scope", "read")];
    let answer = door.refresh(&world.app, &world.client, &world.grant.refresh, &narrow).await;
    let tokens = answer.tokens();
    let now = world.app.now().as_seconds();
    let access = world.ask(&world.client, &tokens.access).await;
    assert_eq!((&access["iat"], &access["scope"]), (&json!(now), &json!("read")));
    // A refresh token may still get all that was approved.
    let refresh = world.ask(&world.client, &tokens.refresh).await;
    assert_eq!(refresh["scope"], "read tickets:write");
    for old in [&world.grant.access, &world.grant.refresh] {
        assert_eq!(world.ask(&world.client, old).await, inactive());
    }
}

#[tokio::test]
async fn what_is_not_alive_or_not_the_askers_is_inactive_and_nothing_more() {
    let world = World::new().await;
    let other = world.app.confidential_client("other", &world.ada).await;
    let code = world.app.code(&world.ada, &world.client, "read").await;
    let unknown = world.app.mint(Kind::AccessToken, 424_242, 1);
    let made_up = world.app.mint(Kind::AccessToken, world.grant.id.get(), 1);
    for token in [
        "garbage",
        unknown.reveal(),
        made_up.reveal(),
        &code,
        &world.ada.api_token,
        world.client.secret(),
    ] {
        for asker in [&world.client, &world.gateway] {
            assert_eq!(world.ask(asker, token).await, inactive());
        }
    }
    for token in [&world.grant.access, &world.grant.refresh] {
        assert_eq!(world.ask(&other, token).await, inactive());
    }
    world.app.clock.advance(1_800);
    assert_eq!(world.ask(&world.client, &world.grant.access).await, inactive());
    assert_eq!(world.ask(&world.client, &world.grant.refresh).await["active"], true);
    world.app.clock.advance(2_592_000);
    assert_eq!(world.ask(&world.client, &world.grant.refresh).await, inactive());
}

#[tokio::test]
async fn tokens_of_a_suspended_user_or_a_disabled_client_are_inactive() {
    let world = World::new().await;
    let cleo = world.app.end_user("Cleo").await;
    let spec = GrantSpec::of("read", &world.client);
    let grant = world.app.grant_of(&cleo, &world.client, &spec).await;
    for token in [&grant.access, &grant.refresh] {
        assert_eq!(world.ask(&world.gateway, token).await["active"], true);
        world.app.change_user(&cleo, |user| user.suspended = true).await;
        assert_eq!(world.ask(&world.gateway, token).await, inactive());
        world.app.change_user(&cleo, |user| user.suspended = false).await;
        let disable = |client: &mut tokenry_core::client::Client| {
            client.status = ClientStatus::Disabled;
        };
        world.app.change_client(&world.client, disable).await;
        assert_eq!(world.ask(&world.gateway, token).await, inactive());
        let enable = |client: &mut tokenry_core::client::Client| {
            client.status = ClientStatus::Enabled;
        };
        world.app.change_client(&world.client, enable).await;
    }
}

#[tokio::test]
async fn a_look_by_a_resource_server_is_a_use_and_by_the_client_it_is_not() {
    let world = World::new().await;
    world.ask(&world.client, &world.grant.access).await;
    assert_eq!(world.used_at().await, Value::Null);
    world.ask(&world.gateway, &world.grant.refresh).await;
    assert_eq!(world.used_at().await, Value::Null);
    world.app.clock.advance(7);
    world.ask(&world.gateway, &world.grant.access).await;
    assert_eq!(world.used_at().await, "2026-03-05T12:00:07Z");
}

#[tokio::test]
async fn only_confidential_clients_may_ask() {
    let world = World::new().await;
    let mobile = world.app.public_client("acme_mobile", &world.ada).await;
    let own = world.app.grant(&world.ada, &mobile, "read").await;
    let post = || world.app.post("/oauth/introspect");
    let token = ("token", own.access.as_str());

    let public = post().form(&[token, ("client_id", "acme_mobile")]).await;
    assert_eq!(public.refusal(), "401 invalid_client");
    let nobody = post().form(&[token]).await;
    assert_eq!(nobody.refusal(), "401 invalid_client");
    assert_eq!(nobody.header("www-authenticate"), None);
    let wrong = post().form(&[token]).basic("acme_reports", "wrong").await;
    assert_eq!(wrong.refusal(), "401 invalid_client");
    assert!(wrong.header("www-authenticate").is_some());
    let bearer = post().form(&[token]).bearer(&own.access).await;
    assert_eq!(bearer.refusal(), "401 invalid_client");
    let missing = post().form(&[]).by_client(&world.client).await;
    assert_eq!(missing.refusal(), "400 invalid_request");
    let by_body = [
        ("token", world.grant.access.as_str()),
        ("client_id", "acme_reports"),
        ("client_secret", world.client.secret()),
    ];
    assert_eq!(post().form(&by_body).await.expect(200).json()["active"], true);
}

#[tokio::test]
async fn a_store_that_is_away_says_nothing_about_a_token() {
    let world = World::new().await;
    // The client is cached, the tokens are not.
    world.ask(&world.client, "garbage").await;
    world.app.store.go_away();
    for token in [&world.grant.access, &world.grant.refresh] {
        let call = world.app.post("/oauth/introspect").form(&[("token", token)]);
        let answer = call.by_client(&world.client).await;
        assert_eq!(answer.refusal(), "503 temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("2"));
    }
}
