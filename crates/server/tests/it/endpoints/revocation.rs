//! Revocation (RFC 7009), and that every way to revoke ends both tokens before it answers.

use std::pin::pin;

use futures_util::future::{Either, join, select};
use tokenry_core::event::EventKind;
use tokenry_protocol::secret::Kind;
use tokenry_store::Store as _;

use crate::support::{Answer, Call, Door, GrantSpec, IssuedGrant, TestApp, TestClient, TestUser};

async fn cast(app: &TestApp) -> (TestUser, TestClient) {
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    (ada, client)
}

fn revoke<'a>(app: &'a TestApp, client: &TestClient, token: &str) -> Call<'a> {
    let fields = [("token", token), ("client_id", client.identifier.as_str())];
    let call = app.post("/oauth/revoke");
    if client.is_public() { call.form(&fields) } else { call.form(&fields[..1]).by_client(client) }
}

/// Every way there is to end a grant, by name.
fn ways<'a>(
    app: &'a TestApp,
    (ada, client): (&TestUser, &TestClient),
    grant: &IssuedGrant,
) -> Vec<(&'static str, Call<'a>)> {
    let by_id = format!("/api/v2/oauth/tokens/{}.json", grant.id);
    let by_url = format!("/api/v2/tokens/{}.json", grant.id);
    vec![
        ("by id", app.delete(&by_id).by(ada)),
        ("by the record's url", app.delete(&by_url).by(ada)),
        ("by itself", app.delete("/api/v2/oauth/tokens/current").bearer(&grant.access)),
        ("access token", revoke(app, client, &grant.access)),
        ("refresh token", revoke(app, client, &grant.refresh)),
    ]
}

#[tokio::test]
async fn every_way_to_revoke_ends_both_tokens_before_it_answers() {
    for way in 0..5 {
        let app = TestApp::new().await;
        let (ada, client) = cast(&app).await;
        let grant = app.grant(&ada, &client, "read").await;
        let other = app.grant(&ada, &client, "read").await;
        // In the cache, with a use that has not reached the store.
        assert!(app.is_alive(&grant.access).await);
        let (name, call) = ways(&app, (&ada, &client), &grant).swap_remove(way);
        let answer = call.await;
        assert!(matches!(answer.status, 200 | 204), "{name}: {}", answer.snapshot());

        assert!(!app.is_alive(&grant.access).await, "{name}");
        assert!(!app.is_refreshable(&client, &grant.refresh).await, "{name}");
        let refresh = Door::Standard.refresh(&app, &client, &grant.refresh, &[]).await;
        assert_eq!(refresh.refusal(), "400 invalid_grant", "{name}");
        let events = app.store.list_events(grant.id).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Revoked], "{name}");
        // What was noted of its use has nowhere to go, and breaks nothing.
        app.state.verifier.flush().await.unwrap();
        assert!(app.token(grant.id).await.is_none());

        // Other grants of the same user and client live on.
        assert!(app.is_alive(&other.access).await, "{name}");
        assert!(app.is_refreshable(&client, &other.refresh).await, "{name}");
    }
}

/// The reader has the live record in hand when the revocation is answered; what it read must not
/// stay behind in the cache.
#[tokio::test]
async fn a_token_that_is_being_read_while_it_is_revoked_is_dead_afterwards() {
    for way in [0, 1, 3, 4] {
        let app = TestApp::new().await;
        let (ada, client) = cast(&app).await;
        let grant = app.grant(&ada, &client, "read").await;
        let hold = app.store.hold_find_token(1);
        let (_, name) = join(app.is_alive(&grant.access), async {
            hold.reached().await;
            let (name, call) = ways(&app, (&ada, &client), &grant).swap_remove(way);
            let answer = call.await;
            assert!(matches!(answer.status, 200 | 204), "{name}: {}", answer.snapshot());
            hold.release();
            name
        })
        .await;
        assert!(!app.is_alive(&grant.access).await, "{name}");
    }
}

#[tokio::test]
async fn a_revocation_whose_answer_was_lost_holds_once_it_is_repeated() {
    for way in 0..5 {
        let app = TestApp::new().await;
        let (ada, client) = cast(&app).await;
        let grant = app.grant(&ada, &client, "read").await;
        assert!(app.is_alive(&grant.access).await);
        app.store.lose_the_next_write();
        let (name, call) = ways(&app, (&ada, &client), &grant).swap_remove(way);
        assert_eq!(call.await.status, 503, "{name}");
        let (_, again) = ways(&app, (&ada, &client), &grant).swap_remove(way);
        let answer = again.await;
        assert!(matches!(answer.status, 200 | 204 | 401 | 404), "{name}: {}", answer.snapshot());
        assert!(!app.is_alive(&grant.access).await, "{name}");
    }
}

/// The write happened, and whoever asked for it has hung up.
#[tokio::test]
async fn a_revocation_that_nobody_waits_for_is_in_force_all_the_same() {
    for way in 0..5 {
        let app = TestApp::new().await;
        let (ada, client) = cast(&app).await;
        let grant = app.grant(&ada, &client, "read").await;
        assert!(app.is_alive(&grant.access).await);
        let hold = app.store.hold_write();
        let (name, call) = ways(&app, (&ada, &client), &grant).swap_remove(way);
        let reached = pin!(hold.reached());
        let first = select(call.into_future(), reached).await;
        assert!(matches!(first, Either::Right(_)), "{name}");
        drop(first);
        hold.release();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!app.is_alive(&grant.access).await, "{name}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_never_a_successful_revocation() {
    let app = TestApp::new().await;
    let (ada, client) = cast(&app).await;
    let grant = app.grant(&ada, &client, "read").await;
    assert!(app.is_alive(&grant.access).await);
    app.store.go_away();
    for (name, call) in ways(&app, (&ada, &client), &grant) {
        let answer = call.await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.snapshot());
        assert_eq!(answer.header("retry-after"), Some("2"), "{name}");
    }
    app.store.come_back();
    assert!(app.is_alive(&grant.access).await);
}

/// RFC 7009 §2.2: what cannot be revoked is not told from what was.
#[tokio::test]
async fn everything_else_is_answered_alike_and_ends_nothing() {
    let app = TestApp::new().await;
    let (ada, client) = cast(&app).await;
    let mobile = app.public_client("acme_mobile", &ada).await;
    let foreign = app.grant(&ada, &mobile, "read").await;
    let short = app.grant(&ada, &client, "read").await;
    let code = app.code(&ada, &client, "read").await;
    let unknown = app.mint(Kind::AccessToken, 424_242, 1);
    let forged = app.mint(Kind::AccessToken, short.id.get(), 1);
    for token in [
        "garbage",
        unknown.reveal(),
        forged.reveal(),
        &foreign.access,
        &foreign.refresh,
        &code,
        &ada.api_token,
        client.secret(),
    ] {
        let answer = revoke(&app, &client, token).await;
        assert_eq!(answer.snapshot(), "200 {}");
        let content_type = answer.header("content-type");
        assert_eq!(content_type, Some("application/json; charset=utf-8"));
    }
    assert!(app.is_alive(&foreign.access).await);
    assert!(app.is_alive(&short.access).await);
    Door::Standard.redeem(&app, &client, &code, &[]).await.expect(200);
    app.get("/api/v2/users/me").by(&ada).await.expect(200);
}

#[tokio::test]
async fn an_expired_access_token_does_not_end_a_living_grant() {
    let app = TestApp::new().await;
    let (ada, client) = cast(&app).await;
    let spec = GrantSpec { expires_in: Some(300), ..GrantSpec::of("read", &client) };
    let grant = app.grant_of(&ada, &client, &spec).await;
    app.clock.advance(300);
    revoke(&app, &client, &grant.access).await.expect(200);
    assert!(app.is_refreshable(&client, &grant.refresh).await);
}

#[tokio::test]
async fn a_public_client_revokes_by_its_name_alone() {
    let app = TestApp::new().await;
    let (ada, _) = cast(&app).await;
    let mobile = app.public_client("acme_mobile", &ada).await;
    let grant = app.grant(&ada, &mobile, "read").await;
    revoke(&app, &mobile, &grant.refresh).await.expect(200);
    assert!(!app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn a_hint_changes_nothing() {
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let app = TestApp::new().await;
        let (ada, client) = cast(&app).await;
        let grant = app.grant(&ada, &client, "read").await;
        let fields = [("token", grant.access.as_str()), ("token_type_hint", hint)];
        app.post("/oauth/revoke").by_client(&client).form(&fields).await.expect(200);
        assert!(!app.is_alive(&grant.access).await, "{hint}");
    }
}

#[tokio::test]
async fn whoever_revokes_must_be_a_client_and_say_what() {
    let app = TestApp::new().await;
    let (ada, client) = cast(&app).await;
    let grant = app.grant(&ada, &client, "read").await;
    let token = [("token", grant.access.as_str())];
    let post = || app.post("/oauth/revoke");
    let challenge = |answer: &Answer| answer.headers.contains_key("www-authenticate");

    let nobody = post().form(&token).await;
    assert_eq!((nobody.refusal(), challenge(&nobody)), ("401 invalid_client".into(), false));
    let wrong = post().form(&token).basic("acme_reports", "wrong").await;
    assert_eq!((wrong.refusal(), challenge(&wrong)), ("401 invalid_client".into(), true));
    let user = post().form(&token).by(&ada).await;
    assert_eq!(user.refusal(), "401 invalid_client");
    for fields in [&[][..], &[("token", "")]] {
        let answer = post().form(fields).by_client(&client).await;
        assert_eq!(answer.refusal(), "400 invalid_request");
    }
    let path = format!("/oauth/revoke?token={}", grant.access);
    let answer = app.post(&path).form(&token).by_client(&client).await;
    assert_eq!(answer.refusal(), "400 invalid_request");
    let json = post().json(&serde_json::json!({"token": grant.access})).by_client(&client).await;
    assert_eq!(json.refusal(), "400 invalid_request");
    assert!(app.is_alive(&grant.access).await);
}
