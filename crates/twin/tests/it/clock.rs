//! A clock to turn, and what follows it.

use serde_json::{Value, json};
use tokenry_protocol::time::Timestamp;
use tokenry_twin::Options;

use crate::support::Played;

#[tokio::test]
async fn thirty_days_pass_in_one_call_and_tokens_are_over_then() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    assert_eq!(played.verify(&token.access_token).await, 200);
    played.control("POST", "/twin/clock", json!({"advance": "3d"})).await;
    assert_eq!(played.verify(&token.access_token).await, 401);
    let (status, body) = played.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(status, 201, "{body}");
    played.control("POST", "/twin/clock", json!({"advance": "31d"})).await;
    let refresh_token = body["refresh_token"].as_str().unwrap();
    let (status, body) = played.refresh(refresh_token, &[]).await.unwrap();
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn it_is_set_frozen_and_let_go_and_says_so() {
    let time = "2027-04-30T00:00:00Z";
    let played = Played::with(Options {
        clock: Some(Timestamp::parse("2026-12-01T12:00:00Z").unwrap()),
        ..Options::default()
    })
    .await;
    assert!(played.twin.clock().read().now >= Timestamp::parse("2026-12-01T12:00:00Z").unwrap());
    let shown = played.control("POST", "/twin/clock", json!({"frozen": true})).await;
    assert_eq!(shown["frozen"], true);
    let shown = played.control("POST", "/twin/clock", json!({"set": time})).await;
    assert_eq!((&shown["now"], &shown["frozen"]), (&json!(time), &json!(true)));
    let shown = played.control("POST", "/twin/clock", json!({"advance": -60})).await;
    assert_eq!(shown["now"], "2027-04-29T23:59:00Z");
    let shown = played.control("POST", "/twin/clock", json!({"frozen": false})).await;
    assert_eq!(shown["frozen"], false);
}

#[tokio::test]
async fn a_turn_that_cannot_be_read_turns_nothing() {
    let played = Played::new().await;
    played.control("POST", "/twin/clock", json!({"frozen": true})).await;
    let before = played.control("GET", "/twin/clock", Value::Null).await;
    for body in [
        json!({"advance": "a while"}),
        json!({"set": "tomorrow"}),
        json!({"set": "2027-04-30T00:00:00Z", "advance": "1 fortnight"}),
        json!({"moved": 1}),
        json!([]),
    ] {
        let (status, answer) = played.call("POST", "/twin/clock", &[], body.clone()).await.unwrap();
        assert_eq!(status, 400, "{body}: {answer}");
    }
    assert_eq!(played.control("GET", "/twin/clock", Value::Null).await, before);
}
