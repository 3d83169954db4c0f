//! Content negotiation and bodies. Docs: rules §5.

use serde_json::json;

use super::{CLIENTS, TOKENS, World};

const UNREADABLE: &str =
    r#"422 {"error":"Unprocessable Entity","message":"Server could not parse JSON"}"#;

#[tokio::test]
async fn a_body_is_json_by_its_type_or_by_default() {
    let world = World::new().await;
    let body = json!({"token": {"client_id": world.reports.id}}).to_string();
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json; profile=x",
    ] {
        let call = world.app.post(TOKENS).by(&world.ada);
        let answer = call.body(content_type, body.clone()).await;
        assert_eq!(answer.status, 201, "{content_type}");
    }
    let untyped = world.app.post(TOKENS).by(&world.ada).raw(body.clone()).await;
    untyped.expect(201);
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "application/jsonx",
        "text/plain",
        "",
    ] {
        let call = world.app.post(TOKENS).by(&world.ada);
        let answer = call.body(content_type, body.clone()).await;
        assert_eq!(
            answer.snapshot(),
            r#"415 {"error":"UnsupportedMediaType","description":"Send application/json."}"#,
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn what_two_readers_would_read_differently_is_not_read() {
    let world = World::new().await;
    let deep = format!("{{\"token\":{}{}}}", "[".repeat(16), "]".repeat(16));
    for body in [
        &b"{\"token\": {\"client_id\": 41,"[..],
        b"[]",
        b"\"token\"",
        b"{} {}",
        b"{\"token\":{\"client_id\":1,\"client_id\":2}}",
        b"{\"token\":{},\"\\u0074oken\":{}}",
        b"{\"token\":\"\xff\"}",
        deep.as_bytes(),
    ] {
        let call = world.app.post(TOKENS).by(&world.ada);
        let answer = call.body("application/json", body.to_vec()).await;
        assert_eq!(answer.snapshot(), UNREADABLE, "{body:?}");
    }
}

#[tokio::test]
async fn the_wrapper_is_required_and_is_an_object() {
    let world = World::new().await;
    for (path, wrapper) in
        [(TOKENS, "token"), (CLIENTS, "client"), ("/api/v2/api_tokens", "api_token")]
    {
        for body in ["", "{}", "{\"name\":\"X\"}", &format!("{{\"{wrapper}\":null}}")] {
            let call = world.app.post(path).by(&world.ada);
            let answer = call.body("application/json", body.to_owned()).await;
            let message = format!("The member {wrapper} is required.");
            let expected = json!({"error": {"title": "Missing parameter", "message": message}});
            assert_eq!((answer.status, answer.json()), (400, expected), "{path} {body}");
        }
        let body = format!("{{\"{wrapper}\":[]}}");
        let answer = world.app.post(path).by(&world.ada).body("application/json", body).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["details"][wrapper][0]["error"], "InvalidValue");
    }
}

#[tokio::test]
async fn a_body_has_a_bound() {
    let world = World::new().await;
    let padded = |length: usize| {
        let body = json!({"token": {"client_id": world.reports.id}}).to_string();
        let spaces = " ".repeat(length - body.len());
        body + &spaces
    };
    let call = world.app.post(TOKENS).by(&world.ada);
    call.body("application/json", padded(65_536)).await.expect(201);
    let call = world.app.post(TOKENS).by(&world.ada);
    let answer = call.body("application/json", padded(65_537)).await;
    assert_eq!(
        answer.snapshot(),
        r#"413 {"error":"PayloadTooLarge","description":"At most 65536 bytes."}"#
    );
}

#[tokio::test]
async fn what_needs_no_body_reads_none() {
    let world = World::new().await;
    let token = world.app.created_token(&world.ada, &world.reports, "read").await;
    let path = format!("{TOKENS}/{}", token.id);
    let form = "application/x-www-form-urlencoded";
    world.app.get(&path).by(&world.ada).body(form, "x=1").await.expect(200);
    world.app.delete(&path).by(&world.ada).body("application/json", "{").await.expect(204);
    let path = format!("{CLIENTS}/{}/generate_secret.json", world.reports.id);
    for body in ["", "{"] {
        world.app.put(&path).by(&world.ada).body("application/json", body).await.expect(200);
    }
}

#[tokio::test]
async fn unknown_members_are_ignored() {
    let world = World::new().await;
    let body = json!({
        "token": {"client_id": world.reports.id, "expires_at": 1, "user_id": "x", "token": []},
        "more": {},
    });
    let answer = world.app.post(TOKENS).by(&world.ada).json(&body).await.expect(201);
    let token = &answer.json()["token"];
    assert_eq!(token["user_id"], world.ada.id.get());
    assert_eq!(token.get("expires_at"), None);
}
