//! Grants without a browser, and scenarios.

use serde_json::{Value, json};
use tokenry_twin::{
    Authorize, IssueToken, Means, Profile,
    faults::{SHIPPED, Scenario},
};

use crate::support::Played;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn a_pair_is_made_works_and_is_rotated_behind_its_clients_back() {
    let played = Played::new().await;
    let asked = json!({"client": "acme_mobile", "user": "Cleo@acme.test", "scopes": ["read"],
        "expires_in": 600, "refresh_token_expires_in": 604_800});
    let made = played.control("POST", "/twin/tokens", asked).await;
    let (access_token, refresh_token) =
        (made["access_token"].as_str().unwrap(), made["refresh_token"].as_str().unwrap());
    assert_eq!((&made["id"], &made["user_id"]), (&json!(2_001), &json!(37)));
    assert_eq!(played.verify(access_token).await, 200);
    played.control("POST", "/twin/tokens/2001/rotate", Value::Null).await;
    assert_eq!(played.verify(access_token).await, 401);
    assert_eq!(played.refresh(refresh_token, &[]).await.unwrap().0, 400);
}

/// The double has only the hash of such a secret.
#[tokio::test]
async fn clients_whose_secret_nobody_told_get_pairs_too_and_those_are_rotated() {
    let played = Played::new().await;
    let ada = played.twin.account().api_tokens.into_iter().find(|it| it.id.get() == 7).unwrap();
    let basic = crate::support::basic("ada@acme.test/token", &ada.token);
    let client = json!({"client": {"name": "New", "identifier": "new", "kind": "confidential",
        "redirect_uri": ["https://new.test/cb"]}});
    let path = "/api/v2/oauth/clients.json";
    let headers = [("authorization", basic.as_str())];
    let (status, made) = played.call("POST", path, &headers, client).await.unwrap();
    assert_eq!(status, 201, "{made}");
    let pair = IssueToken::pair("ben@acme.test", "new", &["read"]);
    let issued = played.twin.issue_token(&pair).await.unwrap();
    let refresh = |refresh_token: &str| {
        json!({"grant_type": "refresh_token", "client_id": "new", "refresh_token": refresh_token,
            "client_secret": made["client"]["secret"]})
    };
    let body = refresh(issued.refresh_token.as_deref().unwrap());
    let (status, body) = played.call("POST", "/oauth/tokens", &[], body).await.unwrap();
    assert_eq!(status, 201, "{body}");
    let turn = format!("/twin/tokens/{}/rotate", issued.id);
    played.control("POST", &turn, Value::Null).await;
    let body = refresh(body["refresh_token"].as_str().unwrap());
    assert_eq!(played.call("POST", "/oauth/tokens", &[], body).await.unwrap().0, 400);
}

#[tokio::test]
async fn a_token_has_the_form_and_the_life_that_its_profile_gives_it() {
    let played = Played::new().await;
    for profile in Profile::ALL {
        played.twin.reset_to(profile).await.unwrap();
        for means in [Means::AuthorizationCode, Means::ClientCredentials, Means::Created] {
            let pair = IssueToken::pair("ada@acme.test", "acme_reports", &["read"]);
            let issued = played.twin.issue_token(&IssueToken { means, ..pair }).await.unwrap();
            let is_enforced = matches!(profile, Profile::Enforced | Profile::AfterApiTokens);
            let is_jwt = is_enforced && means != Means::Created;
            let label = format!("{profile} {means:?}");
            assert_eq!(issued.access_token.starts_with("eyJ"), is_jwt, "{label}");
            let expires = profile != Profile::Legacy && means != Means::Created;
            assert_eq!(issued.expires_at.is_some(), expires, "{label}");
            let is_pair = means == Means::AuthorizationCode;
            assert_eq!(issued.refresh_token.is_some(), is_pair, "{label}");
            assert_eq!(played.verify(&issued.access_token).await, 200, "{label}");
        }
    }
}

#[tokio::test]
async fn a_code_is_redeemed_as_if_the_user_had_consented() {
    let played = Played::new().await;
    let asked = json!({"client": "acme_mobile", "user": 37, "scopes": ["read"], "state": "a b",
        "redirect_uri": "com.acme.app:/cb", "code_challenge": CHALLENGE});
    let given = played.control("POST", "/twin/codes", asked).await;
    let code = given["code"].as_str().unwrap();
    let location = given["location"].as_str().unwrap();
    assert!(location.starts_with(&format!("com.acme.app:/cb?code={code}&state=a+b")), "{location}");
    let redeem = json!({"grant_type": "authorization_code", "client_id": "acme_mobile",
        "code": code, "redirect_uri": "com.acme.app:/cb", "code_verifier": VERIFIER});
    let (status, body) = played.call("POST", "/oauth/tokens", &[], redeem.clone()).await.unwrap();
    assert_eq!(status, 201, "{body}");
    assert_eq!(played.verify(body["access_token"].as_str().unwrap()).await, 200);
    assert_eq!(played.call("POST", "/oauth/tokens", &[], redeem).await.unwrap().0, 400);

    let asked = Authorize::new("cleo@acme.test", "acme_reports", &["read"]);
    let given = played.twin.authorize(&asked).await.unwrap();
    assert!(given.location.starts_with("https://reports.acme.test/callback?code="));
}

#[tokio::test]
async fn what_the_server_would_refuse_is_refused_with_its_reason_and_makes_nothing() {
    let played = Played::new().await;
    for (path, body, reason) in [
        ("tokens", json!({}), "missing field `client`"),
        ("tokens", json!({"client": "acme_mobile", "scopes": ["read"]}), "`user` is missing"),
        ("tokens", json!({"client": "acme", "user": 37, "scopes": ["read"]}), "no client \"acme\""),
        ("tokens", json!({"client": 43, "user": "x@y.z", "scopes": ["read"]}), "no user \"x@y.z\""),
        ("tokens", json!({"client": 43, "user": 37, "scopes": [""]}), "scope"),
        (
            "tokens",
            json!({
                "client": 43, "user": 37, "scopes": ["read"], "grant_type": "client_credentials"
            }),
            "leave `user` out",
        ),
        (
            "tokens",
            json!({"client": 43, "scopes": ["read"], "grant_type": "client_credentials"}),
            "may not use client_credentials",
        ),
        (
            "tokens",
            json!({"client": 43, "user": 37, "scopes": ["read"], "expires_in": 1}),
            "`expires_in` is 300 to 172800 seconds",
        ),
        ("codes", json!({"client": 43, "user": 37, "scopes": ["read"]}), "`redirect_uri`"),
        (
            "codes",
            json!({
                "client": 43, "user": 37, "scopes": ["read"], "redirect_uri": "com.acme.app:/cb"
            }),
            "code_challenge is required",
        ),
        (
            "codes",
            json!({"client": 41, "user": 37, "scopes": ["read"], "redirect_uri": "https://x.test"}),
            "no such `redirect_uri`",
        ),
    ] {
        let target = format!("/twin/{path}");
        let (status, told) = played.call("POST", &target, &[], body.clone()).await.unwrap();
        assert_eq!(status, 400, "{body}: {told}");
        let told = told["error_description"].as_str().unwrap();
        assert!(told.contains(reason), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_scenario_is_begun_by_name_or_as_a_whole_in_the_profile_that_it_takes() {
    let played = Played::new().await;
    let listed = played.control("GET", "/twin/scenarios", Value::Null).await;
    assert_eq!(listed["scenarios"].as_array().unwrap().len(), SHIPPED.len());
    for shipped in SHIPPED {
        let scenario = Scenario::read(shipped.text).unwrap();
        let begun = played.control("POST", "/twin/scenario", json!({"name": shipped.name})).await;
        assert_eq!(begun["about"], scenario.about.as_str());
        assert_eq!(played.twin.faults().len(), scenario.faults.len(), "{}", shipped.name);
        if let Some(profile) = scenario.profile {
            assert_eq!(played.twin.connection_details().profile, profile.as_str());
        }
    }
    let own = json!({"name": "mine", "about": "One call fails.", "profile": "refreshing",
        "fault": ["status=503 route=verify"], "clock": [{"after_calls": 1, "advance": "1d"}]});
    played.control("POST", "/twin/scenario", own).await;
    let pair = IssueToken::pair("cleo@acme.test", "acme_mobile", &["read"]);
    let token = played.twin.issue_token(&pair).await.unwrap();
    assert_eq!(played.verify(&token.access_token).await, 503);
    assert_eq!(played.verify(&token.access_token).await, 401, "a day has passed");
    for (wrong, expected) in [
        (json!({"name": "flaky-gatway"}), 404),
        (json!({"name": "mine", "about": "x", "profile": "modern"}), 400),
        (json!({"name": "mine", "about": "x", "fault": ["loose-answer"]}), 400),
    ] {
        let (status, told) = played.call("POST", "/twin/scenario", &[], wrong).await.unwrap();
        assert_eq!(status, expected, "{told}");
    }
    played.twin.reset().await.unwrap();
    assert!(played.twin.faults().is_empty());
}
