//! A registered client and what it may do.

use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier, UserId},
    oauth::token::GrantType,
    redirect_uri::{ClientKind, RedirectUri},
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

/// A registered client (RFC 6749 §2).
#[derive(Debug, Clone)]
pub struct Client {
    /// The resource id.
    pub id: ClientId,
    /// The text name in the grant endpoints.
    pub identifier: ClientIdentifier,
    /// What users see.
    pub name: String,
    /// Who answers for it; client-credentials tokens act as this user.
    pub user_id: UserId,
    /// Public or confidential, with the secret that only the latter has.
    pub authentication: ClientSecret,
    /// Where users may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// The organisation behind it.
    pub company: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// An image that the consent page shows.
    pub logo_url: Option<String>,
    /// The most it may ask for; `None` is no ceiling.
    pub allowed_scope: Option<Scope>,
    /// Whether it works at the moment.
    pub status: ClientStatus,
    /// Whether introspection shows it every token.
    pub role: ClientRole,
    /// The grant types it may use; `None` is all that its kind may.
    pub grant_types: Option<Vec<GrantType>>,
    /// Lowers the lifetime of its access tokens.
    pub access_token_lifetime_max: Option<Seconds>,
    /// Lowers the lifetime of its refresh tokens.
    pub refresh_token_lifetime_max: Option<Seconds>,
    /// How long the previous refresh token gets the same answer; `None` is the policy's window.
    pub retry_window: Option<Seconds>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a client proves itself.
#[derive(Debug, Clone, Copy)]
pub enum ClientSecret {
    /// Not at all: whoever knows the identifier can name it.
    Public,
    /// By a secret of ours.
    Confidential {
        /// Of the secret that is valid now.
        hash: SecretHash,
        /// How many secrets it has had before this one.
        generation: u32,
    },
}

/// Whether a client works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStatus {
    /// It does.
    Enabled,
    /// An administrator stopped it; its tokens are refused until it is enabled again.
    Disabled,
}

/// What a client is to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRole {
    /// It asks for tokens.
    Ordinary,
    /// It is also asked with tokens, and so may introspect every one of them.
    ResourceServer,
}

impl Client {
    /// Public or confidential.
    pub const fn kind(&self) -> ClientKind {
        match self.authentication {
            ClientSecret::Public => ClientKind::Public,
            ClientSecret::Confidential { .. } => ClientKind::Confidential,
        }
    }

    /// Whether it may use this grant type.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        let fits_kind = match self.kind() {
            ClientKind::Confidential => true,
            // RFC 6749 §4.4: confidential clients only.
            ClientKind::Public => grant_type != GrantType::ClientCredentials,
        };
        fits_kind && self.grant_types.as_ref().is_none_or(|allowed| allowed.contains(&grant_type))
    }
}
