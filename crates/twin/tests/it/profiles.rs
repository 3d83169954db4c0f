//! What each profile does to the same account.

use serde_json::{Value, json};
use tokenry_protocol::secret::Credential;
use tokenry_twin::{
    Expiry, Options, Profile, Rotation, account::AccountApiToken, faults::Scenario,
};

use crate::support::Played;

fn of(profile: Profile) -> Options {
    Options { profile: Some(profile), ..Options::default() }
}

/// A fresh pair of the public client.
async fn pair(played: &Played) -> Value {
    let refresh_token = played.seeded().refresh_token.unwrap();
    // The seeded pair asked for its lifetime, which the next one would keep.
    let (status, pair) = played.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(status, 201, "{pair}");
    pair
}

/// A token that a client got for itself, which asked for no lifetime.
async fn own_token(played: &Played) -> String {
    let account = played.twin.account();
    let client = account.clients.into_iter().find(|client| client.secret.is_some()).unwrap();
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": client.identifier,
        "client_secret": client.secret,
        "scope": "read",
    });
    let (status, answer) = played.call("POST", "/oauth/tokens", &[], body).await.unwrap();
    assert_eq!(status, 201, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn expires_at(played: &Played, access_token: &str) -> Value {
    let bearer = format!("Bearer {access_token}");
    let path = "/api/v2/oauth/tokens/current.json";
    let headers = [("authorization", bearer.as_str())];
    let (status, record) = played.call("GET", path, &headers, Value::Null).await.unwrap();
    assert_eq!(status, 200, "{record}");
    record["token"]["expires_at"].clone()
}

#[tokio::test]
async fn only_in_legacy_do_tokens_not_expire_that_nobody_asked_a_lifetime_for() {
    for profile in Profile::ALL {
        let played = Played::with(of(profile)).await;
        let token = own_token(&played).await;
        let expires_at = expires_at(&played, &token).await;
        assert_eq!(expires_at.is_null(), profile == Profile::Legacy, "{profile}: {expires_at}");
    }
}

/// The end that the control gave one of them is not that of the next.
#[tokio::test]
async fn a_token_without_expiry_that_was_expired_is_followed_by_another_without() {
    let played = Played::with(of(Profile::Legacy)).await;
    let asked = json!({"client": "acme_mobile", "user": "cleo@acme.test", "scopes": ["read"]});
    let made = played.control("POST", "/twin/tokens", asked).await;
    let access_token = made["access_token"].as_str().unwrap();
    assert_eq!(expires_at(&played, access_token).await, Value::Null);
    let expire = format!("/twin/tokens/{}/expire", made["id"]);
    played.control("POST", &expire, Value::Null).await;
    assert_eq!(played.verify(access_token).await, 401);
    let refresh_token = made["refresh_token"].as_str().unwrap();
    let (status, next) = played.refresh(refresh_token, &[]).await.unwrap();
    assert_eq!((status, &next["expires_in"]), (201, &Value::Null), "{next}");
    let next = expires_at(&played, next["access_token"].as_str().unwrap()).await;
    assert_eq!(next, Value::Null);
}

#[tokio::test]
async fn expiry_and_rotation_can_be_other_than_the_profile_says() {
    let options = Options {
        expiry: Some(Expiry::Enforced),
        rotation: Some(Rotation::Forgiving),
        ..of(Profile::Legacy)
    };
    let played = Played::with(options).await;
    let token = own_token(&played).await;
    assert!(expires_at(&played, &token).await.is_string());
    let refresh_token = played.seeded().refresh_token.unwrap();
    let first = played.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(played.refresh(&refresh_token, &[]).await.unwrap(), first, "the same again");
}

#[tokio::test]
async fn where_expiry_is_enforced_access_tokens_are_jwts_and_work_as_others_do() {
    for (profile, is_jwt) in [
        (Profile::Legacy, false),
        (Profile::Refreshing, false),
        (Profile::Enforced, true),
        (Profile::AfterApiTokens, true),
    ] {
        let played = Played::with(of(profile)).await;
        let pair = pair(&played).await;
        let access_token = pair["access_token"].as_str().unwrap();
        assert_eq!(Credential::parse(access_token).is_err(), is_jwt, "{profile}");
        assert_eq!(access_token.split('.').count() == 3, is_jwt, "{profile}");
        assert_eq!(played.verify(access_token).await, 200);
        let bearer = format!("Bearer {access_token}");
        let headers = [("authorization", bearer.as_str()), ("x-twin-fault", "revoke-token")];
        let path = "/api/v2/oauth/tokens/current.json";
        let (status, _) = played.call("GET", path, &headers, Value::Null).await.unwrap();
        assert_eq!(status, 401, "{profile}");
    }
}

#[tokio::test]
async fn api_tokens_are_made_in_legacy_work_until_the_end_and_then_are_refused() {
    for (profile, shown, made) in [
        (Profile::Legacy, 200, 201),
        (Profile::Refreshing, 200, 403),
        (Profile::Enforced, 200, 403),
        (Profile::AfterApiTokens, 401, 401),
    ] {
        let played = Played::with(of(profile)).await;
        let account = played.twin.account();
        let of_ada = |token: &&AccountApiToken| token.user_id.get() == 29;
        let api_token = account
            .api_tokens
            .iter()
            .filter(of_ada)
            .find(|token| token.assigned_user_id.is_none_or(|assigned| assigned.get() == 29));
        let basic = format!("ada@acme.test/token:{}", api_token.unwrap().token);
        let basic = format!("Basic {}", base64(basic.as_bytes()));
        let headers = [("authorization", basic.as_str())];
        let path = "/api/v2/users/me.json";
        let (status, body) = played.call("GET", path, &headers, Value::Null).await.unwrap();
        assert_eq!(status, shown, "{profile}: {body}");
        if shown == 401 {
            assert_eq!(body, json!({"error": "Couldn't authenticate you"}));
        }
        let body = json!({"api_token": {"description": "another"}});
        let path = "/api/v2/api_tokens.json";
        let (status, body) = played.call("POST", path, &headers, body).await.unwrap();
        assert_eq!(status, made, "{profile}: {body}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[tokio::test]
async fn the_profile_that_is_named_goes_before_the_scenarios_and_that_before_the_first() {
    let takes = |profile: &str| {
        let text = format!("name = \"n\"\nabout = \"a\"\n{profile}");
        Some(Scenario::read(&text).unwrap())
    };
    let refreshing = "profile = \"refreshing\"\n";
    for (named, scenario, expected) in [
        (None, takes(refreshing), Profile::Refreshing),
        (Some(Profile::Enforced), takes(refreshing), Profile::Enforced),
        (Some(Profile::Legacy), takes(refreshing), Profile::Legacy),
        (None, takes(""), Profile::Legacy),
        (None, None, Profile::Legacy),
    ] {
        let label = format!("{named:?} {scenario:?}");
        let options = Options { profile: named, scenario, ..Options::default() };
        let played = Played::with(options).await;
        for _ in 0..2 {
            let state = played.control("GET", "/twin/state", Value::Null).await;
            assert_eq!(state["profile"], expected.as_str(), "{label}");
            played.control("POST", "/twin/reset", Value::Null).await;
        }
    }
}
