//! A browser's sign-in session.

use tokenry_protocol::{
    ids::{SignInSessionId, UserId},
    secret::{Credential, SecretHash},
    time::Timestamp,
};

use crate::user::User;

/// A session at rest.
#[derive(Debug, Clone)]
pub struct SignInSession {
    /// The id.
    pub id: SignInSessionId,
    /// Of the cookie.
    pub hash: SecretHash,
    /// Who signed in.
    pub user_id: UserId,
    /// The user's password epoch then: a changed password ends the session at once.
    pub password_epoch: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl SignInSession {
    /// Whether `cookie` is this session's and still speaks for `user`.
    pub fn accepts(&self, cookie: &Credential, user: &User, now: Timestamp) -> bool {
        self.hash.matches(&cookie.hash())
            && self.expires_at > now
            && self.user_id == user.id
            && self.password_epoch == user.password_epoch
            && !user.suspended
    }
}
