//! What happens to a token without its client.

use serde_json::Value;

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
