//! Tokens that are over before their time, while their record stays: a client has to refresh, or
//! to ask its user again.

use tokenry_protocol::{
    ids::TokenId,
    time::{Seconds, Timestamp},
};

use crate::grant::{AccessToken, Issued, Token};

/// What a token without expiry is given, so that it has something to be over. No other token lives
/// no time at all, so a refresh knows that the next one has no expiry either.
pub(crate) const ENDED_EARLY: Seconds = Seconds(0);

/// A pair of which the access token is over from now on, or both are. Lifetimes stay what they
/// were, because the client's next token lives as long: it is the time of issue that moves back.
#[derive(Debug, Clone)]
pub struct EarlyExpiry {
    id: TokenId,
    rotation: u32,
    access: AccessToken,
    refresh_expires_at: Option<Timestamp>,
}

impl EarlyExpiry {
    /// The record.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// The rotation that the write must still find.
    pub const fn rotation(&self) -> u32 {
        self.rotation
    }

    /// The access token as the record holds it from now on.
    pub const fn access(&self) -> &AccessToken {
        &self.access
    }

    /// When the refresh token expires from now on, where there is one.
    pub const fn refresh_expires_at(&self) -> Option<Timestamp> {
        self.refresh_expires_at
    }
}

/// Ends the access token of a record. `None` when there is none, or when it is over already.
pub fn expire_access_token(token: &Token, now: Timestamp) -> Option<EarlyExpiry> {
    let issued = token.issued().filter(|issued| !issued.access.is_expired(now))?;
    Some(EarlyExpiry {
        id: token.id,
        rotation: issued.rotation,
        access: ended(issued, now),
        refresh_expires_at: issued.refresh.as_ref().map(|refresh| refresh.expires_at),
    })
}

/// Ends both tokens of a record. `None` when there are none, or when they are over already.
pub fn expire_pair(token: &Token, now: Timestamp) -> Option<EarlyExpiry> {
    let issued = token.issued().filter(|issued| !issued.is_expired(now))?;
    let access = if issued.access.is_expired(now) { issued.access } else { ended(issued, now) };
    let refresh_expires_at = issued.refresh.as_ref().map(|refresh| refresh.expires_at.min(now));
    Some(EarlyExpiry { id: token.id, rotation: issued.rotation, access, refresh_expires_at })
}

fn ended(issued: &Issued, now: Timestamp) -> AccessToken {
    let lifetime = issued.access.lifetime.unwrap_or(ENDED_EARLY);
    let issued_at = now.minus(lifetime);
    AccessToken { hash: issued.access.hash, issued_at, lifetime: Some(lifetime) }
}
