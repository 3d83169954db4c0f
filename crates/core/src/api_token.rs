//! An API token: the password of `email/token` in Basic authentication.

use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::SecretHash,
    time::Timestamp,
};

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
    /// Whom it works for, and nobody else.
    pub assigned_user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last authenticated a call.
    pub last_used: Option<Timestamp>,
}

/// Whether an API token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenStatus {
    /// It does.
    Active,
    /// An administrator switched it off.
    Inactive,
}
