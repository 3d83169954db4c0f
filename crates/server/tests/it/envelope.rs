//! What every answer has in common.

use serde_json::json;
use tokenry_server::routes;

use crate::support::{Answer, TestApp};

/// Answers of every kind: successes, refusals, pages, and what no endpoint gave.
async fn samples(app: &TestApp) -> Vec<(String, Answer)> {
    let ada = app.admin("Ada").await;
    let mut samples = Vec::new();
    for route in routes::documented() {
        let path = route.path.replace("{id}", "1").replace("{file}", "x").replace("{name}", "x");
        for call in [app.call(route.method, &path), app.call(route.method, &path).by(&ada)] {
            samples.push((format!("{} {path}", route.method), call.await));
        }
    }
    for (method, path) in [
        ("GET", "/nothing"),
        ("GET", "/api/v2/nothing"),
        ("GET", "/oauth/nothing"),
        ("PATCH", "/oauth/token"),
        ("PATCH", "/api/v2/oauth/tokens"),
        ("OPTIONS", "/api/v2/oauth/tokens"),
        ("OPTIONS", "/oauth/token"),
    ] {
        samples.push((format!("{method} {path}"), app.call(method, path).await));
    }
    let long = format!("/api/v2/users/me?{}", "x".repeat(9_000));
    samples.push(("a long address".to_owned(), app.get(&long).await));
    app.store.go_away();
    samples.push(("a store away".to_owned(), app.get("/api/v2/users/me").by(&ada).await));
    samples
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let app = TestApp::new().await;
    for (name, answer) in samples(&app).await {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert!(answer.header("referrer-policy").is_some(), "{name}");
        assert!(answer.header("x-request-id").is_some(), "{name}");
        assert_eq!(answer.header("etag"), None, "{name}");
        assert_eq!(answer.header("server"), None, "{name}");
        assert!(answer.status < 500 || answer.status == 503, "{name}: {}", answer.snapshot());
        if name.contains("/api/") || name.contains("/oauth/") {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{name}");
        }
        if name.contains("/api/") {
            assert_eq!(answer.header("set-cookie"), None, "{name}");
            assert_eq!(answer.header("location"), None, "{name}");
        }
    }
}

/// Some clients take any answer with `Retry-After` for a rate limit.
#[tokio::test]
async fn only_answers_that_ask_for_patience_carry_retry_after() {
    let app = TestApp::new().await;
    for (name, answer) in samples(&app).await {
        let asks = matches!(answer.status, 429 | 503);
        assert_eq!(answer.header("retry-after").is_some(), asks, "{name}");
    }
}

/// Clients read the body of every answer of the record API as JSON, whatever they asked for.
#[tokio::test]
async fn the_record_api_speaks_json_whatever_is_accepted() {
    let app = TestApp::new().await;
    for (name, answer) in samples(&app).await {
        if !name.contains("/api/") || answer.body.is_empty() {
            continue;
        }
        let content_type = answer.header("content-type");
        assert_eq!(content_type, Some("application/json; charset=utf-8"), "{name}");
        assert!(answer.json().is_object(), "{name}");
    }
    app.store.come_back();
    let ada = app.admin("Eve").await;
    let call = app.get("/api/v2/users/me").header("accept", "text/html, image/*;q=0").by(&ada);
    call.await.expect(200);
}

#[tokio::test]
async fn a_harmless_request_id_comes_back_and_any_other_is_replaced() {
    let app = TestApp::new().await;
    let longest = "a".repeat(64);
    for id in ["x", "Az09._-", longest.as_str()] {
        let answer = app.get("/healthz").header("x-request-id", id).await;
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
    let too_long = "a".repeat(65);
    let credential = "a0000000G9_tokenry_0000QBe7mSxkW2hYc5VtLzPa8RnDf3JuKq4GpXvAbCdEfG";
    for id in [credential, "", " ", "a b", "a\u{e4}", "a;b", "<script>", too_long.as_str()] {
        let answer = app.get("/healthz").header("x-request-id", id).await;
        let ours = answer.header("x-request-id").unwrap();
        assert_ne!(ours, id);
        assert!(ours.len() == 32 && ours.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let first = app.get("/healthz").await;
    let second = app.get("/healthz").await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let padded = |length: usize| {
        let body = json!({"token": {"client_id": client.id.get()}}).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let create = "/api/v2/oauth/tokens";
    let fits = app.post(create).body("application/json", padded(65_536)).by(&ada).await;
    fits.expect(201);
    let over = app.post(create).body("application/json", padded(65_537)).by(&ada).await;
    assert_eq!(over.expect(413).error(), "PayloadTooLarge");
    // Without credentials that is not told.
    app.post(create).body("application/json", padded(65_537)).await.expect(401);

    let form = "application/x-www-form-urlencoded";
    for path in ["/oauth/token", "/oauth/tokens", "/oauth/revoke", "/oauth/introspect"] {
        let body = format!("x={}", "y".repeat(65_535));
        let answer = app.post(path).body(form, body).by_client(&client).await;
        assert_eq!(answer.refusal(), "413 invalid_request", "{path}");
    }
}

#[tokio::test]
async fn an_address_over_the_limit_is_414() {
    let app = TestApp::new().await;
    let at = |length: usize| {
        let path = "/healthz?";
        format!("{path}{}", "x".repeat(length - path.len()))
    };
    app.get(&at(8_192)).await.expect(200);
    app.get(&at(8_193)).await.expect(414);
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let app = TestApp::with(|config| {
        config.limits.body_max = 2_048;
        config.limits.url_max = 1_024;
    })
    .await;
    let body = format!("x={}", "y".repeat(2_048));
    let answer = app.post("/oauth/token").body("application/x-www-form-urlencoded", body).await;
    assert_eq!(answer.expect(413).json()["error_description"], "At most 2048 bytes.");
    app.get(&format!("/healthz?{}", "x".repeat(1_024))).await.expect(414);
}
