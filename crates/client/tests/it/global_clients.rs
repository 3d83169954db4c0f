//! Clients of every account: `/api/v2/oauth/global_clients`.

use futures_util::TryStreamExt as _;
use tokenry_client::{RefusalKind, models::Pagination};

use crate::support::TestServer;

#[tokio::test]
async fn their_list_is_read_in_both_forms_and_here_it_is_empty() {
    let server = TestServer::start().await;
    let admin = server.client();
    let page = admin.global_clients().list().await.unwrap();
    assert!(page.global_clients.is_empty());
    assert!(matches!(page.pagination, Some(Pagination::Cursor { .. })));
    let page = admin.global_clients().list().page(1, 10).await.unwrap();
    assert!(matches!(page.pagination, Some(Pagination::Offset { count: 0, .. })));
    let all: Vec<_> = admin.global_clients().list().stream().try_collect().await.unwrap();
    assert!(all.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn it_is_for_administrators() {
    let server = TestServer::start().await;
    let ben = server.user("ben@acme.test").await;
    let refused = server.client_of(&ben).global_clients().list().await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Forbidden));
    server.stop().await;
}
