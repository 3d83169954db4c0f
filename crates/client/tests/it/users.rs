//! Users: `/api/v2/users`.

use tokenry_client::{Client, Credentials, RefusalKind};
use tokenry_core::user::Role;

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn me_is_who_asks_and_others_are_shown_by_id() {
    let server = TestServer::start().await;
    let admin = server.client();
    let me = admin.users().me().await.unwrap().user.unwrap();
    assert_eq!(me.id, Some(server.admin.id));
    assert_eq!(me.email.as_deref(), Some("ada@acme.test"));
    assert_eq!(me.role.as_deref(), Some("admin"));
    let ben = server.user("ben@acme.test").await;
    let shown = admin.users().show(ben.id).await.unwrap().user.unwrap();
    assert_eq!(shown.email.as_deref(), Some("ben@acme.test"));
    let as_ben = server.client_of(&ben);
    assert_eq!(as_ben.users().me().await.unwrap().user.unwrap().id, Some(ben.id));
    let refused = as_ben.users().show(server.admin.id).await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::NotFound));
    server.stop().await;
}

#[tokio::test]
async fn a_password_opens_what_is_switched_on_for_it() {
    let server = TestServer::with(&[("record_api.password_access", "true")]).await;
    let credentials = Credentials::password(&*server.admin.email, PASSWORD);
    let client = server.client().with_credentials(credentials);
    let me = client.users().me().await.unwrap().user.unwrap();
    assert_eq!(me.id, Some(server.admin.id));
    server.stop().await;
    let server = TestServer::start().await;
    let credentials = Credentials::password(&*server.admin.email, PASSWORD);
    let refused = server.client().with_credentials(credentials).users().me().await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Unauthenticated));
    server.stop().await;
}

#[tokio::test]
async fn an_administrator_acts_for_an_end_user_in_every_call() {
    let server = TestServer::start().await;
    let (reports, _) = server.register("reports").await;
    let cleo = server.user_of_role("cleo@acme.test", Role::EndUser).await;
    let ben = server.user("ben@acme.test").await;
    let admin = server.client();
    let bearer = async |scopes: &[&str]| {
        let create = admin.oauth_tokens().create(reports).scopes(scopes.iter().copied());
        let token = create.await.unwrap().token.unwrap().token.unwrap();
        Client::builder().server(&server.base).credentials(Credentials::bearer(token.reveal()))
    };
    for name in [cleo.id.to_string(), cleo.email.clone()] {
        let client = bearer(&["read", "impersonate"]).await.on_behalf_of(name).build().unwrap();
        let me = client.users().me().await.unwrap().user.unwrap();
        assert_eq!(me.id, Some(cleo.id));
        assert!(client.oauth_tokens().list().await.unwrap().tokens.is_empty());
        let refused = client.oauth_tokens().create(reports).await.unwrap_err();
        assert_eq!(refused.kind(), Some(RefusalKind::Forbidden));
    }
    let as_agent = bearer(&["read", "impersonate"]).await.on_behalf_of(ben.id).build().unwrap();
    let refused = as_agent.users().me().await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Forbidden));
    let without_scope = bearer(&["read"]).await.on_behalf_of(cleo.id).build().unwrap();
    let refused = without_scope.users().me().await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Forbidden));
    server.stop().await;
}

#[test]
fn what_can_be_no_users_name_is_refused_before_anything_is_sent() {
    for name in ["37\r\nx: y", "", " ", "\t "] {
        let named = Client::builder().server("http://127.0.0.1:1").on_behalf_of(name);
        let error = named.build().unwrap_err().to_string();
        assert!(error.contains("on_behalf_of takes the id or the address of a user"), "{error}");
    }
}
