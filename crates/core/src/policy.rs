//! Every lifetime and limit that decisions use, named.

use tokenry_protocol::{
    redirect_uri::ClientKind,
    scope::ScopeCatalog,
    time::{Seconds, Timestamp},
};

use crate::client::Client;

/// How long an authorization code lives (RFC 6749 §4.1.2 recommends at most ten minutes).
pub const AUTHORIZATION_CODE_LIFETIME: Seconds = Seconds(120);
/// The wrong verifier that ends a code: it survives one fewer.
pub const WRONG_VERIFIERS_MAX: u8 = 5;

/// What the configuration decides about tokens.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Of an access token when nobody asks for another; `None` is for ever.
    pub access_token_lifetime: Option<Seconds>,
    /// Of a refresh token when nobody asks for another.
    pub refresh_token_lifetime: Seconds,
    /// Caps tokens of the record API, which otherwise do not expire.
    pub created_token_lifetime_max: Option<Seconds>,
    /// No refresh token outlives its consent by more than this.
    pub grant_lifetime_max: Option<Seconds>,
    /// How long a confidential client's previous refresh token gets the same answer.
    pub retry_window_confidential: Seconds,
    /// The same for public clients.
    pub retry_window_public: Seconds,
    /// What becomes of scope names that mean nothing, at the grant endpoints.
    pub unknown_scopes: UnknownScopes,
    /// The names that mean something.
    pub scopes: ScopeCatalog,
    /// What a refresh token that was rotated away is still good for.
    pub rotation: Rotation,
    /// How access tokens of grants are written.
    pub access_token_format: AccessTokenFormat,
    /// What proves a confidential client that redeems a code.
    pub redemption_proof: RedemptionProof,
}

/// What becomes of scope names that mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownScopes {
    /// `invalid_scope`: mistakes show early.
    Refuse,
    /// They are granted, and grant nothing.
    Accept,
}

/// What a refresh token that was rotated away is still good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Lost answers are given again, and a replay ends the grant (RFC 9700 §4.14.2).
    Forgiving,
    /// Nothing: it is refused, and the grant lives on.
    SingleUse,
}

/// How access tokens of grants are written. Either form is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessTokenFormat {
    /// The credential itself.
    Opaque,
    /// A JWT around it (RFC 9068).
    Jwt,
}

/// What proves a confidential client that redeems a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedemptionProof {
    /// Its secret.
    Secret,
    /// Its secret, or the answer to the challenge of its authorization request.
    SecretOrVerifier,
}

impl Policy {
    /// The lifetime of an access token that `asked` for one, else had one before; `None` is for
    /// ever.
    pub fn access_lifetime(
        &self,
        client: &Client,
        asked: Option<Seconds>,
        before: Option<Seconds>,
    ) -> Option<Seconds> {
        let wished = asked.or(before).or(self.access_token_lifetime);
        shorter(wished, client.access_token_lifetime_max)
    }

    /// The lifetime of a refresh token that `asked` for one.
    pub fn refresh_lifetime(&self, client: &Client, asked: Option<Seconds>) -> Seconds {
        let wished = asked.unwrap_or(self.refresh_token_lifetime);
        client.refresh_token_lifetime_max.map_or(wished, |max| wished.min(max))
    }

    /// The window of repeats.
    pub fn retry_window(&self, client: &Client) -> Seconds {
        client.retry_window.unwrap_or(match client.kind() {
            ClientKind::Confidential => self.retry_window_confidential,
            ClientKind::Public => self.retry_window_public,
        })
    }

    /// When a refresh token issued now expires.
    pub fn refresh_expiry(
        &self,
        now: Timestamp,
        lifetime: Seconds,
        granted_at: Timestamp,
    ) -> Timestamp {
        let expiry = now.plus(lifetime);
        self.grant_end(granted_at).map_or(expiry, |end| expiry.min(end))
    }

    /// When a grant ends, however often it is refreshed; `None` is never.
    pub fn grant_end(&self, granted_at: Timestamp) -> Option<Timestamp> {
        self.grant_lifetime_max.map(|max| granted_at.plus(max))
    }
}

/// The shorter of two lifetimes of which `None` is for ever.
pub(crate) fn shorter(one: Option<Seconds>, other: Option<Seconds>) -> Option<Seconds> {
    one.into_iter().chain(other).min()
}
