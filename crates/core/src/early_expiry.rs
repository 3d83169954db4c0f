//! Ending an access token before its time, while its grant lives on: its client has to refresh.

use tokenry_protocol::{
    ids::TokenId,
    time::{Seconds, Timestamp},
};

use crate::grant::{AccessToken, Token};

/// What a token without expiry is given, so that it has something to be over.
const LIFETIME: Seconds = Seconds(1_800);

/// An access token that is over from now on. Its lifetime stays what it was, because the client's
/// next token lives as long: it is the time of issue that moves back.
#[derive(Debug, Clone)]
pub struct EarlyExpiry {
    id: TokenId,
    rotation: u32,
    access: AccessToken,
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
}

/// Ends the access token of a record. `None` when there is none, or when it is over already.
pub fn expire_access_token(token: &Token, now: Timestamp) -> Option<EarlyExpiry> {
    let issued = token.issued().filter(|issued| !issued.access.is_expired(now))?;
    let lifetime = issued.access.lifetime.unwrap_or(LIFETIME);
    let issued_at = now.minus(lifetime);
    let access = AccessToken { hash: issued.access.hash, issued_at, lifetime: Some(lifetime) };
    Some(EarlyExpiry { id: token.id, rotation: issued.rotation, access })
}
