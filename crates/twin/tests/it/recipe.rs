//! The recipe for Rust in docs/twin/ci.md: somebody's integration, and a test of it.

use std::time::Duration;

use serde_json::json;
use tokenry_twin::{Options, Profile, Twin, TwinError, connect::Credentials};

use crate::support::agent;

/// What came of an export.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refreshed,
    SignInAgain,
}

/// An integration that refreshes before it begins, and sends a refresh that got lost once more.
async fn export(base_url: &str, credentials: &Credentials) -> Outcome {
    let refresh = credentials.refresh.clone().unwrap();
    let url = format!("{base_url}/oauth/tokens");
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": refresh.refresh_token,
        "client_id": refresh.client_id,
    });
    let body = body.to_string();
    let refreshing = move || {
        let request = || agent().post(&url).header("content-type", "application/json");
        (0..2).find_map(|_| request().send(&body).ok())
    };
    match tokio::task::spawn_blocking(refreshing).await.unwrap() {
        Some(answer) if answer.status().is_success() => Outcome::Refreshed,
        _ => Outcome::SignInAgain,
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_not_repeated_for_ever() -> Result<(), TwinError> {
    let options = Options { profile: Some(Profile::Refreshing), ..Options::default() };
    let twin = Twin::start_with(options).await?;
    twin.add_fault("lose-answer route=refresh".parse().unwrap());
    twin.clock().advance(Duration::from_secs(86_400));
    let details = twin.connection_details();
    assert_eq!(export(twin.base_url(), &details.credentials).await, Outcome::SignInAgain);
    assert_eq!(twin.faults()[0].struck, 1);
    Ok(())
}

#[tokio::test]
async fn a_refresh_whose_answer_arrives_is_enough() -> Result<(), TwinError> {
    let twin = Twin::start().await?;
    let details = twin.connection_details();
    assert_eq!(export(twin.base_url(), &details.credentials).await, Outcome::Refreshed);
    Ok(())
}
