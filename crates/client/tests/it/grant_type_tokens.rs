//! The token endpoint: codes, refresh tokens and client credentials.

use tokenry_client::{
    Client, ClientAuthentication, Credentials, RefusalKind,
    models::{ClientKind, ClientRequest, Seconds},
    resources::grant_type_tokens::Door,
};

use crate::support::{REDIRECT_URI, TestServer};

#[tokio::test]
async fn a_code_is_redeemed_and_refreshed_at_both_doors() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let nobody = Client::builder().server(&server.base).build().unwrap();
    let grants = nobody.grant_type_tokens();
    for (door, status) in [(Door::Record, 201), (Door::Standard, 200)] {
        for app in [
            ClientAuthentication::secret("acme_reports", &*secret),
            ClientAuthentication::basic("acme_reports", &*secret),
        ] {
            let callback = server.consent(&nobody, "acme_reports", "read write").await;
            let call = grants.redeem(&app, callback).door(door).scope("read").expires_in(600);
            let answer = call.refresh_token_expires_in(700_000).answer().await.unwrap();
            assert_eq!(answer.status.as_u16(), status);
            let pair = answer.value;
            assert_eq!(pair.token_type.as_deref(), Some("bearer"));
            assert_eq!(pair.scope.as_deref(), Some("read"));
            assert_eq!(pair.expires_in, Some(Seconds(600)));
            assert_eq!(pair.refresh_token_expires_in, Some(Seconds(700_000)));
            let refresh_token = pair.refresh_token.unwrap();
            let call = grants.refresh(&app, refresh_token.reveal()).door(door);
            let next = call.expires_in(300).await.unwrap();
            assert_eq!(next.expires_in, Some(Seconds(300)));
            assert_ne!(next.access_token, pair.access_token);
            let secret = next.access_token.unwrap();
            let bearer = nobody.with_credentials(Credentials::bearer(secret.reveal()));
            let me = bearer.users().me().await.unwrap().user.unwrap();
            assert_eq!(me.id, Some(server.admin.id));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_code_works_once() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let app = ClientAuthentication::secret("acme_reports", secret);
    let client = server.client();
    let callback = server.consent(&client, "acme_reports", "read").await;
    let call = client.grant_type_tokens().redeem(&app, callback);
    call.clone().await.unwrap();
    let spent = call.await.unwrap_err();
    assert_eq!(spent.kind(), Some(RefusalKind::InvalidGrant));
    server.stop().await;
}

#[tokio::test]
async fn a_public_client_redeems_with_its_verifier_alone() {
    let server = TestServer::start().await;
    let request = ClientRequest {
        identifier: "acme_phone".to_owned().into(),
        name: "Acme Phone".to_owned().into(),
        kind: ClientKind::Public.into(),
        redirect_uri: vec![REDIRECT_URI.to_owned()].into(),
        ..ClientRequest::default()
    };
    let client = server.client();
    client.oauth_clients().create(request).await.unwrap();
    let app = ClientAuthentication::public("acme_phone");
    for door in [Door::Record, Door::Standard] {
        let callback = server.consent(&client, "acme_phone", "read").await;
        let pair = client.grant_type_tokens().redeem(&app, callback).door(door).await.unwrap();
        let refresh_token = pair.refresh_token.unwrap();
        let next = client.grant_type_tokens().refresh(&app, refresh_token.reveal()).door(door);
        assert!(next.await.unwrap().access_token.is_some());
    }
    let refused = client.grant_type_tokens().client_credentials(&app).await.unwrap_err();
    assert_eq!(refused.refusal().unwrap().code(), Some("unauthorized_client"));
    server.stop().await;
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let app = ClientAuthentication::secret("acme_reports", secret);
    let client = server.client();
    for door in [Door::Record, Door::Standard] {
        let call = client.grant_type_tokens().client_credentials(&app).door(door);
        let issued = call.scope("read write").expires_in(900).await.unwrap();
        assert_eq!(issued.scope.as_deref(), Some("read write"));
        assert_eq!((issued.expires_in, issued.refresh_token), (Some(Seconds(900)), None));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_scope_that_breaks_the_grammar_is_refused_before_anything_is_sent() {
    let server = TestServer::start().await;
    let app = ClientAuthentication::secret("acme_reports", "not sent");
    let client = server.client();
    let error = client.grant_type_tokens().client_credentials(&app).scope("re\"ad").await;
    assert_eq!(error.unwrap_err().status(), None);
    server.stop().await;
}
