//! Token records.

use tokenry_client::{Credentials, RefusalKind};

use crate::{example_oauth_tokens as example, support::TestServer};

#[tokio::test]
async fn a_token_is_created_shown_used_listed_and_revoked() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let admin = server.client();
    let created = admin.oauth_tokens().create(client_id).scopes(["read"]).await.unwrap();
    let created = created.token.unwrap();
    let (id, secret) = (created.id.unwrap(), created.full_token.unwrap());
    let bearer = admin.with_credentials(Credentials::bearer(secret.reveal()));

    assert_eq!(bearer.oauth_tokens().current().await.unwrap().token.unwrap().id, Some(id));
    let shown = admin.oauth_tokens().show(id).await.unwrap().token.unwrap();
    assert_eq!(shown.scopes, Some(vec!["read".to_owned()]));
    assert!(shown.used_at.is_some() && shown.full_token.is_none());
    let list = admin.oauth_tokens().list().client_id(client_id).all(true).await.unwrap();
    assert_eq!(list.tokens.len(), 1);

    admin.oauth_tokens().revoke(id).await.unwrap();
    let dead = bearer.oauth_tokens().current().await.unwrap_err();
    assert_eq!(dead.kind(), Some(RefusalKind::InvalidToken));
    let gone = admin.oauth_tokens().revoke(id).await.unwrap_err();
    assert_eq!(gone.kind(), Some(RefusalKind::NotFound));
    server.stop().await;
}

#[tokio::test]
async fn the_examples_do_what_they_say() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let client = server.client();
    let token = client.oauth_tokens().create(client_id).await.unwrap().token.unwrap();
    let id = token.id.unwrap().get();
    example::create(&client, client_id).await.unwrap();
    example::list(&client).await.unwrap();
    example::show(&client, id).await.unwrap();
    let bearer = Credentials::bearer(token.full_token.unwrap().reveal());
    let bearer = client.with_credentials(bearer);
    example::current(&bearer).await.unwrap();
    example::revoke_current(&bearer).await.unwrap();
    assert!(bearer.oauth_tokens().current().await.is_err());
    assert!(example::revoke(&client, id).await.is_err(), "it is gone");
    server.stop().await;
}
