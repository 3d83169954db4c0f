//! Metadata, introspection and revocation.

use tokenry_client::{Client, ClientAuthentication, Credentials};

use crate::support::TestServer;

#[tokio::test]
async fn anybody_may_read_the_metadata() {
    let server = TestServer::start().await;
    let nobody = Client::builder().server(&server.base).build().unwrap();
    let metadata = nobody.authorization_server().metadata().await.unwrap();
    assert_eq!(metadata.issuer, server.base);
    assert_eq!(metadata.token_endpoint, Some(format!("{}/oauth/token", server.base)));
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_introspected_and_revoked_by_its_client() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let nobody = Client::builder().server(&server.base).build().unwrap();
    for app in [
        ClientAuthentication::secret("acme_reports", &*secret),
        ClientAuthentication::basic("acme_reports", &*secret),
    ] {
        let issued = nobody.grant_type_tokens().client_credentials(&app).await.unwrap();
        let token = issued.access_token.unwrap();
        let told = nobody.authorization_server().introspect(&app, token.reveal()).await.unwrap();
        assert!(told.active);
        assert_eq!(told.client_id.as_deref(), Some("acme_reports"));
        assert_eq!(told.username.as_deref(), Some(&*server.admin.email));
        assert_eq!(told.iss, Some(server.base.clone()));
        for _ in 0..2 {
            let revoked = nobody.authorization_server().revoke(&app, token.reveal()).await;
            revoked.unwrap();
        }
        let told = nobody.authorization_server().introspect(&app, token.reveal()).await.unwrap();
        assert!(!told.active && told.username.is_none());
        let bearer = nobody.with_credentials(Credentials::bearer(token.reveal()));
        assert!(bearer.oauth_tokens().current().await.is_err());
    }
    server.stop().await;
}
