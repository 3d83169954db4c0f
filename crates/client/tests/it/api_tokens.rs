//! API tokens: `/api/v2/api_tokens`.

use tokenry_client::{Credentials, RefusalKind};

use crate::support::TestServer;

#[tokio::test]
async fn an_api_token_is_created_used_stopped_and_deleted() {
    let server = TestServer::start().await;
    let admin = server.client();
    let ben = server.user("ben@acme.test").await;
    let call = admin.api_tokens().create().description("weekly report").assigned_user_id(ben.id);
    let made = call.await.unwrap().api_token.unwrap();
    let (id, secret) = (made.id.unwrap(), made.full_token.unwrap());
    assert_eq!(made.assigned_user_id, Some(ben.id));
    assert_eq!(made.description.as_deref(), Some("weekly report"));

    let credentials = Credentials::api_token(&*ben.email, secret.reveal());
    let as_ben = admin.with_credentials(credentials);
    assert_eq!(as_ben.users().me().await.unwrap().user.unwrap().id, Some(ben.id));
    let shown = admin.api_tokens().show(id).await.unwrap().api_token.unwrap();
    assert!(shown.last_used.is_some() && shown.full_token.is_none());
    assert_eq!(shown.visible_token.unwrap().reveal(), &secret.reveal()[..10]);
    let list = admin.api_tokens().list().await.unwrap().api_tokens;
    assert!(list.iter().any(|token| token.id == Some(id)));

    let call = admin.api_tokens().update(id).description("stopped").active(false);
    let changed = call.await.unwrap().api_token.unwrap();
    assert_eq!((changed.active, changed.description.as_deref()), (Some(false), Some("stopped")));
    let refused = as_ben.users().me().await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Unauthenticated));
    admin.api_tokens().delete(id).await.unwrap();
    let gone = admin.api_tokens().show(id).await.unwrap_err();
    assert_eq!(gone.kind(), Some(RefusalKind::NotFound));
    server.stop().await;
}
