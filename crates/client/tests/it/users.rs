//! Users: `/api/v2/users`.

use tokenry_client::{Credentials, RefusalKind};

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
