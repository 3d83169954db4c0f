//! An API token: the password of `email/token` in Basic authentication.

use std::ops::Deref;

use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::SecretHash,
    time::Timestamp,
};

use crate::user::{User, fold_email};

/// An API token at rest.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The id.
    pub id: ApiTokenId,
    /// Of the token.
    pub hash: SecretHash,
    /// What it is for, in its maker's words; may be empty.
    pub description: String,
    /// Whether it works.
    pub status: ApiTokenStatus,
    /// Who made it.
    pub user_id: UserId,
    /// Whom it works for, and nobody else. `None`: it is bound to nobody.
    pub assigned_user_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last authenticated a call.
    pub last_used: Option<Timestamp>,
}

impl ApiToken {
    /// Whether it is among a user's credentials: bound to them, or made by them and bound to
    /// nobody.
    pub fn is_of(&self, user: UserId) -> bool {
        self.assigned_user_id.unwrap_or(self.user_id) == user
    }
}

/// Whether an API token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenStatus {
    /// It does.
    Active,
    /// An administrator switched it off.
    Inactive,
}

/// What becomes of API tokens that are bound to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnboundApiTokens {
    /// They are refused, and none is made.
    Refused,
    /// They work for every verified user, and that is what a new one does unless it is bound.
    AccountWide,
}

/// Whose call it is, of a token whose secret is right: that of the user whom it is bound to or, if
/// it is bound to nobody, of whoever has the address. Otherwise why it is nobody's.
///
/// `user` is the one whom the token is bound to, else the one who has the address.
pub fn user_of<U: Deref<Target = User>>(
    token: &ApiToken,
    user: Option<U>,
    folded_email: &str,
    unbound: UnboundApiTokens,
) -> Result<U, &'static str> {
    if token.status != ApiTokenStatus::Active {
        return Err("switched off");
    }
    let is_bound = token.assigned_user_id.is_some();
    if !is_bound && unbound == UnboundApiTokens::Refused {
        return Err("bound to nobody");
    }
    let user = user.ok_or(if is_bound { "user deleted" } else { "other address" })?;
    if user.suspended {
        return Err("user suspended");
    }
    // An address that nobody has shown to be theirs picks no account out of all.
    if !is_bound && !user.verified {
        return Err("user not verified");
    }
    let is_theirs = token.assigned_user_id.is_none_or(|id| id == user.id);
    if is_theirs && fold_email(&user.email) == folded_email {
        Ok(user)
    } else {
        Err("other address")
    }
}
