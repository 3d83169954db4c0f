//! The last refusal of each credential of ours, for `tokenry why`: noted in memory, written in
//! batches, never on the request's path.
//!
//! Refusing is what strangers can make a server do as often as they like. So what they made up
//! leaves nothing, a credential has one entry however often it comes, and there is room for so many
//! between two flushes and no more.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokenry_core::{
    jwt_access_token::named,
    refusal::{Refusal, is_remembered},
};
use tokenry_protocol::secret::{Credential, Kind};
use tokenry_store::{Result, Store};

use crate::{request_context, state::App};

/// The most credentials between two flushes; of further ones nothing is remembered but a count.
const PENDING_MAX: usize = 10_000;

/// Refusals that the store does not know yet.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<(Kind, u64), Refusal>>);

impl Refusals {
    /// Notes a refusal in the place of an earlier one.
    pub fn note(&self, refusal: Refusal) {
        let mut pending = self.lock();
        let is_full = pending.len() >= PENDING_MAX;
        match pending.entry((refusal.kind, refusal.id)) {
            Entry::Occupied(mut known) => drop(known.insert(refusal)),
            Entry::Vacant(_) if is_full => {
                metrics::counter!("tokenry_refusals_forgotten_total").increment(1);
            }
            Entry::Vacant(place) => drop(place.insert(refusal)),
        }
    }

    /// Writes everything noted so far. What cannot be written is kept for the next time.
    pub async fn flush(&self, store: &Arc<dyn Store>) -> Result<()> {
        let taken: Vec<Refusal> = self.lock().drain().map(|(_, refusal)| refusal).collect();
        if taken.is_empty() {
            return Ok(());
        }
        let written = store.record_refusals(taken.clone()).await;
        if written.is_err() {
            let mut pending = self.lock();
            for refusal in taken {
                // What came meanwhile is newer.
                pending.entry((refusal.kind, refusal.id)).or_insert(refusal);
            }
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Kind, u64), Refusal>> {
        // A panic elsewhere cannot leave the map half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Remembers that this request presented a credential and was refused, if we minted it.
    pub fn note_refusal(&self, presented: &Credential, reason: &'static str) {
        if !is_remembered(presented, &self.keys().token) {
            return;
        }
        let parts = presented.parts();
        self.note_refusal_of(parts.kind, parts.id, reason);
    }

    /// The same of a credential that was verified, and does not reach as far as the request.
    pub fn note_refusal_of(&self, kind: Kind, id: u64, reason: &'static str) {
        let (at, place) = (self.now(), request_context::place().into());
        self.refusals.note(Refusal { kind, id, at, reason: reason.into(), place });
    }

    /// The same of text that may be a credential, or a JWT around one.
    pub fn note_refused_text(&self, presented: &str, reason: &'static str) {
        if let Some(presented) = named(presented) {
            self.note_refusal(&presented, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokenry_protocol::time::Timestamp;
    use tokenry_store::sqlite::SqliteStore;

    use super::*;

    fn refusal(id: u64, second: i64) -> Refusal {
        Refusal {
            kind: Kind::AccessToken,
            id,
            at: Timestamp::from_seconds(second),
            reason: "expired".into(),
            place: "GET /".into(),
        }
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_those_that_have_an_entry_keep_it() {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let refusals = Refusals::default();
        for id in 1..=u64::try_from(PENDING_MAX).unwrap() + 5 {
            refusals.note(refusal(id, 1));
        }
        assert_eq!(refusals.lock().len(), PENDING_MAX);
        refusals.note(refusal(1, 2));
        refusals.flush(&store).await.unwrap();
        assert_eq!(refusals.lock().len(), 0);
        assert_eq!(store.list_refusals(1).await.unwrap(), [refusal(1, 2)]);
        let last = u64::try_from(PENDING_MAX).unwrap();
        assert_eq!(store.list_refusals(last).await.unwrap(), [refusal(last, 1)]);
        assert_eq!(store.list_refusals(last + 1).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_kept_behind_what_is_newer() {
        let closed = Arc::new(SqliteStore::in_memory().unwrap());
        let refusals = Refusals::default();
        refusals.note(refusal(1, 1));
        refusals.note(refusal(2, 1));
        closed.close().await;
        let closed: Arc<dyn Store> = closed;
        assert!(refusals.flush(&closed).await.is_err());
        refusals.note(refusal(1, 2));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        refusals.flush(&store).await.unwrap();
        assert_eq!(store.list_refusals(1).await.unwrap(), [refusal(1, 2)]);
        assert_eq!(store.list_refusals(2).await.unwrap(), [refusal(2, 1)]);
    }
}
