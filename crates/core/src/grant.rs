//! A grant: one record from code to grave.
//!
//! ```text
//!            redeem                      rotate ↺ (same record, same id)
//! Consented ───────▶ Issued ──────────────────────────▶ Issued
//!  rotation 0   │      │ revoke · replay · client or user gone
//!      │ 120 s  │      ▼
//!      ▼        └────▶ gone (an event keeps the reason)
//! ```
//!
//! Tokens of client credentials and of the record API's create call start as `Issued`, with
//! rotation 1.

use tokenry_protocol::{
    ids::{ClientId, TokenId, UserId},
    pkce::CodeChallenge,
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

use crate::{
    client::{Client, ClientStatus},
    user::User,
};

/// A token record.
#[derive(Debug, Clone)]
pub struct Token {
    /// The record's and the grant's id.
    pub id: TokenId,
    /// Whose tokens they are.
    pub client_id: ClientId,
    /// Whom they act for.
    pub user_id: UserId,
    /// How it came to be.
    pub origin: Origin,
    /// When it was consented to or created; a refresh does not change it.
    pub created_at: Timestamp,
    /// What was approved; an access token may carry less.
    pub granted: Scope,
    /// Where it stands.
    pub stage: Stage,
}

/// How a record came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A user consented.
    Consent,
    /// A client asked for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// An administrator made it through the record API.
    Created,
}

/// Where a record stands.
#[derive(Debug, Clone)]
pub enum Stage {
    /// The code is out; no list shows the record yet.
    Consented(Consented),
    /// The tokens are out.
    Issued(Issued),
}

/// What a code is bound to until it is redeemed (RFC 6749 §4.1.3).
#[derive(Debug, Clone)]
pub struct Consented {
    /// Of the code.
    pub code_hash: SecretHash,
    /// When the code is over.
    pub expires_at: Timestamp,
    /// Where the code was sent, and whether the request had named it.
    pub redirect_uri: SentTo,
    /// What the verifier must answer.
    pub challenge: Option<CodeChallenge>,
    /// How many wrong verifiers came.
    pub wrong_verifiers: u8,
}

/// Where a code was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentTo {
    /// The request named the address, so redeeming must name it too.
    Named(String),
    /// It was the client's only one, so redeeming need not name it.
    Only(String),
}

impl SentTo {
    /// The address itself.
    pub fn address(&self) -> &str {
        match self {
            Self::Named(address) | Self::Only(address) => address,
        }
    }
}

/// The tokens that are out.
#[derive(Debug, Clone)]
pub struct Issued {
    /// How many times the record has been given tokens: 1 at first.
    pub rotation: u32,
    /// What the access token may do.
    pub scope: Scope,
    /// The access token.
    pub access: AccessToken,
    /// The refresh token, where there is one.
    pub refresh: Option<RefreshToken>,
    /// When an access token of the record was last used.
    pub used_at: Option<Timestamp>,
    /// The rotation of the last access token that was used; 0 before the first use.
    pub used_rotation: u32,
}

/// An access token at rest.
#[derive(Debug, Clone, Copy)]
pub struct AccessToken {
    /// Of the token.
    pub hash: SecretHash,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// How long it lives from then; `None` is for ever.
    pub lifetime: Option<Seconds>,
}

/// A refresh token at rest.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Of the token.
    pub hash: SecretHash,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The lifetime it was issued with.
    pub lifetime: Seconds,
    /// What its predecessor would need to be answered again.
    pub previous: Option<Previous>,
}

/// The refresh token before the present one.
#[derive(Debug, Clone, Copy)]
pub struct Previous {
    /// Of the token.
    pub hash: SecretHash,
    /// When it was rotated away, or its answer was last renewed.
    pub rotated_at: Timestamp,
    /// From which, with its secret, the present pair was derived.
    pub salt: [u8; 16],
    /// The key of that derivation.
    pub key_number: u8,
}

impl AccessToken {
    /// When it expires; `None` is never.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.lifetime.map(|lifetime| self.issued_at.plus(lifetime))
    }

    /// Whether what has this hash is the token, and it is not over.
    pub fn accepts(&self, hash: &SecretHash, now: Timestamp) -> bool {
        self.hash.matches(hash) && !self.is_expired(now)
    }

    /// Whether it is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|expiry| expiry <= now)
    }
}

impl RefreshToken {
    /// Whether what has this hash is the token, and it is not over.
    pub fn accepts(&self, hash: &SecretHash, now: Timestamp) -> bool {
        self.hash.matches(hash) && !self.is_expired(now)
    }

    /// Whether it is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

/// A token is no more alive than its client and its user.
pub fn in_good_standing(client: &Client, user: &User) -> bool {
    client.status == ClientStatus::Enabled && !user.suspended
}

impl Token {
    /// The tokens, once there are some.
    pub const fn issued(&self) -> Option<&Issued> {
        match &self.stage {
            Stage::Issued(issued) => Some(issued),
            Stage::Consented(_) => None,
        }
    }
}

impl Issued {
    /// Whether neither token works any more.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let refresh_over = self.refresh.as_ref().is_none_or(|refresh| refresh.is_expired(now));
        self.access.is_expired(now) && refresh_over
    }

    /// Takes note of a use that has not reached the store yet.
    pub fn overlay(&mut self, used_at: Timestamp, used_rotation: u32) {
        self.used_at = self.used_at.max(Some(used_at));
        self.used_rotation = self.used_rotation.max(used_rotation);
    }
}
