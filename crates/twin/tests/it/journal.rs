//! What stands in the journal, and how it is read.

use std::time::Duration;

use serde_json::{Value, json};
use tokenry_twin::{
    Authorize,
    journal::{Call, Filter},
    views::ROWS_MAX,
};

use crate::support::{Played, agent, basic, read, request};

#[tokio::test]
async fn every_call_stands_there_once_with_what_came_of_it_and_without_a_secret() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    played.verify(&token.access_token).await;
    let lost = [("x-twin-fault", "lose-answer")];
    assert!(played.refresh(&refresh_token, &lost).await.is_err());
    played.refresh(&refresh_token, &[]).await.unwrap();
    played.call("GET", "/api/v2/nothing", &[], Value::Null).await.unwrap();

    let page = played.control("GET", "/twin/journal", Value::Null).await;
    let seen: Vec<_> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["number"].clone(), entry["status"].clone(), entry["faults"].clone()))
        .collect();
    let expected = [
        (json!(1), json!(200), json!([])),
        (json!(2), Value::Null, json!(["lose-answer"])),
        (json!(3), json!(400), json!([])),
        (json!(4), json!(404), json!([])),
    ];
    assert_eq!(seen, expected);
    assert_eq!(page["entries"][0]["user_id"], 37);
    assert_eq!(page["entries"][1]["record_id"], 1_004);
    assert_eq!(page["entries"][1]["client_id"], 43);
    let text = page.to_string();
    for secret in [&token.access_token, &refresh_token] {
        assert!(!text.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn whoever_waits_is_told_of_the_next_call_and_of_no_other() {
    let played = std::sync::Arc::new(Played::new().await);
    let waiting = {
        let played = std::sync::Arc::clone(&played);
        tokio::spawn(async move {
            let path = "/twin/journal?since=0&path=/oauth&wait=30s";
            played.control("GET", path, Value::Null).await
        })
    };
    let access_token = played.seeded().access_token;
    // Neither this call nor the control's own answer it.
    played.verify(&access_token).await;
    played.control("GET", "/twin/state", Value::Null).await;
    assert!(!waiting.is_finished());
    played.refresh("r-unknown", &[]).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap();
    assert_eq!(told["entries"].as_array().unwrap().len(), 1);
    assert_eq!(told["entries"][0]["path"], "/oauth/tokens");
}

#[tokio::test]
async fn a_reset_and_a_clearing_leave_it_empty_and_numbers_go_on() {
    let played = Played::new().await;
    for (method, path) in [("DELETE", "/twin/journal"), ("POST", "/twin/reset")] {
        played.verify("unknown").await;
        let before = played.control("GET", "/twin/journal", Value::Null).await;
        assert_eq!(before["entries"].as_array().unwrap().len(), 1);
        played.control(method, path, Value::Null).await;
        let after = played.control("GET", "/twin/journal", Value::Null).await;
        assert_eq!(after["entries"], json!([]), "{path}");
        assert_eq!(after["last"], before["last"]);
        assert_eq!(after["cleared"], before["last"], "{path}");
    }
}

#[tokio::test]
async fn a_browser_is_given_a_page_and_a_program_json() {
    let played = Played::new().await;
    played.verify("unknown").await;
    let html = [("accept", "text/html,application/xhtml+xml")];
    for path in ["/twin/journal?path=oauth&faults=only", "/twin/journal", "/"] {
        let (status, page) = played.call("GET", path, &html, Value::Null).await.unwrap();
        let page = page.as_str().unwrap();
        assert_eq!(status, 200);
        assert!(page.contains("This is a double, not Zendesk."), "{path}");
    }
    let (status, told) =
        played.call("GET", "/twin/journal?sinse=1", &[], Value::Null).await.unwrap();
    assert_eq!(status, 400);
    assert!(told["error_description"].as_str().unwrap().contains("since"), "{told}");
}

#[tokio::test]
async fn the_page_shows_the_newest_calls_and_says_where_the_others_are() {
    let played = Played::new().await;
    for _ in 0..=ROWS_MAX {
        let at = played.twin.clock().read().now;
        played.twin.journal().push(&Call::new(at, "GET", "/api/v2/users/me"));
    }
    let browser = [("sec-fetch-mode", "navigate")];
    let (_, page) = played.call("GET", "/twin/journal", &browser, Value::Null).await.unwrap();
    let page = page.as_str().unwrap();
    // One more is what the script makes rows of.
    assert_eq!(page.matches("<td class=\"number count\">").count(), ROWS_MAX + 1);
    assert!(page.contains("data-newest=\"1001\""));
    assert!(page.contains("<td class=\"number count\">1001</td>"));
    assert!(page.contains("<a href=\"/twin/journal.json\">"));
}

/// What the server decided stands there, whatever was made of its answer on the way.
#[tokio::test]
async fn an_answer_that_was_replaced_is_told_as_the_server_gave_it() {
    let played = Played::new().await;
    let replaced = [("x-twin-fault", "status=504 applied, delay=50ms")];
    let (status, _) = played.refresh("r-unknown", &replaced).await.unwrap();
    assert_eq!(status, 504);
    let page = played.control("GET", "/twin/journal", Value::Null).await;
    let entry = &page["entries"][0];
    assert_eq!(entry["status"], 504);
    assert_eq!(entry["answer"]["error"], "invalid_grant");
    assert!(entry["outcome"].as_str().unwrap().contains("invalid_grant"), "{entry}");
    assert!(entry["micros"].as_u64().unwrap() >= 50_000, "{entry}");
}

#[tokio::test]
async fn a_call_that_was_refused_for_its_fault_header_stands_there_as_well() {
    let played = Played::new().await;
    let headers = [("x-twin-fault", "loose-answer")];
    played.call("GET", "/api/v2/users/me.json", &headers, Value::Null).await.unwrap();
    let page = played.control("GET", "/twin/journal", Value::Null).await;
    assert_eq!(page["entries"][0]["status"], 400);
}

/// A test that ends must not wait for a page that is left open, nor for an answer that is late.
#[tokio::test]
async fn whoever_only_waits_does_not_keep_a_twin_from_ending() {
    let played = Played::new().await;
    played.twin.add_fault("delay=60s route=verify always".parse().unwrap());
    let (base, access_token) = (played.twin.base_url().to_owned(), played.seeded().access_token);
    let bearer = format!("Bearer {access_token}");
    let late = request(
        "GET",
        &format!("{base}/api/v2/oauth/tokens/current.json"),
        &[("authorization", &bearer)],
        &Value::Null,
    );
    let open = request("GET", &format!("{base}/twin/journal?since=1&wait=60s"), &[], &Value::Null);
    let late = tokio::task::spawn_blocking(move || read(agent().run(late)));
    // The call is taken down before its answer is held back.
    played.twin.journal().wait(0, &Filter::default(), None).await;
    let open = tokio::task::spawn_blocking(move || read(agent().run(open)));

    tokio::time::timeout(Duration::from_secs(20), played.twin.stop()).await.unwrap();
    assert_eq!(late.await.unwrap().unwrap().0, 200);
    // It may have come when nobody listened any more.
    if let Ok((status, page)) = open.await.unwrap() {
        assert_eq!((status, &page["entries"]), (200, &json!([])));
    }
}

#[tokio::test]
async fn the_record_of_a_call_is_the_one_that_it_was_about() {
    let played = Played::new().await;
    let account = played.twin.account();
    let api_token = account.api_tokens.iter().find(|token| token.id.get() == 7).unwrap();
    let ada = basic("ada@acme.test/token", &api_token.token);
    let as_ada = [("authorization", ada.as_str())];
    let client = account.clients.iter().find(|client| client.id.get() == 41).unwrap();
    let secret = client.secret.as_deref().unwrap();
    let consented = Authorize::new("ada@acme.test", "acme_reports", &["read"]);
    let consented = played.twin.authorize(&consented).await.unwrap();
    let own = json!({"grant_type": "client_credentials", "client_id": "acme_reports",
        "client_secret": secret, "scope": "read"});
    let code = json!({"grant_type": "authorization_code", "client_id": "acme_reports",
        "client_secret": secret, "code": consented.code,
        "redirect_uri": "https://reports.acme.test/callback"});
    let create = json!({"token": {"client_id": 41, "scopes": ["read"]}});

    let record = "/api/v2/oauth/tokens/1001.json";
    let id = consented.id.get();
    for (method, path, body, outcome) in [
        ("POST", "/oauth/tokens", code, format!("redeemed a code: token {id}")),
        ("POST", "/oauth/tokens", own, format!("issued token {}", id + 1)),
        ("POST", "/api/v2/oauth/tokens.json", create, format!("created token {}", id + 2)),
        ("DELETE", record, Value::Null, "revoked token 1001".to_owned()),
    ] {
        let headers = if path.starts_with("/api/") { &as_ada[..] } else { &[] };
        let (status, answer) = played.call(method, path, headers, body).await.unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        let page = played.twin.journal().since(0, &Filter::default());
        let entry = page.entries.last().unwrap();
        assert_eq!(entry.outcome, outcome);
        let told = entry.outcome.rsplit(' ').next().unwrap();
        assert_eq!(entry.record_id.unwrap().to_string(), told, "{outcome}");
    }
    played.verify(&played.seeded().access_token).await;
    let path = "/api/v2/users/me.json";
    let bearer = format!("Bearer {}", played.seeded().access_token);
    played.call("GET", path, &[("authorization", &bearer)], Value::Null).await.unwrap();
    let page = played.twin.journal().since(0, &Filter::default());
    let newest = page.entries.iter().rev().take(2);
    let newest: Vec<_> = newest.map(|entry| entry.record_id).collect();
    assert_eq!(newest, [Some(1_004), Some(1_004)], "whose token they presented");
}
