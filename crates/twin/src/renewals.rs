//! How each pair of tokens can be refreshed by somebody else than its client: what a double has
//! seen go by, so that it can rotate a token behind a client's back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tokenry_protocol::ids::TokenId;

use crate::account::Account;

/// More pairs than a test has. Of more, the oldest grants are forgotten.
const KEPT: usize = 10_000;

/// What a refresh of one pair takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renewal {
    /// The client's identifier.
    pub(crate) client_id: String,
    /// Of a confidential client.
    pub(crate) client_secret: Option<String>,
    /// The newest one that was given.
    pub(crate) refresh_token: String,
}

/// What is known of all pairs.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<BTreeMap<TokenId, Renewal>>);

impl Renewals {
    /// Those that an account starts with.
    pub(crate) fn of(account: &Account) -> Self {
        let pairs = account.tokens.iter().filter_map(|token| {
            let refresh_token = token.refresh_token.clone()?;
            let client = account.client(token.client_id)?;
            let (client_id, client_secret) = (client.identifier.clone(), client.secret.clone());
            Some((token.id, Renewal { client_id, client_secret, refresh_token }))
        });
        Self(Mutex::new(pairs.collect()))
    }

    /// Keeps what the newest answer gave.
    pub(crate) fn keep(&self, id: TokenId, renewal: Renewal) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id, renewal);
        while kept.len() > KEPT {
            kept.pop_first();
        }
    }

    /// How a pair can be refreshed now.
    pub(crate) fn find(&self, id: TokenId) -> Option<Renewal> {
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

    fn renewal(refresh_token: &str) -> Renewal {
        Renewal {
            client_id: "acme".to_owned(),
            client_secret: None,
            refresh_token: refresh_token.to_owned(),
        }
    }

    #[test]
    fn the_newest_answer_counts_and_the_oldest_grants_are_forgotten() {
        let renewals = Renewals::default();
        for id in 1..=KEPT as u64 + 2 {
            renewals.keep(TokenId::new(id).unwrap(), renewal("first"));
        }
        let newest = TokenId::new(KEPT as u64 + 2).unwrap();
        renewals.keep(newest, renewal("second"));
        assert_eq!(renewals.find(newest), Some(renewal("second")));
        assert_eq!(renewals.find(TokenId::new(2).unwrap()), None);
        assert_eq!(renewals.find(TokenId::new(3).unwrap()), Some(renewal("first")));
        assert_eq!(renewals.copy().find(newest), Some(renewal("second")));
    }
}
