//! Token records: `/api/v2/oauth/tokens`.

use tokenry_client::{ClientAuthentication, Credentials, RefusalKind, models::OAuthTokensResponse};

use crate::support::TestServer;

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
async fn a_token_that_may_write_revokes_itself() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let admin = server.client();
    let created = admin.oauth_tokens().create(client_id).scopes(["read", "write"]).await.unwrap();
    let secret = created.token.unwrap().full_token.unwrap();
    let bearer = admin.with_credentials(Credentials::bearer(secret.reveal()));
    bearer.oauth_tokens().revoke_current().await.unwrap();
    let dead = bearer.oauth_tokens().current().await.unwrap_err();
    assert_eq!(dead.kind(), Some(RefusalKind::InvalidToken));
    assert!(admin.oauth_tokens().list().all(true).await.unwrap().tokens.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_list_has_what_its_options_ask_for() {
    let server = TestServer::start().await;
    let (reports, secret) = server.register("acme_reports").await;
    let (mails, _) = server.register("acme_mails").await;
    let admin = server.client();
    let mine = admin.oauth_tokens().create(reports).await.unwrap().token.unwrap().id.unwrap();
    let other = admin.oauth_tokens().create(mails).await.unwrap().token.unwrap().id.unwrap();
    let ben = server.user("ben@acme.test").await;
    let ben = server.client_of(&ben);

    let ids = |page: OAuthTokensResponse| {
        page.tokens.into_iter().map(|token| token.id.unwrap()).collect::<Vec<_>>()
    };
    let tokens = admin.oauth_tokens();
    assert_eq!(ids(tokens.list().await.unwrap()), [mine, other]);
    assert_eq!(ids(tokens.list().all(true).await.unwrap()), [mine, other]);
    assert_eq!(ids(tokens.list().client_id(mails).await.unwrap()), [other]);
    assert_eq!(ids(tokens.list().global_client_id(9_001).await.unwrap()), []);
    assert_eq!(ids(ben.oauth_tokens().list().await.unwrap()), []);
    let refused = ben.oauth_tokens().list().all(true).await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Forbidden));
    let expired = tokens.list().all(true).include_expired(true).await.unwrap();
    assert_eq!(ids(expired), [mine, other]);
    let alone = tokens.list().include_expired(true).await.unwrap_err();
    assert_eq!(alone.kind(), Some(RefusalKind::BadRequest));

    let app = ClientAuthentication::secret("acme_reports", secret);
    let callback = server.consent(&admin, "acme_reports", "read").await;
    admin.grant_type_tokens().redeem(&app, callback).await.unwrap();
    let granted = tokens.list().client_id(reports).await.unwrap().tokens;
    let granted = granted.last().unwrap();
    assert!(granted.refresh_token.is_some() && granted.refresh_token_expires_at.is_some());
    assert!(granted.expires_at.is_some() && granted.created_at.is_some());
    assert_eq!(granted.user_id, Some(server.admin.id));
    server.stop().await;
}

#[tokio::test]
async fn an_id_that_can_be_nobodys_is_refused_before_anything_is_sent() {
    let server = TestServer::start().await;
    let admin = server.client();
    for error in [
        admin.oauth_tokens().show(0).await.unwrap_err(),
        admin.oauth_tokens().show(u64::MAX).await.unwrap_err(),
        admin.oauth_tokens().create(0).await.unwrap_err(),
        admin.oauth_tokens().list().client_id(0).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("an id is a whole number"), "{error}");
        assert_eq!(error.status(), None);
    }
    server.stop().await;
}

#[tokio::test]
async fn an_answer_comes_with_its_status_and_headers() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let admin = server.client();
    let created = admin.oauth_tokens().create(client_id).answer().await.unwrap();
    assert_eq!((created.status.as_u16(), created.attempts), (201, 1));
    let id = created.value.token.unwrap().id.unwrap();
    let shown = admin.oauth_tokens().show(id).answer().await.unwrap();
    assert_eq!(shown.status.as_u16(), 200);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert!(shown.headers.contains_key("x-request-id"));
    let gone = admin.oauth_tokens().revoke(id).answer().await.unwrap();
    assert_eq!(gone.status.as_u16(), 204);
    server.stop().await;
}
