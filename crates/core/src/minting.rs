//! What a decision needs to mint a credential of a record that is not a grant.

use tokenry_protocol::{
    secret::{Credential, Kind},
    time::Timestamp,
};

use crate::credentials::{Entropy, TokenKeys};

/// The time, the mint and randomness.
pub struct Minting<'a> {
    /// The time.
    pub now: Timestamp,
    /// The mint.
    pub keys: &'a TokenKeys,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
}

impl Minting<'_> {
    pub(crate) fn mint(&self, kind: Kind, id: u64, rotation: u32) -> Credential {
        self.keys.mint(kind, id, rotation, self.entropy.secret())
    }
}
