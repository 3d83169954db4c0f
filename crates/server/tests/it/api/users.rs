//! Users. Docs: records §7.

use insta::assert_snapshot;
use serde_json::Value;

use super::{World, assert_missing_scope, assert_not_found};

#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let world = World::new().await;
    for user in [&world.ada, &world.ben, &world.cleo] {
        let answer = world.app.get("/api/v2/users/me.json").by(user).await.expect(200);
        assert_eq!(answer.json()["user"]["id"], user.id.get());
    }
    let answer = world.app.get("/api/v2/users/me").by(&world.cleo).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"user":{"id":3,"url":"http://127.0.0.1:4000/api/v2/users/3.json","name":"Cleo","email":"cleo@acme.test","role":"end-user","verified":true,"active":true,"suspended":false,"photo":null,"created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}}"#);
}

/// Only whoever shows nothing is nobody: wrong credentials are refused as ever.
#[tokio::test]
async fn nobody_is_the_anonymous_user_where_that_is_configured() {
    let world = World::with(|config| config.record_api.anonymous_me = true).await;
    for path in ["/api/v2/users/me", "/api/v2/users/me.json"] {
        let user = world.app.get(path).await.expect(200).json()["user"].clone();
        assert_eq!((&user["id"], &user["name"]), (&Value::Null, &"Anonymous user".into()));
        assert!(user.as_object().is_some_and(|user| user.contains_key("id")));
        let unusable = world.app.get(path).header("authorization", "Digest x").await.expect(200);
        assert_eq!(unusable.json()["user"], user);
    }
    let me = || world.app.get("/api/v2/users/me");
    assert_eq!(me().by(&world.cleo).await.expect(200).json()["user"]["id"], world.cleo.id.get());
    me().bearer("x").await.expect(401);
    me().basic(&world.ada.email, "x").await.expect(401);
    world.app.get("/api/v2/users/1").await.expect(401);
    let as_it_comes = World::new().await;
    as_it_comes.app.get("/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn a_bearer_needs_a_scope_that_covers_users() {
    let world = World::new().await;
    for (scope, covered) in [
        ("read", true),
        ("users:read", true),
        ("users", true),
        ("unrestricted", true),
        ("write", false),
        ("users:write", false),
        ("tickets:read", false),
        ("impersonate", false),
        ("reed", false),
    ] {
        let bearer = world.bearer(scope).await;
        let me = world.app.get("/api/v2/users/me").bearer(&bearer).await;
        let by_id = format!("/api/v2/users/{}", world.ada.id);
        let by_id = world.app.get(&by_id).bearer(&bearer).await;
        for answer in [me, by_id] {
            if covered {
                assert_eq!(answer.status, 200, "{scope}");
            } else {
                assert_missing_scope(&answer, "users:read read");
            }
        }
    }
}

#[tokio::test]
async fn a_user_is_shown_to_oneself_and_to_administrators() {
    let world = World::new().await;
    let ben = format!("/api/v2/users/{}.json", world.ben.id);
    for user in [&world.ben, &world.ada] {
        let answer = world.app.get(&ben).by(user).await.expect(200);
        assert_eq!(answer.json()["user"]["url"], format!("http://127.0.0.1:4000{ben}"));
    }
    assert_not_found(&world.app.get(&ben).by(&world.cleo).await);
    for path in ["/api/v2/users/4711", "/api/v2/users/0", "/api/v2/users/ada"] {
        assert_not_found(&world.app.get(path).by(&world.ada).await);
    }
}

#[tokio::test]
async fn nobody_is_no_user() {
    let world = World::new().await;
    let answer = world.app.get("/api/v2/users/me.json").await;
    assert_snapshot!(answer.snapshot(), @r#"401 {"error":"Couldn't authenticate you"}"#);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"tokenry\""));
}

#[tokio::test]
async fn a_suspended_user_is_refused_at_once() {
    let world = World::new().await;
    let bearer = world.app.created_token(&world.ben, &world.reports, "read").await.access;
    world.app.get("/api/v2/users/me").bearer(&bearer).await.expect(200);
    world.app.change_user(&world.ben, |user| user.suspended = true).await;
    world.app.get("/api/v2/users/me").bearer(&bearer).await.expect(401);
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(401);
    let answer = world.app.get(&format!("/api/v2/users/{}", world.ben.id)).by(&world.ada).await;
    assert_eq!(answer.expect(200).json()["user"]["suspended"], true);
}
