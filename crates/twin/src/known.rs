//! What is known in the clear of a world's account, where the database has hashes: who and what was
//! planted, with the newest tokens of each record, and the newest refresh token of each pair that
//! was given or seen to go by, so that a token can be rotated behind its client's back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokenry_protocol::{ids::TokenId, time::Timestamp};

use crate::account::Account;

/// More pairs than a test has. Of more, the oldest grants are forgotten.
const KEPT: usize = 10_000;

/// The tokens that a record was given last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Which record.
    pub(crate) id: TokenId,
    /// As its client has it.
    pub(crate) access_token: String,
    /// Likewise.
    pub(crate) refresh_token: String,
}

/// When both tokens of a pair end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ends {
    /// `None`: never.
    pub(crate) access: Option<Timestamp>,
    /// `None` of a record without one.
    pub(crate) refresh: Option<Timestamp>,
}

/// What is known of an account.
#[derive(Default)]
pub(crate) struct Known(Mutex<Inner>);

#[derive(Clone, Default)]
struct Inner {
    account: Account,
    renewals: BTreeMap<TokenId, String>,
    /// How often the account has become another.
    changes: u64,
}

impl Known {
    /// An account, and what refreshes its pairs.
    pub(crate) fn of(account: Account) -> Self {
        let pairs = account.tokens.iter();
        let pairs = pairs.filter_map(|token| Some((token.id, token.refresh_token.clone()?)));
        let renewals = pairs.collect();
        Self(Mutex::new(Inner { account, renewals, changes: 0 }))
    }

    /// The account, of each record with the tokens that it was given last.
    pub(crate) fn account(&self) -> Account {
        self.lock().account.clone()
    }

    /// The same, with a number that is higher after each change.
    pub(crate) fn numbered_account(&self) -> (u64, Account) {
        let inner = self.lock();
        (inner.changes, inner.account.clone())
    }

    /// How often the account has become another.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Whether a record is one of the account's.
    pub(crate) fn has(&self, id: TokenId) -> bool {
        self.lock().account.tokens.iter().any(|token| token.id == id)
    }

    /// Keeps what refreshes a pair.
    pub(crate) fn keep(&self, id: TokenId, refresh_token: String) {
        let renewals = &mut self.lock().renewals;
        renewals.insert(id, refresh_token);
        while renewals.len() > KEPT {
            renewals.pop_first();
        }
    }

    /// Keeps the newest tokens of a record that is one of the account's.
    pub(crate) fn renew(&self, pair: Pair, ends: Ends) {
        let mut inner = self.lock();
        let Inner { account, changes, .. } = &mut *inner;
        if let Some(token) = account.tokens.iter_mut().find(|token| token.id == pair.id) {
            token.access_token = pair.access_token;
            token.expires_at = ends.access;
            token.refresh_token = Some(pair.refresh_token);
            token.refresh_token_expires_at = ends.refresh;
            *changes += 1;
        }
    }

    /// What refreshes a pair now.
    pub(crate) fn find(&self, id: TokenId) -> Option<String> {
        self.lock().renewals.get(&id).cloned()
    }

    /// All of it, for a snapshot.
    pub(crate) fn copy(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_answer_counts_and_the_oldest_grants_are_forgotten() {
        let known = Known::default();
        for id in 1..=KEPT as u64 + 2 {
            known.keep(TokenId::new(id).unwrap(), "first".to_owned());
        }
        let newest = TokenId::new(KEPT as u64 + 2).unwrap();
        known.keep(newest, "second".to_owned());
        assert_eq!(known.find(newest), Some("second".to_owned()));
        assert_eq!(known.find(TokenId::new(2).unwrap()), None);
        assert_eq!(known.find(TokenId::new(3).unwrap()), Some("first".to_owned()));
        assert_eq!(known.copy().find(newest), Some("second".to_owned()));
    }
}
