//! Accounts that the command line makes.

use futures_util::future::join;
use tokenry_core::user::Role;
use tokenry_server::accounts::{AccountError, CreatedUser, NewUser, create};
use tokenry_store::Store as _;

use crate::support::TestApp;

async fn create_ben(app: &TestApp) -> Result<CreatedUser, AccountError> {
    let (email, name) = ("ben@acme.test".to_owned(), "Ben".to_owned());
    let password = Some("correct horse battery staple".to_owned());
    create(&app.state, NewUser { email, name, role: Role::Agent, password }).await
}

#[tokio::test]
async fn without_room_for_an_api_token_there_is_no_account() {
    let app = TestApp::with(|config| config.api_tokens.count_max = 1).await;
    app.admin("Ada").await;
    let refused = create_ben(&app).await;
    assert!(matches!(refused, Err(AccountError::TooManyApiTokens(1))));
    assert!(app.store.find_user_by_email("ben@acme.test").await.unwrap().is_none());
}

#[tokio::test]
async fn an_account_that_is_deleted_while_it_is_made_is_not_there() {
    let app = TestApp::new().await;
    let leased = app.store.hold_write();
    let (refused, ()) = join(create_ben(&app), async {
        leased.reached().await;
        let made = app.store.hold_write();
        leased.release();
        made.reached().await;
        let ben = app.store.find_user_by_email("ben@acme.test").await.unwrap().unwrap();
        app.store.delete_user(ben.id, app.now()).await.unwrap();
        made.release();
    })
    .await;
    assert!(matches!(refused, Err(AccountError::Unknown(email)) if email == "ben@acme.test"));
}
