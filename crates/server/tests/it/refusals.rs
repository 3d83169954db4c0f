//! What is remembered of refused credentials: the last time, at every door, of our own alone.

use tokenry_core::{client::ClientStatus, event::Actor, revocation::revoke};
use tokenry_protocol::secret::{Credential, Kind, Parts};
use tokenry_server::jobs::flush;
use tokenry_store::Store as _;

use crate::support::{IssuedGrant, TestApp, TestClient, TestUser};

const CURRENT: &str = "/api/v2/oauth/tokens/current";
const TOKEN: &str = "/oauth/token";
const INTROSPECT: &str = "/oauth/introspect";

struct World {
    app: TestApp,
    ada: TestUser,
    client: TestClient,
    grant: IssuedGrant,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let grant = app.grant(&ada, &client, "read").await;
        Self { app, ada, client, grant }
    }

    async fn present(&self, bearer: &str) -> u16 {
        self.app.get(CURRENT).bearer(bearer).await.status
    }

    async fn refresh(&self, refresh: &str) -> u16 {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        self.app.post(TOKEN).by_client(&self.client).form(&form).await.status
    }

    async fn introspect(&self, token: &str) {
        let call = self.app.post(INTROSPECT).by_client(&self.client);
        call.form(&[("token", token)]).await.expect(200);
    }

    /// What is remembered of a credential, once it is written.
    async fn remembered(&self, credential: &str) -> Option<(String, String)> {
        flush(&self.app.state).await.unwrap();
        let parts = *Credential::parse(credential).unwrap().parts();
        let refusals = self.app.store.list_refusals(parts.id).await.unwrap();
        let mut of_kind = refusals.into_iter().filter(|refusal| refusal.kind == parts.kind);
        let refusal = of_kind.next()?;
        assert!(of_kind.next().is_none(), "one a credential");
        assert_eq!(refusal.at, self.app.now());
        Some((refusal.reason.into_owned(), refusal.place.into_owned()))
    }

    #[track_caller]
    fn check(found: Option<(String, String)>, reason: &str, place: &str) {
        assert_eq!(found.expect("remembered"), (reason.to_owned(), place.to_owned()));
    }
}

#[tokio::test]
async fn an_access_token_that_is_over_is_remembered_with_its_reason_and_its_place() {
    let world = World::new().await;
    assert_eq!(world.present(&world.grant.access).await, 200);
    assert_eq!(world.remembered(&world.grant.access).await, None, "accepted");
    world.app.clock.advance_millis(1_800_000);
    assert_eq!(world.present(&world.grant.access).await, 401);
    let place = format!("GET {CURRENT}");
    World::check(world.remembered(&world.grant.access).await, "expired", &place);

    world.app.clock.advance_millis(1);
    world.introspect(&world.grant.access).await;
    let later = world.remembered(&world.grant.access).await;
    World::check(later, "expired", "POST /oauth/introspect");
}

/// An id in the path is the caller's to write.
#[tokio::test]
async fn a_place_has_no_id_in_it() {
    let world = World::new().await;
    world.app.clock.advance_millis(1_800_000);
    let call = world.app.delete("/api/v2/oauth/tokens/123.json");
    call.bearer(&world.grant.access).await.expect(401);
    let remembered = world.remembered(&world.grant.access).await;
    World::check(remembered, "expired", "DELETE /api/v2/oauth/tokens/{id}");
}

#[tokio::test]
async fn whoever_is_stopped_or_gone_is_named_in_the_reason() {
    let world = World::new().await;
    let (app, access) = (&world.app, &world.grant.access);
    let place = format!("GET {CURRENT}");
    app.change_client(&world.client, |client| client.status = ClientStatus::Disabled).await;
    assert_eq!(world.present(access).await, 401);
    World::check(world.remembered(access).await, "client disabled", &place);
    app.change_user(&world.ada, |user| user.suspended = true).await;
    assert_eq!(world.present(access).await, 401);
    World::check(world.remembered(access).await, "user suspended", &place);
    app.store.delete_client(world.client.id, app.now()).await.unwrap();
    app.state.directory.evict_client(world.client.id);
    assert_eq!(world.present(access).await, 401);
    World::check(world.remembered(access).await, "client deleted", &place);
    app.store.delete_user(world.ada.id, app.now()).await.unwrap();
    app.state.directory.evict_user(world.ada.id);

    let token = app.token(world.grant.id).await.unwrap();
    app.state.end_grant(revoke(&token, Actor::Server, app.now())).await.unwrap();
    assert_eq!(world.present(access).await, 401);
    World::check(world.remembered(access).await, "unknown", &place);
}

/// It works, and what was asked of it was too much.
#[tokio::test]
async fn a_token_whose_scope_does_not_reach_is_remembered() {
    let world = World::new().await;
    let path = format!("/api/v2/oauth/tokens/{}", world.grant.id);
    world.app.delete(&path).bearer(&world.grant.access).await.expect(403);
    let place = "DELETE /api/v2/oauth/tokens/{id}";
    World::check(world.remembered(&world.grant.access).await, "missing scope", place);
    assert_eq!(world.present(&world.grant.access).await, 200);
}

#[tokio::test]
async fn a_token_that_was_replaced_or_is_of_another_kind_is_remembered() {
    let world = World::new().await;
    let IssuedGrant { access, refresh, .. } = &world.grant;
    assert_eq!(world.refresh(refresh).await, 200);
    assert_eq!(world.present(access).await, 401);
    let place = format!("GET {CURRENT}");
    World::check(world.remembered(access).await, "other secret", &place);
    assert_eq!(world.present(refresh).await, 401);
    World::check(world.remembered(refresh).await, "wrong kind", &place);
}

#[tokio::test]
async fn codes_and_refresh_tokens_that_come_again_are_remembered() {
    let world = World::new().await;
    let (app, client) = (&world.app, &world.client);
    let place = "POST /oauth/token";
    let code = app.code(&world.ada, client, "read").await;
    let redeem = async || {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &client.redirect_uri),
        ];
        app.post(TOKEN).by_client(client).form(&form).await.status
    };
    assert_eq!(redeem().await, 200);
    assert_eq!(redeem().await, 400);
    World::check(world.remembered(&code).await, "replayed", place);

    let first = world.grant.refresh.clone();
    for _ in 0..2 {
        let answer = world
            .app
            .post(TOKEN)
            .by_client(client)
            .form(&[("grant_type", "refresh_token"), ("refresh_token", &first)])
            .await;
        let access = answer.expect(200).json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.present(&access).await, 200);
    }
    app.clock.advance_millis(31_000);
    assert_eq!(world.refresh(&first).await, 400);
    World::check(world.remembered(&first).await, "replayed", place);
    assert_eq!(world.refresh(&first).await, 400);
    World::check(world.remembered(&first).await, "credential_unknown", place);
}

#[tokio::test]
async fn a_refresh_token_that_introspection_finds_inactive_is_remembered() {
    let world = World::new().await;
    let refresh = &world.grant.refresh;
    world.introspect(refresh).await;
    assert_eq!(world.remembered(refresh).await, None, "active");
    world.app.clock.advance_millis(2_592_000_000);
    world.introspect(refresh).await;
    World::check(world.remembered(refresh).await, "inactive", "POST /oauth/introspect");
}

#[tokio::test]
async fn api_tokens_and_client_secrets_and_sessions_are_remembered() {
    let world = World::new().await;
    let ben = world.app.end_user("Ben").await;
    let me = "/api/v2/users/me";
    let borrowed = world.app.get(me).basic("ben@acme.test/token", &world.ada.api_token);
    assert_eq!(borrowed.await.status, 401);
    let place = format!("GET {me}");
    World::check(world.remembered(&world.ada.api_token).await, "other address", &place);
    world.app.change_user(&ben, |user| user.suspended = true).await;
    assert_eq!(world.app.get(me).by(&ben).await.status, 401);
    World::check(world.remembered(&ben.api_token).await, "user suspended", &place);

    let old = world.app.mint(Kind::ClientSecret, world.client.id.get(), 7);
    let call = world.app.post(TOKEN).basic(&world.client.identifier, old.reveal());
    call.form(&[("grant_type", "client_credentials")]).await.expect(401);
    let place = "POST /oauth/token";
    World::check(world.remembered(old.reveal()).await, "client_secret_wrong", place);

    let browser = world.app.browser();
    browser.sign_in(&world.ada).await;
    let session = browser.cookie("tokenry_session").expect("a session");
    world.app.change_user(&world.ada, |user| user.password_epoch += 1).await;
    browser.get("/account/connections").await;
    let place = "GET /account/connections";
    World::check(world.remembered(&session).await, "session over", place);
}

/// Neither of a record that is there nor of one that is not, at any door.
#[tokio::test]
async fn what_somebody_made_up_leaves_nothing() {
    let world = World::new().await;
    let id = world.grant.id.get();
    for id in [id, id + 1_000_000] {
        for kind in Kind::ALL {
            let minted = *world.app.mint(kind, id, 1).parts();
            let forged = Credential::assemble(Parts { tag: [7; 9], ..minted });
            let text = forged.reveal();
            world.present(text).await;
            world.refresh(text).await;
            world.introspect(text).await;
            world.app.get(CURRENT).basic("ada@acme.test/token", text).await;
            let cookie = format!("tokenry_session={text}");
            world.app.get("/account/connections").header("cookie", &cookie).await;
            let call = world.app.post(TOKEN).basic(&world.client.identifier, text);
            call.form(&[("grant_type", "client_credentials")]).await.expect(401);
        }
        flush(&world.app.state).await.unwrap();
        assert_eq!(world.app.store.list_refusals(id).await.unwrap(), []);
    }
}

/// Refusing costs the database nothing but one row for each flush.
#[tokio::test]
async fn on_the_requests_path_nothing_is_written() {
    let world = World::new().await;
    assert_eq!(world.present(&world.grant.access).await, 200);
    flush(&world.app.state).await.unwrap();
    world.app.clock.advance_millis(1_800_000);
    let before = world.app.store.calls();
    for _ in 0..100 {
        assert_eq!(world.present(&world.grant.access).await, 401);
    }
    assert_eq!(world.app.store.calls(), before);
    flush(&world.app.state).await.unwrap();
    assert_eq!(world.app.store.calls(), before + 1);
    assert!(world.remembered(&world.grant.access).await.is_some());
}
