//! `X-On-Behalf-Of`. Docs: rules, "Acting for somebody else".

use tokenry_core::event::{Actor, EventKind};
use tokenry_protocol::secret::{Credential, Kind};
use tokenry_server::jobs::flush;
use tokenry_store::Store as _;

use crate::support::{Call, TestApp, TestClient, TestUser};

const TOKENS: &str = "/api/v2/oauth/tokens";
const ME: &str = "/api/v2/users/me";

struct World {
    app: TestApp,
    ada: TestUser,
    cleo: TestUser,
    reports: TestClient,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let cleo = app.end_user("Cleo").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, cleo, reports }
    }

    async fn bearer(&self, scope: &str) -> String {
        self.app.created_token(&self.ada, &self.reports, scope).await.access
    }

    /// A call of the administrator's as somebody.
    fn call(&self, method: &str, path: &str, bearer: &str, name: &str) -> Call<'_> {
        self.app.call(method, path).bearer(bearer).header("x-on-behalf-of", name)
    }
}

#[tokio::test]
async fn the_call_runs_as_the_end_user_whom_it_names() {
    let world = World::new().await;
    let bearer = world.bearer("users:read impersonate").await;
    let id = world.cleo.id.to_string();
    let shouted = world.cleo.email.to_uppercase();
    for name in [&*id, &*world.cleo.email, &*shouted, &*format!(" {id} ")] {
        let me = world.call("GET", ME, &bearer, name).await.expect(200).json();
        assert_eq!(me["user"]["id"], world.cleo.id.get(), "{name}");
    }
    let own = format!("/api/v2/users/{id}");
    world.call("GET", &own, &bearer, &id).await.expect(200);
}

#[tokio::test]
async fn an_empty_name_names_nobody() {
    let world = World::new().await;
    let bearer = world.bearer("read impersonate").await;
    for name in ["", " "] {
        let me = world.call("GET", ME, &bearer, name).header("x-on-behalf-of", "");
        assert_eq!(me.await.expect(200).json()["user"]["id"], world.ada.id.get());
        let by_basic = world.app.get(ME).by(&world.ada).header("x-on-behalf-of", name);
        by_basic.await.expect(200);
    }
}

#[tokio::test]
async fn the_other_scopes_of_the_token_say_what_the_call_may_do() {
    let world = World::new().await;
    let id = world.cleo.id.to_string();
    for (scope, status) in
        [("impersonate", 403), ("tickets:read impersonate", 403), ("oauth:read impersonate", 200)]
    {
        let bearer = world.bearer(scope).await;
        world.call("GET", TOKENS, &bearer, &id).await.expect(status);
    }
}

#[tokio::test]
async fn only_records_of_the_end_user_are_there() {
    let world = World::new().await;
    let bearer = world.bearer("read impersonate").await;
    let theirs = world.app.grant(&world.cleo, &world.reports, "read").await;
    let foreign = world.app.grant(&world.ada, &world.reports, "read").await;
    let list = world.call("GET", TOKENS, &bearer, &world.cleo.email).await.expect(200).json();
    assert_eq!(list["count"], 1);
    assert_eq!(list["tokens"][0]["id"], theirs.id.get());
    for (grant, status) in [(&theirs, 200), (&foreign, 404)] {
        let path = format!("{TOKENS}/{}", grant.id);
        world.call("GET", &path, &bearer, &world.cleo.email).await.expect(status);
    }
}

/// The administrator did it, and the record was the end user's.
#[tokio::test]
async fn the_event_of_a_revocation_names_both() {
    let world = World::new().await;
    let bearer = world.bearer("write impersonate").await;
    let theirs = world.app.grant(&world.cleo, &world.reports, "read").await;
    let path = format!("{TOKENS}/{}", theirs.id);
    world.call("DELETE", &path, &bearer, &world.cleo.email).await.expect(204);
    assert!(!world.app.is_alive(&theirs.access).await);
    let events = world.app.store.list_events(theirs.id).await.unwrap();
    let [event] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!((event.kind, event.actor), (EventKind::Revoked, Actor::User(world.ada.id)));
    assert_eq!(event.user_id, world.cleo.id);
}

#[tokio::test]
async fn the_call_is_a_use_of_the_token() {
    let world = World::new().await;
    let bearer = world.bearer("read impersonate").await;
    world.app.clock.advance(60);
    world.call("GET", ME, &bearer, &world.cleo.email).await.expect(200);
    let used_at = world.app.now();
    world.app.clock.advance(60);
    let id = Credential::parse(&bearer).unwrap().parts().id;
    let shown = world.app.get(&format!("{TOKENS}/{id}")).by(&world.ada).await.json();
    assert_eq!(shown["token"]["used_at"], used_at.to_string());
}

#[tokio::test]
async fn where_a_token_looks_at_itself_the_name_is_not_read() {
    let world = World::new().await;
    let bearer = world.bearer("read").await;
    for name in [&*world.cleo.email, "nobody"] {
        let path = format!("{TOKENS}/current");
        let current = world.call("GET", &path, &bearer, name).await.expect(200).json();
        assert_eq!(current["token"]["user_id"], world.ada.id.get());
    }
    let path = format!("{TOKENS}/current.json");
    world.call("DELETE", &path, &bearer, "nobody").await.expect(204);
    assert!(!world.app.is_alive(&bearer).await);
}

#[tokio::test]
async fn what_was_refused_is_remembered_of_the_token() {
    let world = World::new().await;
    for (scope, name, reason) in [
        ("read", &*world.cleo.email, "may not impersonate"),
        ("impersonate", "nobody", "impersonated unknown"),
        ("impersonate", &*world.ada.email, "impersonated not eligible"),
    ] {
        let bearer = world.bearer(scope).await;
        world.call("GET", ME, &bearer, name).await.expect(403);
        flush(&world.app.state).await.unwrap();
        let id = Credential::parse(&bearer).unwrap().parts().id;
        let refusals = world.app.store.list_refusals(id).await.unwrap();
        let found = refusals.iter().find(|refusal| refusal.kind == Kind::AccessToken);
        assert_eq!(found.unwrap().reason, reason);
    }
}

/// A store that is away is no word about anybody.
#[tokio::test]
async fn without_the_store_nobody_is_told_that_there_is_no_such_user() {
    let world = World::new().await;
    let bearer = world.bearer("read impersonate").await;
    world.call("GET", ME, &bearer, &world.cleo.email).await.expect(200);
    world.app.store.go_away();
    world.call("GET", ME, &bearer, &world.cleo.email).await.expect(503);
}
