//! Client credentials (RFC 6749 §4.4) at both doors.

use crate::support::{Door, TestApp};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_client_gets_a_token_of_the_user_who_answers_for_it_and_no_refresh_token() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for door in Door::BOTH {
        let asked = [GRANT, ("scope", "read write"), ("expires_in", "3600")];
        let answer = door.ask(&app, &client, &asked).await.expect(door.success());
        let mut names: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"]);
        assert_eq!(answer.json()["scope"], "read write");
        assert_eq!(answer.json()["token_type"], "bearer");

        let access = answer.tokens().access;
        let record = app.get("/api/v2/oauth/tokens/current.json").bearer(&access).await;
        let record = &record.expect(200).json()["token"];
        assert_eq!(record["user_id"], ada.id.get());
        assert_eq!(record["client_id"], client.id.get());
        assert!(record.get("refresh_token").is_none());
        assert_eq!(record["expires_at"], "2026-03-05T13:00:00Z");
    }
}

#[tokio::test]
async fn without_a_scope_the_token_may_read() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for door in Door::BOTH {
        for asked in [&[GRANT][..], &[GRANT, ("scope", "")]] {
            let answer = door.ask(&app, &client, asked).await.expect(door.success());
            assert_eq!(answer.json()["scope"], "read");
        }
    }
}

#[tokio::test]
async fn a_wish_about_refresh_tokens_is_ignored() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for door in Door::BOTH {
        let asked = [GRANT, ("refresh_token_expires_in", "1")];
        let answer = door.ask(&app, &client, &asked).await.expect(door.success());
        assert!(answer.json().get("refresh_token_expires_in").is_none());
    }
}

#[tokio::test]
async fn a_client_whose_user_is_gone_gets_nothing() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    app.change_user(&ada, |user| user.suspended = true).await;
    for door in Door::BOTH {
        let answer = door.ask(&app, &client, &[GRANT]).await;
        assert_eq!(answer.refusal(), "400 invalid_grant");
    }
    app.change_user(&ada, |user| user.suspended = false).await;
    Door::Standard.ask(&app, &client, &[GRANT]).await.expect(200);
}

#[tokio::test]
async fn the_clients_policy_lowers_a_lifetime_and_the_answer_says_so() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    app.change_client(&client, |client| {
        client.access_token_lifetime_max = Some(tokenry_protocol::time::Seconds(600));
    })
    .await;
    for door in Door::BOTH {
        let answer = door.ask(&app, &client, &[GRANT, ("expires_in", "3600")]).await;
        assert_eq!(answer.expect(door.success()).json()["expires_in"], 600);
    }
}
