//! The account of a double: what it started with, with every credential in full.
//!
//! A double guards nothing: whoever can reach it may know all of this, so it is shown, printed and
//! serialised as it is.

use serde::{Deserialize, Serialize};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, TokenId, UserId},
    redirect_uri::ClientKind,
    time::Timestamp,
};

/// What is in the account, in the order of its seed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Who is there.
    pub users: Vec<AccountUser>,
    /// Which programs.
    pub clients: Vec<AccountClient>,
    /// Passwords of programs.
    pub api_tokens: Vec<AccountApiToken>,
    /// What clients were given.
    pub tokens: Vec<AccountToken>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountUser {
    /// The id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// What others see.
    pub name: String,
    /// `admin`, `agent` or `end-user`.
    pub role: String,
    /// `None` for users who do not sign in by password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
    /// Whether they are refused everywhere.
    pub suspended: bool,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountClient {
    /// The resource id.
    pub id: ClientId,
    /// The `client_id` of the grant endpoints.
    pub identifier: String,
    /// What users see.
    pub name: String,
    /// Whether it has a secret.
    pub kind: ClientKind,
    /// The secret of a confidential client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
    /// Where users may be sent back to.
    pub redirect_uri: Vec<String>,
    /// Who answers for it.
    pub user_id: UserId,
    /// Whether it is stopped.
    pub disabled: bool,
    /// Whether it is everybody's, and none of the account's own.
    #[serde(default)]
    pub global: bool,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountApiToken {
    /// The id.
    pub id: ApiTokenId,
    /// In full.
    pub token: String,
    /// What it is for.
    pub description: String,
    /// Who made it.
    pub user_id: UserId,
    /// Whom alone it works for; `None` where the seed binds it to nobody.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assigned_user_id: Option<UserId>,
    /// Whether it works.
    pub active: bool,
}

/// A token record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountToken {
    /// The id.
    pub id: TokenId,
    /// Whose token it is.
    pub client_id: ClientId,
    /// For whom.
    pub user_id: UserId,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The access token in full.
    pub access_token: String,
    /// `None`: the access token does not expire.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    /// The refresh token in full, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token: Option<String>,
    /// When the refresh token expires.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token_expires_at: Option<Timestamp>,
}

impl Account {
    /// The user of this id.
    pub fn user(&self, id: UserId) -> Option<&AccountUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The client of this id.
    pub fn client(&self, id: ClientId) -> Option<&AccountClient> {
        self.clients.iter().find(|client| client.id == id)
    }
}
