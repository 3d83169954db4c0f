//! Accounts that the command line makes.

use futures_util::future::join;
use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    event::{Actor, EventKind},
    user::{Role, User, UserChange},
};
use tokenry_protocol::{ids::ApiTokenId, secret::Kind};
use tokenry_server::accounts::{
    AccountError, Administrators, CreatedUser, EndedCredentials, Named, NewUser, change, create,
    delete, end_credentials, find, list_account_wide, new_password,
};
use tokenry_store::{ApiTokenInsertion, IdSequence, Store as _};

use crate::support::{Form, PASSWORD, TestApp, TestUser};

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

fn named(user: &TestUser) -> Named {
    Named::Id(user.id)
}

async fn keep_one(app: &TestApp, user: &TestUser, by: UserChange) -> Result<User, AccountError> {
    change(&app.state, &named(user), &by, Administrators::KeepOne).await
}

#[tokio::test]
async fn a_user_is_found_by_address_in_every_spelling_and_by_id() {
    let app = TestApp::new().await;
    let ben = app.agent("Ben").await;
    for name in ["ben@acme.test", "BEN@acme.TEST", &ben.id.to_string()] {
        assert_eq!(find(&app.state, &name.parse().unwrap()).await.unwrap().id, ben.id, "{name}");
    }
    for nobody in ["eve@acme.test", "999"] {
        let found = find(&app.state, &nobody.parse().unwrap()).await;
        assert!(matches!(found, Err(AccountError::Unknown(name)) if name == nobody));
    }
    for word in ["ben", "", "0", "-1", "01"] {
        assert!(matches!(word.parse::<Named>(), Err(AccountError::Named)), "{word}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_refused_at_once_and_an_enabled_one_let_in_again() {
    let app = TestApp::new().await;
    let (ada, ben) = (app.admin("Ada").await, app.agent("Ben").await);
    let client = app.confidential_client("app", &ada).await;
    let grant = app.grant(&ben, &client, "read").await;
    app.get("/api/v2/users/me").by(&ben).await.expect(200);
    keep_one(&app, &ben, UserChange::Suspend).await.unwrap();
    app.get("/api/v2/users/me").by(&ben).await.expect(401);
    assert!(!app.is_alive(&grant.access).await);
    keep_one(&app, &ben, UserChange::Resume).await.unwrap();
    app.get("/api/v2/users/me").by(&ben).await.expect(200);
    assert!(app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing() {
    let app = TestApp::new().await;
    let ben = app.agent("Ben").await;
    let before = find(&app.state, &named(&ben)).await.unwrap();
    let position = app.store.last_change().await.unwrap();
    let same = keep_one(&app, &ben, UserChange::Role(Role::Agent)).await.unwrap();
    assert_eq!(same.updated_at, before.updated_at);
    assert!(app.store.list_changes(&position).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_last_active_administrator_stays_unless_told_otherwise() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.admin("Ada").await, app.admin("Eve").await);
    app.agent("Ben").await;
    keep_one(&app, &eve, UserChange::Suspend).await.unwrap();
    for by in [UserChange::Suspend, UserChange::Role(Role::Agent)] {
        let refused = keep_one(&app, &ada, by).await;
        assert!(matches!(refused, Err(AccountError::LastAdministrator(_))));
    }
    let refused = delete(&app.state, &named(&ada), Administrators::KeepOne).await;
    assert!(matches!(refused, Err(AccountError::LastAdministrator(_))));
    // Nothing is lost with one who could not act anyway.
    keep_one(&app, &eve, UserChange::Role(Role::Agent)).await.unwrap();
    let demoted = UserChange::Role(Role::EndUser);
    let demoted = change(&app.state, &named(&ada), &demoted, Administrators::MayBeNone).await;
    assert_eq!(demoted.unwrap().role, Role::EndUser);
}

#[tokio::test]
async fn a_change_that_came_first_is_not_undone() {
    let app = TestApp::new().await;
    app.admin("Ada").await;
    let ben = app.agent("Ben").await;
    let stopped = app.store.stop_write();
    let (promoted, ()) = join(keep_one(&app, &ben, UserChange::Role(Role::Admin)), async {
        stopped.reached().await;
        app.change_user(&ben, |user| user.name = "Benjamin".to_owned()).await;
        stopped.release();
    })
    .await;
    let promoted = promoted.unwrap();
    assert_eq!((promoted.name.as_str(), promoted.role), ("Benjamin", Role::Admin));
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_leaves_tokens() {
    let app = TestApp::new().await;
    let (ada, ben) = (app.admin("Ada").await, app.agent("Ben").await);
    let client = app.confidential_client("app", &ada).await;
    let grant = app.grant(&ben, &client, "read").await;
    let browser = app.browser();
    browser.sign_in(&ben).await;
    browser.get("/account/connections").await.expect(200);
    let (hash, made) = new_password(&app.state, None).unwrap();
    keep_one(&app, &ben, UserChange::PasswordHash(hash)).await.unwrap();
    assert_ne!(browser.get("/account/connections").await.status, 200);
    assert!(app.is_alive(&grant.access).await);
    for (password, is_right) in [(PASSWORD, false), (&made.unwrap(), true)] {
        let browser = app.browser();
        let page = browser.get("/sign-in").await.expect(200);
        let mut form = Form::find(&page, "/sign-in");
        form.fill("email", &ben.email);
        form.fill("password", password);
        assert_eq!(browser.press(&form, ("", "")).await.status == 303, is_right);
    }
    let short = new_password(&app.state, Some("short".to_owned()));
    assert!(matches!(short, Err(AccountError::Password)));
}

#[tokio::test]
async fn of_a_user_every_credential_is_ended_and_of_others_none() {
    let app = TestApp::new().await;
    let (ada, ben) = (app.admin("Ada").await, app.agent("Ben").await);
    let client = app.confidential_client("app", &ada).await;
    let mut theirs = Vec::new();
    for _ in 0..205 {
        theirs.push(app.grant(&ben, &client, "read").await);
    }
    let others = app.grant(&ada, &client, "read").await;
    let mut told = Vec::new();
    let ended = end_credentials(&app.state, ben.id, |ended| told.push(ended)).await.unwrap();
    assert_eq!(ended, EndedCredentials { tokens: 205, api_tokens: 1 });
    assert_eq!(told.len(), 206);
    for grant in &theirs {
        assert!(!app.is_alive(&grant.access).await);
    }
    assert!(app.is_alive(&others.access).await);
    app.get("/api/v2/users/me").by(&ben).await.expect(401);
    app.get("/api/v2/users/me").by(&ada).await.expect(200);
    let event = app.store.list_events(theirs[0].id).await.unwrap().pop().unwrap();
    assert_eq!((event.kind, event.actor), (EventKind::Revoked, Actor::Server));
}

/// An API token that they made and that is bound to nobody.
async fn make_unbound(app: &TestApp, by: &TestUser, status: ApiTokenStatus) -> ApiTokenId {
    let id: ApiTokenId = app.state.ids.next(IdSequence::ApiTokens).await.unwrap();
    let token = ApiToken {
        id,
        hash: app.mint(Kind::ApiToken, id.get(), 0).hash(),
        description: String::new(),
        status,
        user_id: by.id,
        assigned_user_id: None,
        created_at: app.now(),
        updated_at: app.now(),
        last_used: None,
    };
    let inserted = app.store.insert_api_token(token, 256).await.unwrap();
    assert_eq!(inserted, ApiTokenInsertion::Done);
    id
}

#[tokio::test]
async fn what_a_user_made_for_everybody_is_told_and_ends_with_their_credentials() {
    for account_wide in [true, false] {
        let app = TestApp::with(|config| config.api_tokens.account_wide = account_wide).await;
        let (ada, ben) = (app.admin("Ada").await, app.admin("Ben").await);
        let works = make_unbound(&app, &ben, ApiTokenStatus::Active).await;
        let stopped = make_unbound(&app, &ben, ApiTokenStatus::Inactive).await;
        let others = make_unbound(&app, &ada, ApiTokenStatus::Active).await;
        let listed = list_account_wide(&app.state, ben.id).await.unwrap();
        assert_eq!(listed, if account_wide { vec![works] } else { vec![] });
        let ended = end_credentials(&app.state, ben.id, |_| ()).await.unwrap();
        assert_eq!(ended, EndedCredentials { tokens: 0, api_tokens: 3 });
        for (id, is_there) in [(works, false), (stopped, false), (others, true)] {
            assert_eq!(app.store.find_api_token(id).await.unwrap().is_some(), is_there);
        }
        let again = make_unbound(&app, &ben, ApiTokenStatus::Active).await;
        delete(&app.state, &named(&ben), Administrators::KeepOne).await.unwrap();
        assert!(app.store.find_api_token(again).await.unwrap().is_none());
        assert!(app.store.find_api_token(others).await.unwrap().is_some());
    }
}
