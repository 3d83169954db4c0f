//! What happens to a token without its client.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokenry_twin::{Options, Profile};

use crate::support::Played;

#[tokio::test]
async fn a_token_is_expired_rotated_and_revoked_by_the_control() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    let turn = |what: &str| format!("/twin/tokens/{}/{what}", token.id);
    played.control("POST", &turn("expire"), Value::Null).await;
    assert_eq!(played.verify(&token.access_token).await, 401);
    assert_eq!(played.call("POST", &turn("expire"), &[], Value::Null).await.unwrap().0, 404);
    let (status, body) = played.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(status, 201);
    let (access_token, refresh_token) =
        (body["access_token"].as_str().unwrap(), body["refresh_token"].as_str().unwrap());
    assert_eq!(played.verify(access_token).await, 200);
    played.control("POST", &turn("rotate"), Value::Null).await;
    assert_eq!(played.verify(access_token).await, 401);
    assert_eq!(played.refresh(refresh_token, &[]).await.unwrap().0, 400);
    played.control("POST", &turn("rotate"), Value::Null).await;
    played.control("POST", &turn("revoke"), Value::Null).await;
    for what in ["expire", "rotate", "revoke"] {
        let (status, told) = played.call("POST", &turn(what), &[], Value::Null).await.unwrap();
        assert_eq!(status, 404, "{what}: {told}");
    }
    let wrong = "/twin/tokens/a0000000G9/expire";
    assert_eq!(played.call("POST", wrong, &[], Value::Null).await.unwrap().0, 400);
}

/// Such as the name of a service in Docker.
#[tokio::test]
async fn what_the_control_makes_is_issued_by_the_address_that_it_was_asked_at() {
    let played =
        Played::with(Options { profile: Some(Profile::Enforced), ..Options::default() }).await;
    let headers = [("host", "zendesk:8080")];
    let asked = json!({"client": "acme_mobile", "user": "cleo@acme.test", "scopes": ["read"]});
    let (status, made) = played.call("POST", "/twin/tokens", &headers, asked).await.unwrap();
    assert_eq!(status, 201, "{made}");
    let claims = made["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], "http://zendesk:8080");
    assert_eq!(claims["aud"], "http://zendesk:8080");

    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let asked = json!({"client": "acme_mobile", "user": "cleo@acme.test", "scopes": ["read"],
        "redirect_uri": "com.acme.app:/cb", "code_challenge": challenge});
    let (status, made) = played.call("POST", "/twin/codes", &headers, asked).await.unwrap();
    assert_eq!(status, 201, "{made}");
    let location = made["location"].as_str().unwrap();
    assert!(location.contains("iss=http%3A%2F%2Fzendesk%3A8080"), "{location}");
}

#[tokio::test]
async fn one_that_listens_everywhere_says_where_this_machine_reaches_it() {
    for (address, host) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")] {
        let options =
            Options { listen: address.parse().unwrap(), allow_remote: true, ..Options::default() };
        let played = Played::with(options).await;
        let expected = format!("http://{host}:");
        assert!(played.twin.base_url().starts_with(&expected), "{}", played.twin.base_url());
        let details = played.twin.connection_details();
        assert_eq!(details.base_url, played.twin.base_url());
        assert!(!details.exports().contains("0.0.0.0") && !details.exports().contains("[::]"));
        assert_eq!(played.verify(&played.seeded().access_token).await, 200);
    }
}
