//! API tokens. Docs: records §6.

use insta::assert_snapshot;
use serde_json::json;
use tokenry_core::api_token::{ApiToken, ApiTokenStatus};
use tokenry_protocol::{
    ids::ApiTokenId,
    secret::{Credential, Kind},
};
use tokenry_store::{ApiTokenInsertion, Store as _};

use super::{
    World, assert_invalid_field, assert_missing_scope, assert_not_found, assert_wrong_role,
};
use crate::support::TestUser;

const PATH: &str = "/api/v2/api_tokens";

/// Creates one with Ada's own API token, and returns its record.
async fn create(world: &World, record: serde_json::Value) -> serde_json::Value {
    let body = json!({"api_token": record});
    let answer = world.app.post(PATH).by(&world.ada).json(&body).await.expect(201);
    answer.json()["api_token"].clone()
}

fn id_of(user: &TestUser) -> u64 {
    Credential::parse(&user.api_token).unwrap().parts().id
}

#[tokio::test]
async fn the_list_is_one_page_and_shows_first_characters_only() {
    let world = World::new().await;
    world.app.clock.advance(5);
    let answer = world.app.get(&format!("{PATH}.json?page[size]=1&page=0")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"api_tokens":[{"id":1,"url":"http://127.0.0.1:4000/api/v2/api_tokens/1.json","description":"","active":true,"user_id":1,"assigned_user_id":1,"visible_token":"p000000001","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z","last_used":"2026-03-05T12:00:05Z"},{"id":2,"url":"http://127.0.0.1:4000/api/v2/api_tokens/2.json","description":"","active":true,"user_id":2,"assigned_user_id":2,"visible_token":"p000000002","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"},{"id":3,"url":"http://127.0.0.1:4000/api/v2/api_tokens/3.json","description":"","active":true,"user_id":3,"assigned_user_id":3,"visible_token":"p000000003","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}]}"#);
}

#[tokio::test]
async fn a_created_token_is_shown_in_full_once_and_works_for_its_maker() {
    let world = World::new().await;
    let mut record = create(&world, json!({"description": "backup job"})).await;
    let token = record["token"].as_str().unwrap().to_owned();
    assert_eq!(record["full_token"], token);
    assert_eq!(record["visible_token"], token[..10]);
    assert_eq!(token.len(), 64);
    let me = world.app.get("/api/v2/users/me").basic("Ada@ACME.test/token", &token).await;
    assert_eq!(me.expect(200).json()["user"]["id"], world.ada.id.get());
    let as_other = world.app.get("/api/v2/users/me").basic("ben@acme.test/token", &token).await;
    as_other.expect(401);

    let shown = world.app.get(&format!("{PATH}/{}.json", record["id"])).by(&world.ada).await;
    let fields = record.as_object_mut().unwrap();
    fields.remove("token");
    fields.remove("full_token");
    fields.insert("last_used".to_owned(), json!("2026-03-05T12:00:00Z"));
    assert_eq!(shown.expect(200).json()["api_token"], record);
}

#[tokio::test]
async fn a_token_can_be_bound_to_another_user() {
    let world = World::new().await;
    let record = create(&world, json!({"assigned_user_id": world.ben.id})).await;
    assert_eq!(record["user_id"], world.ada.id.get());
    assert_eq!(record["assigned_user_id"], world.ben.id.get());
    assert_eq!(record["description"], "");
    let token = record["token"].as_str().unwrap();
    world.app.get("/api/v2/users/me").basic("ben@acme.test/token", token).await.expect(200);
    world.app.get("/api/v2/users/me").basic("ada@acme.test/token", token).await.expect(401);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_by_field() {
    let world = World::new().await;
    let long = "x".repeat(256);
    for (record, field, code, description) in [
        (
            json!({"assigned_user_id": 4711}),
            "assigned_user_id",
            "InvalidValue",
            "Assigned user id: no such user",
        ),
        (
            json!({"assigned_user_id": "1"}),
            "assigned_user_id",
            "InvalidValue",
            "Assigned user id: must be an integer",
        ),
        (json!({"description": 1}), "description", "InvalidValue", "Description: must be a string"),
        (
            json!({"description": long}),
            "description",
            "TooLong",
            "Description: has at most 255 characters",
        ),
    ] {
        let body = json!({"api_token": record});
        let answer = world.app.post(PATH).by(&world.ada).json(&body).await;
        assert_invalid_field(&answer, field, code, description);
    }
}

#[tokio::test]
async fn there_are_so_many_and_no_more() {
    let world = World::with(|config| config.api_tokens.count_max = 4).await;
    let record = create(&world, json!({})).await;
    let body = json!({"api_token": {}});
    let answer = world.app.post(PATH).by(&world.ada).json(&body).await;
    let told = "Api token: there are at most 4; delete one first";
    assert_invalid_field(&answer, "api_token", "TooManyValues", told);
    let path = format!("{PATH}/{}", record["id"]);
    world.app.delete(&path).by(&world.ada).await.expect(204);
    create(&world, json!({})).await;
}

#[tokio::test]
async fn a_deactivated_token_is_refused_at_once_until_it_is_active_again() {
    let world = World::new().await;
    let path = format!("{PATH}/{}", id_of(&world.ben));
    world.app.clock.advance(60);
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(200);
    let off = json!({"api_token": {"active": false}});
    let answer = world.app.put(&path).by(&world.ada).json(&off).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"api_token":{"id":2,"url":"http://127.0.0.1:4000/api/v2/api_tokens/2.json","description":"","active":false,"user_id":2,"assigned_user_id":2,"visible_token":"p000000002","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:01:00Z","last_used":"2026-03-05T12:01:00Z"}}"#);
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(401);

    let renamed = json!({"api_token": {"description": "old", "assigned_user_id": world.ada.id}});
    let answer = world.app.put(&path).by(&world.ada).json(&renamed).await.expect(200).json();
    assert_eq!(answer["api_token"]["active"], false, "what is left out stays");
    assert_eq!(answer["api_token"]["description"], "old");
    assert_eq!(answer["api_token"]["assigned_user_id"], world.ben.id.get(), "it stays bound");
    let on = json!({"api_token": {"active": true}});
    world.app.put(&path).by(&world.ada).json(&on).await.expect(200);
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(200);

    let wrong = json!({"api_token": {"active": "no"}});
    let answer = world.app.put(&path).by(&world.ada).json(&wrong).await;
    assert_invalid_field(&answer, "active", "InvalidValue", "Active: must be true or false");
}

#[tokio::test]
async fn a_deleted_token_is_refused_at_once_and_gone() {
    let world = World::new().await;
    let path = format!("{PATH}/{}.json", id_of(&world.ben));
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(200);
    let deleted = world.app.delete(&path).by(&world.ada).await;
    assert_eq!(deleted.snapshot(), "204 ");
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(401);
    assert_not_found(&world.app.delete(&path).by(&world.ada).await);
    assert_not_found(&world.app.get(&path).by(&world.ada).await);
    let off = json!({"api_token": {"active": false}});
    assert_not_found(&world.app.put(&path).by(&world.ada).json(&off).await);
}

#[tokio::test]
async fn they_are_for_administrators() {
    let world = World::new().await;
    let one = format!("{PATH}/{}", id_of(&world.ben));
    for user in [&world.ben, &world.cleo] {
        for call in [
            world.app.get(PATH),
            world.app.post(PATH),
            world.app.get(&one),
            world.app.put(&one),
            world.app.delete(&one),
        ] {
            assert_wrong_role(&call.by(user).await);
        }
    }
}

#[tokio::test]
async fn a_bearer_needs_the_scope_and_mints_no_more_than_it_has() {
    let world = World::new().await;
    let one = format!("{PATH}/{}", id_of(&world.ben));
    let write = world.bearer("oauth:write").await;
    let read = world.bearer("oauth:read").await;
    for path in [PATH, &one] {
        world.app.get(path).bearer(&read).await.expect(200);
        assert_missing_scope(&world.app.get(path).bearer(&write).await, "read");
    }
    for call in [world.app.post(PATH), world.app.put(&one), world.app.delete(&one)] {
        assert_missing_scope(&call.bearer(&read).await, "write");
    }
    // An API token has every right of its user.
    let body = json!({"api_token": {}});
    let answer = world.app.post(PATH).bearer(&write).json(&body).await;
    assert_missing_scope(&answer, "read write impersonate");
    let full = world.bearer("read write impersonate").await;
    world.app.post(PATH).bearer(&full).json(&body).await.expect(201);
}

#[tokio::test]
async fn creation_can_be_closed() {
    let world = World::with(|config| config.api_tokens.creation = false).await;
    let body = json!({"api_token": {"description": "late"}});
    assert_wrong_role(&world.app.post(PATH).by(&world.ada).json(&body).await);
    world.app.get(PATH).by(&world.ada).await.expect(200);
}

#[tokio::test]
async fn switched_off_they_are_not_there() {
    let world = World::with(|config| config.api_tokens.enabled = false).await;
    let bearer = world.bearer("read write").await;
    let one = format!("{PATH}/{}", id_of(&world.ben));
    for call in [
        world.app.get(PATH),
        world.app.post(PATH),
        world.app.get(&one),
        world.app.put(&one),
        world.app.delete(&one),
    ] {
        assert_not_found(&call.bearer(&bearer).await);
    }
    world.app.get("/api/v2/users/me").by(&world.ada).await.expect(401);
}

#[tokio::test]
async fn an_id_is_canonical_or_nobodys() {
    let world = World::new().await;
    for id in ["0", "01", "x", "4711", "9007199254740992"] {
        assert_not_found(&world.app.get(&format!("{PATH}/{id}")).by(&world.ada).await);
    }
}

const ME: &str = "/api/v2/users/me";

/// Whose call it is with this address and token; `None` is 401.
async fn whose(world: &World, email: &str, token: &str) -> Option<u64> {
    let answer = world.app.get(ME).basic(&format!("{email}/token"), token).await;
    match answer.status {
        200 => answer.json()["user"]["id"].as_u64(),
        status => {
            assert_eq!(status, 401, "{}", answer.snapshot());
            assert_eq!(answer.text(), r#"{"error":"Couldn't authenticate you"}"#);
            None
        }
    }
}

#[tokio::test]
async fn an_account_wide_token_is_bound_to_nobody_and_works_for_every_verified_user() {
    let world = World::with(|config| config.api_tokens.account_wide = true).await;
    let (ada, ben, cleo) = (&world.ada, &world.ben, &world.cleo);
    let record = create(&world, json!({"description": "backup job"})).await;
    assert_eq!(record.get("assigned_user_id"), None);
    let token = record["token"].as_str().unwrap();
    for user in [ada, ben, cleo] {
        assert_eq!(whose(&world, &user.email, token).await, Some(user.id.get()));
        let shouted = user.email.to_uppercase();
        assert_eq!(whose(&world, &shouted, token).await, Some(user.id.get()));
    }
    assert_eq!(whose(&world, "nobody@acme.test", token).await, None);
    // With the rights of that user and no other.
    let list = world.app.get(PATH).basic("ben@acme.test/token", token).await;
    assert_wrong_role(&list);
    let path = format!("{PATH}/{}", record["id"]);
    let shown = world.app.get(&path).basic("ada@acme.test/token", token).await.expect(200).json();
    assert_eq!(shown["api_token"].get("assigned_user_id"), None);
    assert_eq!(shown["api_token"]["last_used"], "2026-03-05T12:00:00Z");

    world.app.change_user(cleo, |user| user.verified = false).await;
    assert_eq!(whose(&world, &cleo.email, token).await, None);
    world.app.get(ME).by(cleo).await.expect(200);
    world.app.change_user(ben, |user| user.suspended = true).await;
    assert_eq!(whose(&world, &ben.email, token).await, None);
}

#[tokio::test]
async fn an_account_wide_token_can_be_described_stopped_and_ended_and_is_never_bound_later() {
    let world = World::with(|config| config.api_tokens.account_wide = true).await;
    let record = create(&world, json!({})).await;
    let token = record["token"].as_str().unwrap();
    let path = format!("{PATH}/{}", record["id"]);
    let off = json!({"api_token": {
        "active": false, "description": "old", "assigned_user_id": world.ben.id,
    }});
    let answer = world.app.put(&path).by(&world.ada).json(&off).await.expect(200).json();
    assert_eq!(answer["api_token"]["description"], "old");
    assert_eq!(answer["api_token"].get("assigned_user_id"), None);
    assert_eq!(whose(&world, &world.ada.email, token).await, None);
    let on = json!({"api_token": {"active": true}});
    let write = world.bearer("write").await;
    let answer = world.app.put(&path).bearer(&write).json(&on).await;
    assert_missing_scope(&answer, "read impersonate");
    assert_eq!(whose(&world, &world.ada.email, token).await, None);
    world.app.put(&path).by(&world.ada).json(&on).await.expect(200);
    assert_eq!(whose(&world, &world.ben.email, token).await, Some(world.ben.id.get()));
    world.app.delete(&path).by(&world.ada).await.expect(204);
    assert_eq!(whose(&world, &world.ada.email, token).await, None);
}

#[tokio::test]
async fn where_tokens_are_account_wide_one_is_bound_that_asks_for_it() {
    let world = World::with(|config| config.api_tokens.account_wide = true).await;
    let record = create(&world, json!({"assigned_user_id": world.ben.id})).await;
    assert_eq!(record["assigned_user_id"], world.ben.id.get());
    let token = record["token"].as_str().unwrap();
    assert_eq!(whose(&world, &world.ben.email, token).await, Some(world.ben.id.get()));
    assert_eq!(whose(&world, &world.ada.email, token).await, None);
    // Those that were made with accounts are bound as ever.
    assert_eq!(whose(&world, &world.ada.email, &world.ben.api_token).await, None);
    let write = world.bearer("oauth:write").await;
    let body = json!({"api_token": {}});
    let answer = world.app.post(PATH).bearer(&write).json(&body).await;
    assert_missing_scope(&answer, "read write impersonate");
}

/// The setting was on when it was made, or it came from another server.
#[tokio::test]
async fn a_token_that_is_bound_to_nobody_is_refused_where_tokens_are_bound() {
    let world = World::new().await;
    let id = ApiTokenId::new(40).unwrap();
    let credential = world.app.mint(Kind::ApiToken, id.get(), 0);
    let unbound = ApiToken {
        id,
        hash: credential.hash(),
        description: String::new(),
        status: ApiTokenStatus::Active,
        user_id: world.ada.id,
        assigned_user_id: None,
        created_at: world.app.now(),
        updated_at: world.app.now(),
        last_used: None,
    };
    let inserted = world.app.store.insert_api_token(unbound, 256).await.unwrap();
    assert_eq!(inserted, ApiTokenInsertion::Done);
    for user in [&world.ada, &world.ben, &world.cleo] {
        assert_eq!(whose(&world, &user.email, credential.reveal()).await, None);
    }
    tokenry_server::jobs::flush(&world.app.state).await.unwrap();
    let refusals = world.app.store.list_refusals(id.get()).await.unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].reason, "bound to nobody");
    let shown = world.app.get(&format!("{PATH}/40")).by(&world.ada).await.expect(200).json();
    assert_eq!(shown["api_token"].get("assigned_user_id"), None);
    assert_eq!(shown["api_token"].get("last_used"), None);
}
