//! Revoking.

use tokenry_core::event::{Actor, EventKind};
use tokenry_store::Store as _;

use crate::api::{
    CLIENTS, TOKENS, World, assert_invalid_token, assert_missing_scope, assert_not_found,
};

#[tokio::test]
async fn a_revoked_token_is_dead_before_the_answer() {
    let world = World::new().await;
    for by in [&world.ada, &world.ben] {
        for alias in [TOKENS, "/api/v2/tokens"] {
            let grant = world.app.grant(&world.ben, &world.reports, "read").await;
            assert!(world.app.is_alive(&grant.access).await);
            let path = format!("{alias}/{}.json", grant.id);
            let answer = world.app.delete(&path).by(by).await;
            assert_eq!(answer.snapshot(), "204 ");
            assert_eq!(answer.header("content-type"), None);
            assert!(!world.app.is_alive(&grant.access).await);
            assert!(!world.app.is_refreshable(&world.reports, &grant.refresh).await);
            assert_not_found(&world.app.delete(&path).by(by).await);
            assert_not_found(&world.app.get(&path).by(by).await);

            let events = world.app.store.list_events(grant.id).await.unwrap();
            let [event] = events.as_slice() else {
                panic!("{events:?}");
            };
            assert_eq!((event.kind, event.actor), (EventKind::Revoked, Actor::User(by.id)));
        }
    }
}

#[tokio::test]
async fn nobody_ends_a_foreign_token_but_administrators() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let path = format!("{TOKENS}/{}", grant.id);
    for user in [&world.ben, &world.cleo] {
        assert_not_found(&world.app.delete(&path).by(user).await);
    }
    assert!(world.app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn a_token_ends_itself_whatever_its_scope() {
    let world = World::new().await;
    for scope in ["read", "reed", "tickets:read"] {
        let token = world.app.created_token(&world.cleo, &world.reports, scope).await;
        let path = format!("{TOKENS}/current.json");
        let answer = world.app.delete(&path).bearer(&token.access).await;
        assert_eq!(answer.snapshot(), "204 ");
        assert_invalid_token(&world.app.get(&path).bearer(&token.access).await);
        assert_invalid_token(&world.app.delete(&path).bearer(&token.access).await);
        assert!(world.app.token(token.id).await.is_none());
    }
}

#[tokio::test]
async fn a_scope_for_reading_ends_nothing() {
    let world = World::new().await;
    let other = world.app.created_token(&world.ada, &world.reports, "read").await;
    for (scope, covered) in [
        ("read", false),
        ("oauth:read", false),
        ("users:write", false),
        ("oauth:write", true),
        ("write", true),
    ] {
        let bearer = world.bearer(scope).await;
        let answer = world.app.delete(&format!("{TOKENS}/{}", other.id)).bearer(&bearer).await;
        if covered {
            assert!(matches!(answer.status, 204 | 404), "{scope}");
        } else {
            assert_missing_scope(&answer, "write");
        }
    }
}

/// What is checked first hides what is checked later.
#[tokio::test]
async fn checks_come_in_order() {
    let world = World::new().await;
    let (read, write) = (world.bearer("read").await, world.bearer("write").await);
    let agent = world.app.created_token(&world.ben, &world.reports, "read").await.access;
    let form = ("application/x-www-form-urlencoded", "x");
    // Path and method, then credentials, then scope, then role, then the id, then the body.
    world.app.post("/api/v2/oauth/tokenz").body(form.0, form.1).await.expect(404);
    world.app.call("PATCH", TOKENS).body(form.0, form.1).await.expect(405);
    world.app.post(TOKENS).body(form.0, form.1).await.expect(401);
    world.app.delete(&format!("{TOKENS}/first")).await.expect(401);
    world.app.post(TOKENS).bearer(&read).body(form.0, form.1).await.expect(403);
    world.app.delete(&format!("{TOKENS}/first")).bearer(&read).await.expect(403);
    world.app.get(&format!("{TOKENS}?page=0")).bearer(&write).await.expect(403);
    let answer = world.app.post(CLIENTS).bearer(&agent).body(form.0, form.1).await;
    assert_missing_scope(&answer, "write");
    world.app.post(CLIENTS).by(&world.ben).body(form.0, form.1).await.expect(403);
    let path = format!("{CLIENTS}/first");
    world.app.put(&path).by(&world.ben).body(form.0, form.1).await.expect(403);
    world.app.put(&path).by(&world.ada).body(form.0, form.1).await.expect(404);
    world.app.put(&format!("{CLIENTS}/4711")).by(&world.ada).body(form.0, "x").await.expect(415);
    world.app.post(TOKENS).bearer(&write).body(form.0, form.1).await.expect(415);
}

/// A lost answer leaves open whether the write happened: the token must be dead if it did.
#[tokio::test]
async fn a_revocation_whose_answer_was_lost_is_in_force_all_the_same() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    assert!(world.app.is_alive(&grant.access).await);
    world.app.store.lose_the_next_write();
    let path = format!("{TOKENS}/{}", grant.id);
    world.app.delete(&path).by(&world.ada).await.expect(503);
    assert!(!world.app.is_alive(&grant.access).await);
    assert_not_found(&world.app.delete(&path).by(&world.ada).await);
}

#[tokio::test]
async fn a_user_who_is_gone_takes_the_records_along() {
    let world = World::new().await;
    let grant = world.app.grant(&world.cleo, &world.reports, "read").await;
    world.app.store.delete_user(world.cleo.id, world.app.now()).await.unwrap();
    world.app.state.directory.evict_user(world.cleo.id);
    assert!(!world.app.is_alive(&grant.access).await);
    let path = format!("{TOKENS}/{}", grant.id);
    assert_not_found(&world.app.get(&path).by(&world.ada).await);
    assert_not_found(&world.app.delete(&path).by(&world.ada).await);
    let all = world.app.get(&format!("{TOKENS}?all=true")).by(&world.ada).await;
    assert_eq!(all.json()["count"], 0);
}
