//! The hot path: a bearer token is checked at memory speed, and dies when it is ended.

use futures_util::future::join;
use serde_json::{Value, json};
use tokenry_core::{client::ClientStatus, event::Actor, revocation};
use tokenry_protocol::secret::{Credential, Kind};
use tokenry_server::config::Consistency;
use tokenry_store::Store as _;

use crate::support::{Door, GrantSpec, IssuedGrant, TestApp, TestClient, TestUser};

const CURRENT: &str = "/api/v2/oauth/tokens/current.json";

struct World {
    app: TestApp,
    /// Administers.
    ada: TestUser,
    /// Consented.
    cleo: TestUser,
    client: TestClient,
    grant: IssuedGrant,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let cleo = app.end_user("Cleo").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let grant = app.grant(&cleo, &client, "read").await;
        Self { app, ada, cleo, client, grant }
    }

    async fn is_alive(&self) -> bool {
        self.app.is_alive(&self.grant.access).await
    }

    /// The last use as administrators see it, by id and in lists, which must agree.
    async fn used_at(&self) -> Value {
        let path = format!("/api/v2/oauth/tokens/{}", self.grant.id);
        let record = self.app.get(&path).by(&self.ada).await.expect(200).json();
        let list = "/api/v2/oauth/tokens?all=true";
        let list = self.app.get(list).by(&self.ada).await.expect(200).json();
        assert_eq!(list["tokens"][0]["used_at"], record["token"]["used_at"]);
        record["token"]["used_at"].clone()
    }

    /// The last use as the store has it.
    async fn stored_use(&self) -> Option<String> {
        let token = self.app.token(self.grant.id).await.unwrap();
        token.issued().unwrap().used_at.map(|time| time.to_string())
    }
}

/// A client whose refresh went through another node is not to be sent to sign in here.
#[tokio::test]
async fn what_another_node_has_just_issued_is_good_at_once() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    let other = world.app.restarted().await;
    let answer = other
        .post("/oauth/token")
        .by_client(&world.client)
        .form(&[("grant_type", "refresh_token"), ("refresh_token", &world.grant.refresh)])
        .await;
    let issued = answer.expect(200).json();
    assert!(world.app.is_alive(issued["access_token"].as_str().unwrap()).await);
    assert!(!world.is_alive().await, "the one before is known to be over as well");
}

/// What another process has ended is dead here at once, without any news of it.
#[tokio::test]
async fn with_strict_consistency_every_check_asks_the_store() {
    let app = TestApp::with(|config| config.consistency = Consistency::Strict).await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = app.grant(&ada, &client, "read").await;
    assert!(app.is_alive(&grant.access).await);
    let calls = app.store.calls();
    assert!(app.is_alive(&grant.access).await);
    assert!(app.store.calls() > calls);
    let token = app.token(grant.id).await.unwrap();
    let end = revocation::revoke(&token, Actor::User(token.user_id), app.now());
    app.store.end_grant(end).await.unwrap();
    assert!(!app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn a_token_that_was_seen_needs_the_store_no_more() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    let calls = world.app.store.calls();
    assert!(world.is_alive().await);
    assert_eq!(world.app.store.calls(), calls);
    world.app.store.go_away();
    assert!(world.is_alive().await);
}

#[tokio::test]
async fn a_store_that_is_away_says_nothing_about_a_token_that_was_not_seen() {
    let world = World::new().await;
    world.app.store.go_away();
    for path in [CURRENT, "/api/v2/users/me", "/api/v2/oauth/tokens"] {
        let answer = world.app.get(path).bearer(&world.grant.access).await.expect(503);
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.error(), "ServiceUnavailable");
    }
    world.app.store.come_back();
    assert!(world.is_alive().await);
}

#[tokio::test]
async fn what_was_made_up_never_reaches_the_store() {
    let world = World::new().await;
    let mut parts = *Credential::parse(&world.grant.access).unwrap().parts();
    parts.tag[8] ^= 1;
    let forged = Credential::assemble(parts);
    let mut garbage = world.grant.access.clone();
    garbage.replace_range(30..31, if garbage.as_bytes()[30] == b'0' { "1" } else { "0" });
    let calls = world.app.store.calls();
    for token in [forged.reveal(), &garbage, "garbage", "", &world.grant.access[..63]] {
        let answer = world.app.get(CURRENT).bearer(token).await;
        assert_eq!(answer.status, 401, "{token}");
    }
    for other_kind in [&world.grant.refresh, &world.ada.api_token, world.client.secret()] {
        assert!(!world.app.is_alive(other_kind).await);
    }
    assert_eq!(world.app.store.calls(), calls);
}

#[tokio::test]
async fn only_the_stored_hash_accepts_a_token() {
    let world = World::new().await;
    let ours = world.app.mint(Kind::AccessToken, world.grant.id.get(), 1);
    // Not in the cache, and then in the cache.
    for _ in 0..2 {
        assert!(!world.app.is_alive(ours.reveal()).await);
        assert!(world.is_alive().await);
    }
    let unknown = world.app.mint(Kind::AccessToken, 424_242, 1);
    assert!(!world.app.is_alive(unknown.reveal()).await);
}

#[tokio::test]
async fn every_dead_token_is_answered_alike() {
    let world = World::new().await;
    let revoked = world.app.grant(&world.ada, &world.client, "read").await;
    let path = format!("/api/v2/oauth/tokens/{}", revoked.id);
    world.app.delete(&path).by(&world.ada).await.expect(204);
    let unknown = world.app.mint(Kind::AccessToken, 424_242, 1);
    world.app.clock.advance(1_800);
    let mut answers = Vec::new();
    for token in [&world.grant.access, &revoked.access, unknown.reveal(), "garbage"] {
        let answer = world.app.get(CURRENT).bearer(token).await.expect(401);
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer realm="tokenry", error="invalid_token""#)
        );
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn a_token_lives_to_the_millisecond() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    world.app.clock.advance_millis(1_799_999);
    assert!(world.is_alive().await);
    world.app.clock.advance_millis(1);
    assert!(!world.is_alive().await);
}

#[tokio::test]
async fn a_disabled_client_stops_its_tokens_and_an_enabled_one_has_them_again() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    let path = format!("/api/v2/oauth/clients/{}", world.client.id);
    for (disabled, alive) in [(true, false), (false, true)] {
        let body = json!({"client": {"disabled": disabled}});
        world.app.put(&path).json(&body).by(&world.ada).await.expect(200);
        assert_eq!(world.is_alive().await, alive);
    }
    world.app.change_client(&world.client, |client| client.status = ClientStatus::Disabled).await;
    let restarted = world.app.restarted().await;
    assert!(!restarted.is_alive(&world.grant.access).await);
}

#[tokio::test]
async fn a_deleted_client_takes_every_token_of_its_own_with_it() {
    let world = World::new().await;
    let other = world.app.confidential_client("other", &world.ada).await;
    let kept = world.app.grant(&world.cleo, &other, "read").await;
    let created = world.app.created_token(&world.ada, &world.client, "read").await;
    let unseen = world.app.grant(&world.cleo, &world.client, "read").await;
    let code = world.app.code(&world.cleo, &world.client, "read").await;
    for token in [&world.grant, &created, &kept] {
        assert!(world.app.is_alive(&token.access).await);
    }
    let path = format!("/api/v2/oauth/clients/{}", world.client.id);
    world.app.delete(&path).by(&world.ada).await.expect(204);
    for token in [&world.grant, &created, &unseen] {
        assert!(!world.app.is_alive(&token.access).await);
        let path = format!("/api/v2/oauth/tokens/{}", token.id);
        world.app.get(&path).by(&world.ada).await.expect(404);
    }
    let redeemed = Door::Standard.redeem(&world.app, &world.client, &code, &[]).await;
    assert_eq!(redeemed.refusal(), "401 invalid_client");
    assert!(world.app.is_alive(&kept.access).await);
    let list = world.app.get("/api/v2/oauth/tokens?all=true").by(&world.ada).await;
    assert_eq!(list.expect(200).json()["count"], 1);
}

#[tokio::test]
async fn a_suspended_or_deleted_user_has_no_token_that_works() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    world.app.change_user(&world.cleo, |user| user.suspended = true).await;
    assert!(!world.is_alive().await);
    world.app.get("/api/v2/users/me").by(&world.cleo).await.expect(401);
    world.app.change_user(&world.cleo, |user| user.suspended = false).await;
    assert!(world.is_alive().await);
    world.app.store.delete_user(world.cleo.id, world.app.now()).await.unwrap();
    world.app.state.directory.evict_user(world.cleo.id);
    assert!(!world.is_alive().await);
    world.app.get("/api/v2/users/me").by(&world.cleo).await.expect(401);
}

#[tokio::test]
async fn a_token_that_is_being_read_while_it_is_refreshed_is_dead_afterwards() {
    let world = World::new().await;
    let hold = world.app.store.hold_find_token(1);
    let (_, tokens) = join(world.is_alive(), async {
        hold.reached().await;
        let (app, client) = (&world.app, &world.client);
        let answer = Door::Standard.refresh(app, client, &world.grant.refresh, &[]).await;
        hold.release();
        answer.tokens()
    })
    .await;
    assert!(!world.is_alive().await);
    assert!(world.app.is_alive(&tokens.access).await);
}

/// It has the record in memory as it was before, and has not heard of the rotation yet.
#[tokio::test]
async fn a_token_that_another_node_has_just_given_is_taken_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = TestApp::on_disk(folder.path()).await;
    let there = TestApp::on_disk(folder.path()).await;
    let ada = here.admin("Ada").await;
    let client = here.confidential_client("acme_reports", &ada).await;
    let grant = here.grant(&ada, &client, "read").await;
    assert!(there.is_alive(&grant.access).await);
    let answer = Door::Standard.refresh(&here, &client, &grant.refresh, &[]).await;
    let tokens = answer.tokens();
    // Of a later rotation as well, and made up: that is no reason to ask the store.
    let mut parts = *Credential::parse(&tokens.access).unwrap().parts();
    parts.tag[8] ^= 1;
    let calls = there.store.calls();
    assert!(!there.is_alive(Credential::assemble(parts).reveal()).await);
    assert_eq!(there.store.calls(), calls);
    assert!(there.is_alive(&tokens.access).await);
    assert!(!there.is_alive(&grant.access).await);
    // From then on out of memory.
    let calls = there.store.calls();
    assert!(there.is_alive(&tokens.access).await);
    assert_eq!(there.store.calls(), calls);
}

#[tokio::test]
async fn the_last_use_is_exact_on_every_read_before_and_after_it_is_written() {
    let world = World::new().await;
    assert_eq!(world.used_at().await, Value::Null);
    world.app.clock.set("2026-03-05T12:00:01.999Z");
    assert!(world.is_alive().await);
    assert_eq!(world.used_at().await, "2026-03-05T12:00:01Z");
    assert_eq!(world.stored_use().await, None);
    world.app.state.verifier.flush().await.unwrap();
    assert_eq!(world.used_at().await, "2026-03-05T12:00:01Z");
    assert_eq!(world.stored_use().await.as_deref(), Some("2026-03-05T12:00:01Z"));

    world.app.clock.set("2026-03-05T12:00:02Z");
    assert!(world.is_alive().await);
    assert_eq!(world.used_at().await, "2026-03-05T12:00:02Z");
    world.app.state.verifier.flush().await.unwrap();
    world.app.clock.set("2026-03-05T12:20:00Z");
    assert!(world.is_alive().await);
    assert_eq!(world.used_at().await, "2026-03-05T12:20:00Z");
}

#[tokio::test]
async fn current_tells_of_the_use_that_asking_is() {
    let world = World::new().await;
    for second in 1..4 {
        world.app.clock.advance(1);
        let answer = world.app.get(CURRENT).bearer(&world.grant.access).await.expect(200);
        let expected = format!("2026-03-05T12:00:0{second}Z");
        assert_eq!(answer.json()["token"]["used_at"], expected);
    }
}

#[tokio::test]
async fn a_use_survives_a_flush_that_failed_and_an_eviction() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    world.app.store.go_away();
    assert!(world.app.state.verifier.flush().await.is_err());
    world.app.store.come_back();
    world.app.state.verifier.clear();
    assert_eq!(world.used_at().await, "2026-03-05T12:00:00Z");
    world.app.clock.advance(5);
    assert!(world.is_alive().await);
    // Written, and the answer lost: it is written again, and nothing goes back.
    world.app.store.lose_the_next_write();
    assert!(world.app.state.verifier.flush().await.is_err());
    assert_eq!(world.used_at().await, "2026-03-05T12:00:05Z");
    world.app.state.verifier.flush().await.unwrap();
    assert_eq!(world.stored_use().await.as_deref(), Some("2026-03-05T12:00:05Z"));

    let restarted = world.app.restarted().await;
    let path = format!("/api/v2/oauth/tokens/{}", world.grant.id);
    let answer = restarted.get(&path).by(&world.ada).await.expect(200);
    assert_eq!(answer.json()["token"]["used_at"], "2026-03-05T12:00:05Z");
}

#[tokio::test]
async fn a_clock_that_goes_back_takes_no_use_back() {
    let world = World::new().await;
    world.app.clock.advance(60);
    assert!(world.is_alive().await);
    world.app.clock.advance(-30);
    assert!(world.is_alive().await);
    assert_eq!(world.used_at().await, "2026-03-05T12:01:00Z");
    world.app.state.verifier.flush().await.unwrap();
    assert_eq!(world.stored_use().await.as_deref(), Some("2026-03-05T12:01:00Z"));
}

#[tokio::test]
async fn looking_at_a_record_is_no_use_of_its_token() {
    let world = World::new().await;
    for path in ["/api/v2/oauth/tokens", "/api/v2/oauth/tokens?all=true"] {
        world.app.get(path).by(&world.ada).await.expect(200);
    }
    let revoke = "/oauth/revoke";
    let garbage = [("token", "garbage")];
    world.app.post(revoke).form(&garbage).by_client(&world.client).await.expect(200);
    assert_eq!(world.used_at().await, Value::Null);
}

#[tokio::test]
async fn every_address_that_takes_a_bearer_token_notes_its_use() {
    let paths = [CURRENT, "/api/v2/users/me", "/api/v2/oauth/tokens.json"];
    for path in paths {
        let world = World::new().await;
        world.app.get(path).bearer(&world.grant.access).await.expect(200);
        assert_eq!(world.used_at().await, "2026-03-05T12:00:00Z", "{path}");
    }
}

/// What was used decides whether a refresh may be repeated, so it is known at once.
#[tokio::test]
async fn a_use_in_the_second_of_the_refresh_counts_for_the_new_token() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    let (app, client) = (&world.app, &world.client);
    let refresh = async || {
        let call = Door::Standard.refresh(app, client, &world.grant.refresh, &[]);
        call.await
    };
    let tokens = refresh().await.tokens();
    assert!(app.is_alive(&tokens.access).await);
    app.clock.advance(31);
    assert_eq!(refresh().await.refusal(), "400 invalid_grant");
}

#[tokio::test]
async fn many_calls_with_one_credential_at_once_are_no_failures() {
    let world = World::new().await;
    let by_api_token = (0..100).map(|_| {
        let call = world.app.get("/api/v2/users/me").by(&world.ada);
        async move { call.await.status }
    });
    let statuses = futures_util::future::join_all(by_api_token).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let asked = [("grant_type", "client_credentials")];
    let by_client = (0..100).map(|_| {
        let call = Door::Standard.ask(&world.app, &world.client, &asked);
        async move { call.await.status }
    });
    let statuses = futures_util::future::join_all(by_client).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

#[tokio::test]
async fn a_token_works_wherever_its_scope_reaches_and_nowhere_else() {
    let world = World::new().await;
    let spec = GrantSpec::of("users:read", &world.client);
    let grant = world.app.grant_of(&world.ada, &world.client, &spec).await;
    let get = |path| world.app.get(path).bearer(&grant.access);
    get(CURRENT).await.expect(200);
    get("/api/v2/users/me").await.expect(200);
    let refused = get("/api/v2/oauth/tokens").await.expect(403);
    assert_eq!(
        refused.header("www-authenticate"),
        Some(r#"Bearer realm="tokenry", error="insufficient_scope", scope="read""#)
    );
    world.app.delete(CURRENT).bearer(&grant.access).await.expect(204);
}

/// A client that hangs up in the middle is told nothing, and the token must not outlive its record.
#[tokio::test]
async fn a_revocation_whose_request_was_dropped_leaves_no_live_token_behind() {
    let world = World::new().await;
    assert!(world.is_alive().await);
    let path = format!("/api/v2/oauth/tokens/{}", world.grant.id);
    let hold = world.app.store.hold_write();
    let revocation = async { world.app.delete(&path).by(&world.ada).await };
    tokio::select! {
        biased;
        () = hold.reached() => {}
        _ = revocation => panic!("answered before the write was"),
    }
    // The request is gone with the select; its write is answered only now.
    hold.release();
    for _ in 0..10_000 {
        if !world.is_alive().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the record is gone and its token lives on");
}
