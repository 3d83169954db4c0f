//! Registering.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    api::{CLIENTS, World, assert_invalid_field},
    support::Answer,
};

async fn create(world: &World, client: Value) -> Answer {
    world.app.post(CLIENTS).by(&world.ada).json(&json!({"client": client})).await
}

#[tokio::test]
async fn a_confidential_client_gets_its_secret_once_and_it_works() {
    let world = World::new().await;
    let record = json!({"name": " Night Export ", "identifier": "night_export", "secret": "mine"});
    let answer = create(&world, record).await;
    let body = answer.json();
    let secret = body["client"]["secret"].as_str().unwrap();
    assert_snapshot!(answer.snapshot().replace(secret, "(the secret)"), @r#"201 {"client":{"id":3,"url":"http://127.0.0.1:4000/api/v2/clients/3.json","identifier":"night_export","name":"Night Export","kind":"confidential","user_id":1,"redirect_uri":[],"global":false,"secret":"(the secret)","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}}"#);
    assert_eq!(answer.header("location"), None);
    let form = [("grant_type", "client_credentials")];
    let call = world.app.post("/oauth/token").basic("night_export", secret).form(&form);
    call.await.expect(200);
    let shown = world.app.get(&format!("{CLIENTS}/3")).by(&world.ada).await.expect(200).json();
    assert_eq!(shown["client"]["secret"], secret[..10]);
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let world = World::new().await;
    let record = json!({
        "name": "Acme Desk", "identifier": "acme_desk", "kind": "public",
        "redirect_uri": ["com.acme.desk:/cb", "http://127.0.0.1/callback"],
    });
    let answer = create(&world, record).await;
    assert_snapshot!(answer.snapshot(), @r#"201 {"client":{"id":3,"url":"http://127.0.0.1:4000/api/v2/clients/3.json","identifier":"acme_desk","name":"Acme Desk","kind":"public","user_id":1,"redirect_uri":["com.acme.desk:/cb","http://127.0.0.1/callback"],"global":false,"created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}}"#);
}

#[tokio::test]
async fn every_setting_is_taken_and_shown() {
    let world = World::new().await;
    let zoe = world.app.admin("Zoe").await;
    let record = json!({
        "name": "N", "identifier": "n", "user_id": zoe.id, "company": "C", "description": "D\nd",
        "allowed_scopes": ["write", "read"], "disabled": true, "resource_server": true,
        "redirect_uri": "https://one.acme.test/cb\r\nhttps://two.acme.test/cb",
        "grant_types": ["client_credentials"], "access_token_lifetime_max": 300,
        "refresh_token_lifetime_max": 604_800, "retry_window_seconds": 0,
        "id": 9, "global": true, "logo_url": "https://x.test", "created_at": "x", "more": {},
    });
    let body = create(&world, record).await.expect(201).json();
    let mut record = body["client"].clone();
    record.as_object_mut().unwrap().shift_remove("secret").unwrap();
    assert_snapshot!(record.to_string(), @r#"{"id":3,"url":"http://127.0.0.1:4000/api/v2/clients/3.json","identifier":"n","name":"N","kind":"confidential","user_id":4,"redirect_uri":["https://one.acme.test/cb","https://two.acme.test/cb"],"global":false,"company":"C","description":"D\nd","allowed_scopes":["write","read"],"disabled":true,"resource_server":true,"grant_types":["client_credentials"],"access_token_lifetime_max":300,"refresh_token_lifetime_max":604800,"retry_window_seconds":0,"created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}"#);
    let mut shown = world.app.get(&format!("{CLIENTS}/3")).by(&world.ada).await.json();
    shown["client"].as_object_mut().unwrap().shift_remove("secret").unwrap();
    assert_eq!(shown["client"], record);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let world = World::new().await;
    for (field, value, code, description) in [
        ("name", json!("  "), "BlankValue", "Name: cannot be blank"),
        ("name", json!(1), "InvalidValue", "Name: must be a string"),
        ("name", json!("x".repeat(256)), "TooLong", "Name: has at most 255 characters"),
        ("name", json!("a\u{0}"), "InvalidValue", "Name: has characters that cannot be shown"),
        ("identifier", json!("ACME_Reports"), "DuplicateValue", "Identifier: is taken"),
        (
            "identifier",
            json!("a b"),
            "InvalidValue",
            "Identifier: has characters other than A-Z a-z 0-9 . _ ~ -",
        ),
        ("kind", json!("secret"), "InvalidValue", "Kind: must be \"public\" or \"confidential\""),
        (
            "user_id",
            json!(world.ben.id),
            "InvalidValue",
            "User id: must be an administrator of this account",
        ),
        (
            "user_id",
            json!(4711),
            "InvalidValue",
            "User id: must be an administrator of this account",
        ),
        (
            "redirect_uri",
            json!(["http://plain.acme.test/cb"]),
            "InvalidValue",
            "Redirect uri: must use https, or http on a loopback host",
        ),
        (
            "redirect_uri",
            json!(["https://a.test/#x", "/relative"]),
            "InvalidValue",
            "Redirect uri: must be an absolute address without fragment, user, wildcard or '..'",
        ),
        (
            "access_token_lifetime_max",
            json!(299),
            "InvalidValue",
            "Access token lifetime max: must be 300 to 172800",
        ),
    ] {
        let mut record = json!({"name": "Other", "identifier": "other"});
        record[field] = value;
        assert_invalid_field(&create(&world, record).await, field, code, description);
    }
    let answer = create(&world, json!({"identifier": "nameless"})).await;
    assert_invalid_field(&answer, "name", "BlankValue", "Name: cannot be blank");
    let nothing = create(&world, json!({})).await;
    let fields = nothing.json()["details"].as_object().unwrap().len();
    assert_eq!((nothing.status, fields), (422, 2));
}

/// Two requests at once cannot both have an identifier.
#[tokio::test]
async fn an_identifier_is_given_once() {
    let world = World::new().await;
    let record = |identifier| json!({"name": "Twin", "identifier": identifier});
    let (one, other) = tokio::join!(create(&world, record("twin")), create(&world, record("TWIN")));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
}

#[tokio::test]
async fn a_disabled_client_gets_nothing_until_it_is_enabled() {
    let world = World::new().await;
    let record = json!({"name": "N", "identifier": "n", "disabled": true});
    let body = create(&world, record).await.expect(201).json();
    let secret = body["client"]["secret"].as_str().unwrap();
    let form = [("grant_type", "client_credentials")];
    let call = || world.app.post("/oauth/token").basic("n", secret).form(&form);
    call().await.expect(401);
    let path = format!("{CLIENTS}/{}", body["client"]["id"]);
    let enabled = json!({"client": {"disabled": false}});
    let answer = world.app.put(&path).by(&world.ada).json(&enabled).await.expect(200).json();
    assert_eq!(answer["client"].get("disabled"), None);
    call().await.expect(200);
}
