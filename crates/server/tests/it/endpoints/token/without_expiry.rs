//! `tokens.access_token_lifetime = "none"`: an access token expires if that is asked for, and
//! otherwise works until it is revoked.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, Door, GrantSpec, TestApp, TestClient, TestUser};

struct World {
    app: TestApp,
    ada: TestUser,
    client: TestClient,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::with(|config| config.tokens.access_token_lifetime = None).await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, client }
    }

    async fn redeem(&self, door: Door, more: &[(&str, &str)]) -> Answer {
        let spec = GrantSpec::of("read", &self.client);
        let code = self.app.code_of(&self.ada, &self.client, &spec).await;
        door.redeem(&self.app, &self.client, code.reveal(), more).await
    }

    async fn introspect(&self, token: &str) -> serde_json::Value {
        let call = self.app.post("/oauth/introspect").by_client(&self.client);
        call.form(&[("token", token)]).await.expect(200).json()
    }

    async fn count(&self, query: &str) -> serde_json::Value {
        let path = format!("/api/v2/oauth/tokens?all=true&{query}");
        self.app.get(&path).by(&self.ada).await.expect(200).json()["count"].clone()
    }
}

#[tokio::test]
async fn neither_door_names_an_expiry_that_is_not_there() {
    for door in Door::BOTH {
        let world = World::new().await;
        let answer = world.redeem(door, &[]).await.expect(door.success());
        assert_eq!(answer.json().get("expires_in"), None);
        assert_eq!(answer.json()["refresh_token_expires_in"], 2_592_000);
        let refresh = answer.tokens().refresh;
        let next = door.refresh(&world.app, &world.client, &refresh, &[]).await;
        let next = next.expect(door.success());
        assert_eq!(next.json().get("expires_in"), None);
        let credentials = [("grant_type", "client_credentials")];
        let alone = door.ask(&world.app, &world.client, &credentials).await;
        assert_eq!(alone.expect(door.success()).json().get("expires_in"), None);

        let access = next.tokens().access;
        let path = "/api/v2/oauth/tokens/current.json";
        let record = world.app.get(path).bearer(&access).await.expect(200).json();
        assert_eq!(record["token"].get("expires_at"), None);
        assert_eq!(record["token"]["refresh_token_expires_at"], "2026-04-04T12:00:00Z");
        let described = world.introspect(&access).await;
        assert_eq!((&described["active"], described.get("exp")), (&json!(true), None));
    }
}

#[tokio::test]
async fn what_was_asked_for_expires_and_so_does_what_follows_it() {
    for door in Door::BOTH {
        let world = World::new().await;
        let answer = world.redeem(door, &[("expires_in", "300")]).await.expect(door.success());
        assert_eq!(answer.json()["expires_in"], 300);
        let refresh = answer.tokens().refresh;
        let next = door.refresh(&world.app, &world.client, &refresh, &[]).await.tokens();
        world.app.clock.advance(299);
        assert!(world.app.is_alive(&next.access).await);
        world.app.clock.advance(1);
        assert!(!world.app.is_alive(&next.access).await);
    }
}

/// It works, so it is listed, shown, kept, and can be ended.
#[tokio::test]
async fn the_record_is_there_long_after_its_refresh_token_has_expired() {
    let world = World::new().await;
    let tokens = world.redeem(Door::Record, &[]).await.tokens();
    world.app.clock.advance(10 * 365 * 86_400);
    let refused = Door::Record.refresh(&world.app, &world.client, &tokens.refresh, &[]).await;
    assert_eq!(refused.refusal(), "400 invalid_grant");
    assert!(!world.app.is_refreshable(&world.client, &tokens.refresh).await);
    assert!(world.app.is_alive(&tokens.access).await);
    assert_eq!(world.count("").await, 1);
    assert_eq!(world.count("include_expired=true").await, 1);
    let path = format!("/api/v2/oauth/tokens/{}.json", tokens.id);
    world.app.get(&path).by(&world.ada).await.expect(200);

    let revoke = world.app.post("/oauth/revoke").by_client(&world.client);
    revoke.form(&[("token", &*tokens.access)]).await.expect(200);
    assert!(!world.app.is_alive(&tokens.access).await);
    assert_eq!(world.count("include_expired=true").await, 0);
}

/// The end of a grant is what an administrator set, whatever else does not end.
#[tokio::test]
async fn the_end_of_a_grant_is_the_end_of_its_access_token() {
    let app = TestApp::with(|config| {
        config.tokens.access_token_lifetime = None;
        config.tokens.grant_lifetime_max = Some(Duration::from_secs(7_200));
    })
    .await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = app.grant(&ada, &client, "read").await;
    let answer = Door::Standard.refresh(&app, &client, &grant.refresh, &[]).await.expect(200);
    assert_eq!(answer.json()["expires_in"], 7_200);
    app.clock.advance(7_200);
    assert!(!app.is_alive(&answer.tokens().access).await);
}
