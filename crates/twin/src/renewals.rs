//! The newest refresh token of each pair that a double has given or seen go by, so that it can
//! rotate a token behind its client's back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tokenry_protocol::ids::TokenId;

use crate::account::Account;

/// More pairs than a test has. Of more, the oldest grants are forgotten.
const KEPT: usize = 10_000;

/// The newest refresh token of each pair.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<BTreeMap<TokenId, String>>);

impl Renewals {
    /// Those that an account starts with.
    pub(crate) fn of(account: &Account) -> Self {
        let tokens = account.tokens.iter();
        let pairs = tokens.filter_map(|token| Some((token.id, token.refresh_token.clone()?)));
        Self(Mutex::new(pairs.collect()))
    }

    /// Keeps what the newest answer gave.
    pub(crate) fn keep(&self, id: TokenId, refresh_token: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id, refresh_token);
        while kept.len() > KEPT {
            kept.pop_first();
        }
    }

    /// What refreshes a pair now.
    pub(crate) fn find(&self, id: TokenId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All of it, for a snapshot.
    pub(crate) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_answer_counts_and_the_oldest_grants_are_forgotten() {
        let renewals = Renewals::default();
        for id in 1..=KEPT as u64 + 2 {
            renewals.keep(TokenId::new(id).unwrap(), "first".to_owned());
        }
        let newest = TokenId::new(KEPT as u64 + 2).unwrap();
        renewals.keep(newest, "second".to_owned());
        assert_eq!(renewals.find(newest), Some("second".to_owned()));
        assert_eq!(renewals.find(TokenId::new(2).unwrap()), None);
        assert_eq!(renewals.find(TokenId::new(3).unwrap()), Some("first".to_owned()));
        assert_eq!(renewals.copy().find(newest), Some("second".to_owned()));
    }
}
