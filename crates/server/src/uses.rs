//! Uses of access tokens: exact on reads, written in batches, never on the request's path.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokenry_core::grant::Issued;
use tokenry_protocol::{ids::TokenId, time::Timestamp};
use tokenry_store::{Result, Store, TokenUse};

/// Uses that the store does not know yet.
///
/// `pending` are noted since the last flush, `flushing` are on their way to the store, `written`
/// got there with the last flush. A read looks at all three, so it never sees less than what
/// happened, even if the store gave it a record as it was a moment before the flush.
#[derive(Default)]
pub struct Uses {
    pending: Mutex<HashMap<TokenId, TokenUse>>,
    flushing: Mutex<HashMap<TokenId, TokenUse>>,
    written: Mutex<HashMap<TokenId, TokenUse>>,
    /// One flush at a time, or a later one could be overtaken by an earlier one's failure.
    turn: tokio::sync::Mutex<()>,
}

impl Uses {
    /// Notes a use.
    pub fn note(&self, id: TokenId, used_at: Timestamp, rotation: u32) {
        let newer = TokenUse { id, used_at, rotation };
        merge(&mut lock(&self.pending), newer);
    }

    /// Lays what the store does not know yet over a record that it gave.
    pub fn overlay(&self, id: TokenId, issued: &mut Issued) {
        for uses in [&self.pending, &self.flushing, &self.written] {
            if let Some(known) = lock(uses).get(&id) {
                issued.overlay(known.used_at, known.rotation);
            }
        }
    }

    /// Writes everything noted so far. What cannot be written is kept for the next time.
    pub async fn flush(&self, store: &Arc<dyn Store>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let uses: Vec<TokenUse> = {
            let mut pending = lock(&self.pending);
            let mut flushing = lock(&self.flushing);
            for (_, newer) in pending.drain() {
                merge(&mut flushing, newer);
            }
            flushing.values().copied().collect()
        };
        if !uses.is_empty() {
            store.record_token_uses(uses).await?;
        }
        let mut flushing = lock(&self.flushing);
        *lock(&self.written) = std::mem::take(&mut flushing);
        Ok(())
    }
}

fn merge(uses: &mut HashMap<TokenId, TokenUse>, newer: TokenUse) {
    let known = uses.entry(newer.id).or_insert(newer);
    known.used_at = known.used_at.max(newer.used_at);
    known.rotation = known.rotation.max(newer.rotation);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere cannot leave these maps half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
