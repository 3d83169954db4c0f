//! Creating.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokenry_protocol::time::Seconds;

use crate::{
    api::{
        TOKENS, World, assert_invalid_attribute, assert_invalid_field, assert_missing_scope,
        assert_wrong_role,
    },
    support::Answer,
};

async fn create(world: &World, token: Value) -> Answer {
    world.app.post(TOKENS).by(&world.ada).json(&json!({"token": token})).await
}

#[tokio::test]
async fn a_created_token_is_shown_in_full_once_and_works() {
    let world = World::new().await;
    let record = json!({"client_id": world.reports.id, "scopes": ["write", "read", "write"]});
    let answer = create(&world, record).await;
    let body = answer.json();
    let token = body["token"]["token"].as_str().unwrap();
    assert_snapshot!(answer.snapshot().replace(token, "(the token)"), @r#"201 {"token":{"client_id":1,"created_at":"2026-03-05T12:00:00Z","id":1,"scopes":["write","read"],"token":"(the token)","full_token":"(the token)","url":"http://127.0.0.1:4000/api/v2/tokens/1.json","user_id":1}}"#);
    assert_eq!(token.len(), 64);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));

    let shown = world.app.get(&format!("{TOKENS}/1")).by(&world.ada).await.expect(200).json();
    assert_eq!(shown["token"]["token"], token[..10]);
    assert_eq!(shown["token"].get("full_token"), None);
    world.app.clock.advance(10 * 365 * 86_400);
    assert!(world.app.is_alive(token).await, "it does not expire");
}

#[tokio::test]
async fn a_token_without_a_scope_reads() {
    let world = World::new().await;
    for record in [
        json!({"client_id": world.reports.id}),
        json!({"client_id": world.reports.id, "scopes": null}),
        json!({"client_id": world.reports.id.to_string()}),
    ] {
        let answer = create(&world, record).await.expect(201);
        assert_eq!(answer.json()["token"]["scopes"], json!(["read"]));
    }
}

#[tokio::test]
async fn names_that_mean_nothing_are_kept_and_grant_nothing() {
    let world = World::new().await;
    let record = json!({"client_id": world.reports.id, "scopes": ["reed"]});
    let answer = create(&world, record).await.expect(201).json();
    let token = answer["token"]["token"].as_str().unwrap();
    assert_missing_scope(&world.app.get(TOKENS).bearer(token).await, "read");
    assert!(world.app.is_alive(token).await);
}

/// Some generated clients cannot send a body.
#[tokio::test]
async fn a_client_in_the_query_stands_for_a_missing_body_only() {
    let world = World::new().await;
    let path = format!("{TOKENS}?client_id={}", world.reports.id);
    let answer = world.app.post(&path).by(&world.ada).await.expect(201).json();
    assert_eq!(answer["token"]["client_id"], world.reports.id.get());
    assert_eq!(answer["token"]["scopes"], json!(["read"]));
    let call = world.app.post(&path).by(&world.ada).body("application/json", "");
    call.await.expect(201);
    // A body wins, whatever the query says.
    let body = json!({"token": {"client_id": world.mobile.id}});
    for query in [path.clone(), format!("{TOKENS}?client_id=x&client_id=y&all=maybe")] {
        let answer = world.app.post(&query).by(&world.ada).json(&body).await.expect(201).json();
        assert_eq!(answer["token"]["client_id"], world.mobile.id.get());
    }
    let answer = world.app.post(&path).by(&world.ada).json(&json!({})).await;
    assert_eq!(answer.status, 400);

    let answer = world.app.post(TOKENS).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"400 {"error":{"title":"Missing parameter","message":"The member token is required."}}"#);
    let twice = format!("{path}&client_id=1");
    let answer = world.app.post(&twice).by(&world.ada).await;
    assert_invalid_attribute(&answer, "client_id", "sent once");
    let named = format!("{TOKENS}?client_id=acme_reports");
    let answer = world.app.post(&named).by(&world.ada).await;
    let told = "Client id: must be the numeric id, not the identifier";
    assert_invalid_field(&answer, "client_id", "InvalidValue", told);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let world = World::new().await;
    let client = world.reports.id;
    let many: Vec<_> = (0..51).map(|number| format!("x{number}")).collect();
    for (record, field, code, description) in [
        (json!({}), "client_id", "BlankValue", "cannot be blank"),
        (json!({"client_id": null}), "client_id", "BlankValue", "cannot be blank"),
        (json!({"client_id": 999}), "client_id", "InvalidValue", "no such client"),
        (json!({"client_id": 0}), "client_id", "InvalidValue", "no such client"),
        (json!({"client_id": -1}), "client_id", "InvalidValue", "no such client"),
        (
            json!({"client_id": "acme_reports"}),
            "client_id",
            "InvalidValue",
            "must be the numeric id, not the identifier",
        ),
        (json!({"client_id": 1.5}), "client_id", "InvalidValue", "must be an integer"),
        (json!({"client_id": [1]}), "client_id", "InvalidValue", "must be an integer"),
        (
            json!({"client_id": client, "scopes": "read write"}),
            "scopes",
            "InvalidValue",
            "must be an array of strings",
        ),
        (
            json!({"client_id": client, "scopes": ["read", 1]}),
            "scopes",
            "InvalidValue",
            "must be an array of strings",
        ),
        (json!({"client_id": client, "scopes": []}), "scopes", "BlankValue", "cannot be blank"),
        (
            json!({"client_id": client, "scopes": many}),
            "scopes",
            "TooManyValues",
            "has at most 50 names",
        ),
    ] {
        let title = if field == "scopes" { "Scopes" } else { "Client id" };
        let answer = create(&world, record).await;
        assert_invalid_field(&answer, field, code, &format!("{title}: {description}"));
    }
    let both = create(&world, json!({"client_id": "x", "scopes": ["Read"]})).await;
    let fields = both.json()["details"].as_object().unwrap().len();
    assert_eq!(fields, 2, "everything at once");
    let answer = create(&world, json!({"client_id": client, "scopes": ["read write"]})).await;
    assert_eq!(answer.json()["details"]["scopes"][0]["error"], "InvalidValue");
}

#[tokio::test]
async fn administrators_create_for_themselves() {
    let world = World::new().await;
    let body = json!({"token": {"client_id": world.reports.id, "user_id": 2}});
    for user in [&world.ben, &world.cleo] {
        assert_wrong_role(&world.app.post(TOKENS).by(user).json(&body).await);
    }
    let answer = world.app.post(TOKENS).by(&world.ada).json(&body).await.expect(201);
    assert_eq!(answer.json()["token"]["user_id"], world.ada.id.get());
}

#[tokio::test]
async fn a_bearer_mints_no_more_than_it_has() {
    let world = World::new().await;
    let write = world.bearer("write").await;
    let body =
        |scopes: &[&str]| json!({"token": {"client_id": world.reports.id, "scopes": scopes}});
    for (scopes, missing) in [
        (&["read", "write"][..], Some("read")),
        (&["tickets", "impersonate"], Some("tickets impersonate")),
        (&["unrestricted"], Some("unrestricted")),
        (&["write", "tickets:write", "reed"], None),
    ] {
        let answer = world.app.post(TOKENS).bearer(&write).json(&body(scopes)).await;
        match missing {
            Some(names) => assert_missing_scope(&answer, names),
            None => assert_eq!(answer.status, 201, "{scopes:?}"),
        }
    }
    let read = world.bearer("read").await;
    let answer = world.app.post(TOKENS).bearer(&read).json(&body(&["read"])).await;
    assert_missing_scope(&answer, "write");
}

#[tokio::test]
async fn the_clients_ceiling_holds_here_too() {
    let world = World::new().await;
    let ceiling = tokenry_protocol::scope::Scope::read();
    world.app.change_client(&world.reports, |client| client.allowed_scope = Some(ceiling)).await;
    let record = json!({"client_id": world.reports.id, "scopes": ["tickets:read", "write"]});
    let told = "Scopes: not allowed for this client: write";
    assert_invalid_field(&create(&world, record).await, "scopes", "InvalidValue", told);
    let record = json!({"client_id": world.reports.id, "scopes": ["tickets:read"]});
    create(&world, record).await.expect(201);
}

#[tokio::test]
async fn a_cap_makes_created_tokens_expire() {
    let cap = std::time::Duration::from_secs(3_600);
    let world = World::with(|config| config.tokens.created_token_lifetime_max = Some(cap)).await;
    let record = json!({"client_id": world.reports.id});
    let answer = create(&world, record.clone()).await.expect(201).json();
    assert_eq!(answer["token"]["expires_at"], "2026-03-05T13:00:00Z");
    let lower = |client: &mut tokenry_core::client::Client| {
        client.access_token_lifetime_max = Some(Seconds(300));
    };
    world.app.change_client(&world.reports, lower).await;
    let answer = create(&world, record).await.expect(201).json();
    assert_eq!(answer["token"]["expires_at"], "2026-03-05T12:05:00Z");
}
