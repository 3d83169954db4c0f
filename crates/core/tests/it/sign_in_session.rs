//! A browser's sign-in session ends with its time, its user and its user's password.

use tokenry_core::{sign_in_session::SignInSession, user::User};
use tokenry_protocol::{
    ids::{SignInSessionId, UserId},
    secret::{Credential, Kind},
    time::{Seconds, Timestamp},
};

use crate::support::{NOON, World, user};

fn session() -> (SignInSession, Credential) {
    let cookie = World::confidential().keys.mint(Kind::SignInSession, 5, 0, [1; 16]);
    let session = SignInSession {
        id: SignInSessionId::new(5).unwrap(),
        hash: cookie.hash(),
        user_id: user().id,
        password_epoch: 0,
        created_at: NOON,
        expires_at: NOON.plus(Seconds(60)),
    };
    (session, cookie)
}

#[test]
fn a_session_speaks_for_its_user_until_something_ends_it() {
    let (session, cookie) = session();
    let accepts = |user: &User, now: Timestamp| session.accepts(&cookie, user, now);
    assert!(accepts(&user(), NOON));
    assert!(accepts(&user(), Timestamp::from_millis(NOON.as_millis() + 59_999)));
    assert!(!accepts(&user(), NOON.plus(Seconds(60))), "expired");
    let changed = User { password_epoch: 1, ..user() };
    assert!(!accepts(&changed, NOON), "the password was changed");
    let suspended = User { suspended: true, ..user() };
    assert!(!accepts(&suspended, NOON), "suspended");
    let other = User { id: UserId::new(30).unwrap(), ..user() };
    assert!(!accepts(&other, NOON), "another user");
}

#[test]
fn a_cookie_that_only_names_a_session_is_not_it() {
    let (session, _) = session();
    let keys = World::confidential().keys;
    let forged = keys.mint(Kind::SignInSession, 5, 0, [2; 16]);
    assert!(!session.accepts(&forged, &user(), NOON));
}
