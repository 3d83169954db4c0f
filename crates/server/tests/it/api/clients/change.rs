//! Updating, new secrets, deleting.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokenry_store::Store as _;

use crate::{
    api::{CLIENTS, TOKENS, World, assert_invalid_field, assert_not_found},
    support::Answer,
};

async fn update(world: &World, path: &str, client: Value) -> Answer {
    world.app.put(path).by(&world.ada).json(&json!({"client": client})).await
}

/// Whether a secret authenticates `acme_reports`.
async fn opens(world: &World, identifier: &str, secret: &str) -> bool {
    let form = [("grant_type", "client_credentials")];
    let call = world.app.post("/oauth/token").basic(identifier, secret).form(&form);
    match call.await.status {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

#[tokio::test]
async fn what_is_left_out_stays_and_what_is_not_the_callers_is_ignored() {
    let world = World::new().await;
    world.app.clock.advance(3_600);
    let changes = json!({"name": "Acme Reports 2", "id": 9, "secret": "mine", "global": true});
    let answer = update(&world, &format!("{CLIENTS}/1.json"), changes.clone()).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"client":{"id":1,"url":"http://127.0.0.1:4000/api/v2/clients/1.json","identifier":"acme_reports","name":"Acme Reports 2","kind":"confidential","user_id":1,"redirect_uri":["https://acme-reports.test/callback"],"global":false,"secret":"s000000001","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T13:00:00Z"}}"#);
    let at_its_url = update(&world, "/api/v2/clients/1.json", changes).await;
    assert_eq!(at_its_url.snapshot(), answer.snapshot());
    let answer = update(&world, &format!("{CLIENTS}/1"), json!({})).await.expect(200);
    assert_eq!(answer.json()["client"]["name"], "Acme Reports 2");
    assert!(opens(&world, "acme_reports", world.reports.secret()).await);
}

#[tokio::test]
async fn null_and_nothing_clear_what_can_be_cleared() {
    let world = World::new().await;
    let path = format!("{CLIENTS}/1");
    let settings = json!({"company": "C", "description": "D", "allowed_scopes": ["read"]});
    for empty in [json!(null), json!("")] {
        let set = update(&world, &path, settings.clone()).await.expect(200).json();
        assert_eq!(set["client"]["allowed_scopes"], json!(["read"]));
        let clear = json!({"company": empty, "description": empty, "allowed_scopes": empty});
        let cleared = update(&world, &path, clear).await.expect(200).json();
        for field in ["company", "description", "allowed_scopes"] {
            assert_eq!(cleared["client"].get(field), None, "{field}");
        }
    }
    for field in ["name", "identifier", "kind", "user_id", "redirect_uri"] {
        let mut clear = json!({});
        clear[field] = json!(null);
        let answer = update(&world, &path, clear).await.expect(422);
        assert_eq!(answer.json()["details"][field][0]["error"], "BlankValue");
    }
}

#[tokio::test]
async fn an_identifier_can_move_but_not_to_one_that_is_taken() {
    let world = World::new().await;
    let path = format!("{CLIENTS}/1");
    assert!(opens(&world, "acme_reports", world.reports.secret()).await);
    let answer = update(&world, &path, json!({"identifier": "Acme_Mobile"})).await;
    assert_invalid_field(&answer, "identifier", "DuplicateValue", "Identifier: is taken");
    update(&world, &path, json!({"identifier": "ACME_reports"})).await.expect(200);
    update(&world, &path, json!({"identifier": "figures"})).await.expect(200);
    assert!(opens(&world, "figures", world.reports.secret()).await);
    assert!(!opens(&world, "acme_reports", world.reports.secret()).await);
}

#[tokio::test]
async fn a_change_of_kind_mints_or_ends_the_secret() {
    let world = World::new().await;
    let path = format!("{CLIENTS}/1");
    let public = update(&world, &path, json!({"kind": "public"})).await.expect(200).json();
    assert_eq!(public["client"].get("secret"), None);
    assert!(!opens(&world, "acme_reports", world.reports.secret()).await);
    let confidential = json!({"kind": "confidential"});
    let body = update(&world, &path, confidential.clone()).await.expect(200).json();
    let secret = body["client"]["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 64);
    assert!(opens(&world, "acme_reports", secret).await);
    assert!(!opens(&world, "acme_reports", world.reports.secret()).await);
    let again = update(&world, &path, confidential).await.expect(200).json();
    assert_eq!(again["client"]["secret"], secret[..10], "shown once");
}

#[tokio::test]
async fn a_new_secret_replaces_the_old_one_at_once() {
    let world = World::new().await;
    let path = format!("{CLIENTS}/1/generate_secret.json");
    assert!(opens(&world, "acme_reports", world.reports.secret()).await);
    let mut before = world.reports.secret().to_owned();
    world.app.clock.advance(60);
    for _ in 0..2 {
        let call = world.app.put(&path).by(&world.ada).header("content-type", "application/json");
        let body = call.await.expect(200).json();
        let secret = body["client"]["secret"].as_str().unwrap().to_owned();
        assert_eq!(body["client"]["updated_at"], "2026-03-05T12:01:00Z");
        assert!(opens(&world, "acme_reports", &secret).await);
        assert!(!opens(&world, "acme_reports", &before).await);
        before = secret;
    }
    let path = format!("{CLIENTS}/{}/generate_secret", world.mobile.id);
    let answer = world.app.put(&path).by(&world.ada).await;
    let told = "Kind: a public client has no secret";
    assert_invalid_field(&answer, "kind", "InvalidValue", told);
}

/// Changes at once are both there afterwards: above all, no update brings a replaced secret back.
#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    let world = World::new().await;
    let path = format!("{CLIENTS}/1");
    let secret_path = format!("{path}/generate_secret");
    for round in 0..20 {
        let name = format!("Name {round}");
        let rename = update(&world, &path, json!({"name": name}));
        let replace = async { world.app.put(&secret_path).by(&world.ada).await };
        let replaced = if round % 2 == 0 {
            tokio::join!(rename, replace).1
        } else {
            tokio::join!(replace, rename).0
        };
        let body = replaced.expect(200).json();
        assert!(opens(&world, "acme_reports", body["client"]["secret"].as_str().unwrap()).await);
        let shown = world.app.get(&path).by(&world.ada).await.json();
        assert_eq!(shown["client"]["name"], name);
    }
    assert!(!opens(&world, "acme_reports", world.reports.secret()).await);
}

#[tokio::test]
async fn a_deleted_client_takes_its_tokens_and_codes_along() {
    let world = World::new().await;
    let grant = world.app.grant(&world.cleo, &world.reports, "read").await;
    let created = world.app.created_token(&world.ada, &world.reports, "read").await;
    let code = world.app.code(&world.cleo, &world.reports, "read").await;
    for access in [&grant.access, &created.access] {
        assert!(world.app.is_alive(access).await);
    }
    let answer = world.app.delete(&format!("{CLIENTS}/1.json")).by(&world.ada).await;
    assert_eq!(answer.snapshot(), "204 ");
    for access in [&grant.access, &created.access] {
        assert!(!world.app.is_alive(access).await);
    }
    for form in [
        [("grant_type", "authorization_code"), ("code", &*code)],
        [("grant_type", "refresh_token"), ("refresh_token", &*grant.refresh)],
    ] {
        let call = world.app.post("/oauth/token").by_client(&world.reports).form(&form);
        assert_eq!(call.await.refusal(), "401 invalid_client");
    }
    for path in [format!("{CLIENTS}/1"), "/api/v2/clients/1".to_owned()] {
        assert_not_found(&world.app.get(&path).by(&world.ada).await);
        assert_not_found(&world.app.delete(&path).by(&world.ada).await);
    }
    assert_not_found(&world.app.get(&format!("{TOKENS}/{}", grant.id)).by(&world.ada).await);
    let all = world.app.get(&format!("{TOKENS}?all=true")).by(&world.ada).await;
    assert_eq!(all.json()["count"], 0);
    // The name is free again, for a client with an id of its own.
    let record = json!({"client": {"name": "Next", "identifier": "acme_reports"}});
    let next = world.app.post(CLIENTS).by(&world.ada).json(&record).await.expect(201).json();
    assert_ne!(next["client"]["id"], 1);
    assert!(!opens(&world, "acme_reports", world.reports.secret()).await);
}

#[tokio::test]
async fn a_disabled_client_stops_its_tokens_and_keeps_them() {
    let world = World::new().await;
    let token = world.app.created_token(&world.ada, &world.reports, "read").await;
    let path = format!("{CLIENTS}/1");
    assert!(world.app.is_alive(&token.access).await);
    let disabled = update(&world, &path, json!({"disabled": true})).await.expect(200).json();
    assert_eq!(disabled["client"]["disabled"], true);
    assert!(!world.app.is_alive(&token.access).await);
    update(&world, &path, json!({"disabled": null})).await.expect(200);
    assert!(world.app.is_alive(&token.access).await);
}

#[tokio::test]
async fn whoever_answers_for_clients_cannot_be_deleted() {
    let world = World::new().await;
    let deletion = world.app.store.delete_user(world.ada.id, world.app.now()).await.unwrap();
    assert_eq!(deletion, tokenry_store::UserDeletion::OwnsClients);
    let zoe = world.app.admin("Zoe").await;
    for id in [1, 2] {
        let given = json!({"user_id": zoe.id});
        let body = update(&world, &format!("{CLIENTS}/{id}"), given).await.expect(200).json();
        assert_eq!(body["client"]["user_id"], zoe.id.get());
    }
    let deletion = world.app.store.delete_user(world.ada.id, world.app.now()).await.unwrap();
    assert_eq!(deletion, tokenry_store::UserDeletion::Done);
}

/// Even when nobody can tell whether the write happened.
#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_in_force_all_the_same() {
    let world = World::new().await;
    let token = world.app.created_token(&world.ada, &world.reports, "read").await;
    assert!(world.app.is_alive(&token.access).await);
    world.app.store.lose_the_next_write();
    world.app.delete(&format!("{CLIENTS}/1")).by(&world.ada).await.expect(503);
    assert!(!world.app.is_alive(&token.access).await);
}
