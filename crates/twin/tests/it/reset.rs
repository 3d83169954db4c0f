//! Going back: to the start, and to a moment that was kept.

use serde_json::{Value, json};
use tokenry_twin::{Options, Profile, Twin};

use crate::support::Played;

#[tokio::test]
async fn after_a_reset_everything_is_as_it_was_at_the_start() {
    let played = Played::new().await;
    let account = played.twin.account();
    let token = played.seeded();
    played.refresh(token.refresh_token.as_deref().unwrap(), &[]).await.unwrap();
    played.control("POST", "/twin/faults", json!({"text": "status=500 always"})).await;
    played.control("POST", "/twin/clock", json!({"advance": "90d"})).await;

    played.control("POST", "/twin/reset", Value::Null).await;
    assert_eq!(played.verify(&token.access_token).await, 200);
    assert!(played.twin.faults().is_empty());
    assert!(played.twin.clock().read().ahead_seconds.abs() <= 1);
    assert_eq!(played.twin.account(), account);
}

#[tokio::test]
async fn a_snapshot_is_gone_back_to_as_often_as_one_likes() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    played.control("POST", "/twin/clock", json!({"frozen": true})).await;
    let (_, body) = played.refresh(&refresh_token, &[]).await.unwrap();
    let second = body["refresh_token"].as_str().unwrap();
    played.control("POST", "/twin/faults", json!({"text": "status=500 route=verify always"})).await;
    played.control("POST", "/twin/snapshots/refreshed", Value::Null).await;
    let at = played.control("GET", "/twin/clock", Value::Null).await;
    for _ in 0..3 {
        let (status, _) = played.refresh(second, &[]).await.unwrap();
        assert_eq!(status, 201, "the pair of the snapshot can be refreshed each time");
        played.control("POST", "/twin/clock", json!({"advance": "400d"})).await;
        played.twin.clear_faults();
        played.control("POST", "/twin/snapshots/refreshed/restore", Value::Null).await;
        assert_eq!(played.control("GET", "/twin/clock", Value::Null).await, at);
        assert_eq!(played.twin.faults().len(), 1);
    }
    let listed = played.control("GET", "/twin/snapshots", Value::Null).await;
    assert_eq!(listed, json!({"snapshots": ["refreshed"]}));
    played.control("DELETE", "/twin/snapshots/refreshed", Value::Null).await;
    let path = "/twin/snapshots/refreshed/restore";
    assert_eq!(played.call("POST", path, &[], Value::Null).await.unwrap().0, 404);
}

#[tokio::test]
async fn a_reset_can_put_the_account_into_another_profile() {
    let played = Played::new().await;
    for profile in Profile::ALL {
        played.control("POST", "/twin/reset", json!({"profile": profile})).await;
        let state = played.control("GET", "/twin/state", Value::Null).await;
        assert_eq!(state["profile"], profile.as_str());
    }
    let wrong = json!({"profile": "modern"});
    let (status, told) = played.call("POST", "/twin/reset", &[], wrong).await.unwrap();
    assert_eq!(status, 400);
    assert!(told["error_description"].as_str().unwrap().contains("after-2027-04-30"), "{told}");
}

/// A browser says which page a request comes from.
#[tokio::test]
async fn a_page_of_another_site_turns_nothing() {
    let played = Played::new().await;
    let own = played.twin.base_url().to_owned();
    for (origin, expected) in [("https://evil.example", 403), ("null", 403), (own.as_str(), 204)] {
        let headers = [("origin", origin)];
        let (status, _) = played.call("POST", "/twin/reset", &headers, Value::Null).await.unwrap();
        assert_eq!(status, expected, "{origin}");
    }
}

#[tokio::test]
async fn in_a_folder_the_account_outlives_the_twin_and_a_reset_begins_it_anew() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let played = Played::with(options()).await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.clone().unwrap();
    let (_, body) = played.refresh(&refresh_token, &[]).await.unwrap();
    played.twin.stop().await;

    let played = Played::with(options()).await;
    let access_token = body["access_token"].as_str().unwrap();
    assert_eq!(played.verify(access_token).await, 200);
    assert_eq!(played.verify(&token.access_token).await, 401);
    played.control("POST", "/twin/reset", Value::Null).await;
    assert_eq!(played.verify(access_token).await, 401);
    assert_eq!(played.verify(&token.access_token).await, 200);
}

/// Whoever started a reset and is gone, as a test that was stopped, leaves a whole twin.
#[tokio::test]
async fn a_reset_whose_caller_hangs_up_is_done_to_its_end() {
    use std::{io::Write as _, net::TcpStream};
    let folder = tempfile::tempdir().unwrap();
    let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let played = Played::with(options).await;
    let token = played.seeded();
    let address = played.twin.base_url().trim_start_matches("http://").to_owned();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request =
            format!("POST /twin/reset HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        drop(stream);
        tokio::task::yield_now().await;
    }
    played.control("POST", "/twin/reset", Value::Null).await;
    assert_eq!(played.verify(&token.access_token).await, 200);
}

/// A call whose body comes after a reset belongs to no test: it takes no fault of the new one.
#[tokio::test]
async fn a_call_that_began_before_a_reset_is_answered_in_the_new_world_or_in_none() {
    let played = Played::new().await;
    let token = played.seeded();
    let before = played.twin.account();
    played.control("POST", "/twin/faults", json!({"text": "delay=300ms route=verify"})).await;
    let slow = played.verify(&token.access_token);
    let turned = async {
        let struck = async || played.twin.faults().first().map_or(0, |rule| rule.struck);
        while struck().await == 0 {
            tokio::task::yield_now().await;
        }
        played.control("POST", "/twin/reset", Value::Null).await;
        played.control("POST", "/twin/faults", json!({"text": "status=503"})).await;
    };
    let (status, ()) = tokio::join!(slow, turned);
    assert_eq!(status, 200);
    assert_eq!(played.twin.faults()[0].struck, 0);
    let journal = played.control("GET", "/twin/journal", Value::Null).await;
    assert_eq!(journal["entries"], json!([]));
    assert_eq!(played.twin.account(), before);
}

#[tokio::test]
async fn a_reset_goes_back_to_the_profile_of_the_start_whatever_was_played_since() {
    let played = Played::new().await;
    played.control("POST", "/twin/scenario", json!({"name": "lost-refresh-answer"})).await;
    let state = played.control("GET", "/twin/state", Value::Null).await;
    assert_eq!(state["profile"], "refreshing");
    played.control("POST", "/twin/reset", Value::Null).await;
    let state = played.control("GET", "/twin/state", Value::Null).await;
    assert_eq!(state["profile"], "legacy");
}

#[tokio::test]
async fn a_scenario_that_turns_the_clock_at_once_begins_the_same_at_the_start_and_after_a_reset() {
    let text = "name = \"n\"\nabout = \"a\"\n[[clock]]\nafter_calls = 0\nadvance = \"31d\"\n";
    let scenario = tokenry_twin::faults::Scenario::read(text).unwrap();
    let played = Played::with(Options { scenario: Some(scenario), ..Options::default() }).await;
    let refresh_token = played.seeded().refresh_token.unwrap();
    for _ in 0..2 {
        assert!((2_678_390..2_678_410).contains(&played.twin.clock().read().ahead_seconds));
        let (status, body) = played.refresh(&refresh_token, &[]).await.unwrap();
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "it is over");
        played.control("POST", "/twin/reset", Value::Null).await;
    }
}

#[tokio::test]
async fn a_name_that_is_given_at_the_start_is_a_name_of_the_twin() {
    let hosts = vec!["twin.example.com".to_owned()];
    let played = Played::with(Options { hosts, ..Options::default() }).await;
    for (host, expected) in [("twin.example.com", 200), ("other.example.com", 403)] {
        let headers = [("host", host)];
        let (status, told) =
            played.call("GET", "/twin/state", &headers, Value::Null).await.unwrap();
        assert_eq!(status, expected, "{host}");
        let told = told["error_description"].as_str().unwrap_or("--host NAME").to_owned();
        assert!(told.contains("--host NAME"), "{told}");
    }
    let hosts = vec!["http://twin.example.com".to_owned()];
    let refused = Twin::start_with(Options { hosts, ..Options::default() }).await.err().unwrap();
    assert!(refused.to_string().contains("without scheme"), "{refused}");
}
