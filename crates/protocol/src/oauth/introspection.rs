//! Introspection answer (RFC 7662 §2.2).

use serde::{Deserialize, Serialize};

/// What is known of a live token, or `{"active":false}` and not a word more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntrospectionResponse {
    /// Alive, and the asker may know.
    Active(ActiveToken),
    /// Unknown, expired, revoked, of the wrong kind, or not the asker's.
    Inactive {
        /// Always `false`.
        active: bool,
    },
}

impl IntrospectionResponse {
    /// The one answer for everything that is not a live token of the asker's.
    pub const INACTIVE: Self = Self::Inactive { active: false };
}

/// What is known of a live token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveToken {
    /// Always `true`.
    pub active: bool,
    /// What it may do.
    pub scope: String,
    /// The client's identifier.
    pub client_id: String,
    /// The user's address.
    pub username: String,
    /// The user's id, as text.
    pub sub: String,
    /// `bearer`; absent for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_type: Option<String>,
    /// When it expires, in seconds since the epoch; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// When this token, not its record, was issued, in seconds since the epoch.
    pub iat: i64,
    /// The issuer.
    pub iss: String,
    /// The record's id, as text.
    pub jti: String,
}
