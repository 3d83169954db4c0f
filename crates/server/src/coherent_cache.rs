//! A bounded cache that never keeps what was evicted while it was being read.
//!
//! A fill takes a ticket for its key before it reads the store. If the key was evicted between that
//! and the admission, the value may be older than the eviction, and is not kept. Without this a
//! record that is revoked between a reader's look and its insertion would live on in the cache.
//!
//! Tickets of a few keys share a count. Looking into the cache takes none of this.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::sync::Cache;

use crate::freshness::Freshness;

/// So many keys of a full cache share a count of evictions: of a hundred that are filled or changed
/// at the same time hardly two do.
const KEYS_PER_COUNT: usize = 8;
/// The most counts of a cache.
const COUNTS_MAX: usize = 16_384;

/// A cache of shared values.
pub struct CoherentCache<K, V> {
    cache: Cache<K, Arc<V>>,
    /// Of evictions, by key. Whoever puts something into the cache or takes it out holds its
    /// count, so nobody sees a value that was evicted before it was put there.
    counts: Box<[Mutex<u64>]>,
    by_key: RandomState,
    /// Grows with each eviction, of whatever key.
    changes: AtomicU64,
    freshness: Arc<Freshness>,
}

/// Proof of having asked before reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// How much of a cache has changed: as long as this stays the same, what was found is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes(u64);

impl<K: Hash + Eq + Clone, V> CoherentCache<K, V> {
    /// Holds at most about `capacity` values, and gives them as long as they are vouched for.
    pub fn new(capacity: usize, freshness: Arc<Freshness>) -> Self {
        let counts = (capacity / KEYS_PER_COUNT).clamp(1, COUNTS_MAX);
        Self {
            cache: Cache::new(capacity),
            counts: (0..counts).map(|_| Mutex::new(0)).collect(),
            by_key: RandomState::new(),
            changes: AtomicU64::new(0),
            freshness,
        }
    }

    /// What is there; nothing while nobody knows whether others have changed it.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        if self.freshness.holds() { self.cache.get(key) } else { None }
    }

    /// To be taken before something is found that is to be kept elsewhere.
    pub fn changes(&self) -> Changes {
        Changes(self.changes.load(Ordering::SeqCst))
    }

    /// To be taken before the store is read.
    pub fn ticket(&self, key: &K) -> Ticket {
        Ticket(self.count(key).map_or(0, |count| *count))
    }

    /// Keeps what was read under the ticket, unless the key was evicted since.
    pub fn admit(&self, ticket: Ticket, key: &K, value: &Arc<V>) {
        if let Some(count) = self.count(key).filter(|count| **count == ticket.0) {
            self.cache.insert(key.clone(), Arc::clone(value));
            drop(count);
        }
    }

    /// Puts what a write has left in the place of what it ended. If the key was evicted since the
    /// ticket, which was taken before the write, there may be later writes: then it is evicted.
    pub fn replace(&self, ticket: Ticket, key: &K, value: Arc<V>) {
        self.change(key, |cache, count| {
            if count == ticket.0 {
                cache.insert(key.clone(), value);
            } else {
                cache.remove(key);
            }
        });
    }

    /// Forgets a value. What is being read at this moment will not be kept.
    pub fn evict(&self, key: &K) {
        self.change(key, |cache, _| drop(cache.remove(key)));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut held: Vec<_> = self.counts.iter().map(lock).collect();
        for count in &mut held {
            **count += 1;
        }
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.cache.clear();
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends the tickets of a key. The changes are counted before and once more behind: who keeps a
    /// value as long as nothing changes may have got both in between.
    fn change(&self, key: &K, make: impl FnOnce(&Cache<K, Arc<V>>, u64)) {
        let Some(mut count) = self.count(key) else { return };
        let before = *count;
        *count += 1;
        self.changes.fetch_add(1, Ordering::SeqCst);
        make(&self.cache, before);
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The count that belongs to a key. There always is one.
    fn count(&self, key: &K) -> Option<MutexGuard<'_, u64>> {
        let count = u64::try_from(self.counts.len()).unwrap_or(u64::MAX);
        let at = self.by_key.hash_one(key).checked_rem(count)?;
        self.counts.get(usize::try_from(at).ok()?).map(lock)
    }
}

fn lock(count: &Mutex<u64>) -> MutexGuard<'_, u64> {
    // A panic elsewhere cannot leave a number half-changed.
    count.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    fn cache<K: Hash + Eq + Clone, V>(capacity: usize) -> CoherentCache<K, V> {
        CoherentCache::new(capacity, Arc::new(Freshness::unbounded()))
    }

    #[test]
    fn what_was_evicted_while_it_was_read_is_not_kept() {
        let cache: CoherentCache<u64, &str> = cache(1_000);
        for forget in [CoherentCache::evict, |cache: &CoherentCache<_, _>, _: &u64| cache.clear()] {
            let ticket = cache.ticket(&1);
            forget(&cache, &1);
            cache.admit(ticket, &1, &Arc::new("dead"));
            assert!(cache.get(&1).is_none());
        }
    }

    #[test]
    fn another_keys_eviction_is_nothing_to_a_fill() {
        let cache: CoherentCache<u64, u64> = cache(10_000);
        let tickets: Vec<_> = (0..1_000).map(|key| (key, cache.ticket(&key))).collect();
        cache.evict(&5_000);
        for (key, ticket) in tickets {
            cache.admit(ticket, &key, &Arc::new(key));
        }
        let kept = (0..1_000).filter(|key| cache.get(key).is_some()).count();
        // Some share the evicted key's count: one in a thousand, if chance is fair.
        assert!(kept >= 980, "{kept}");
    }

    #[test]
    fn what_a_write_left_takes_the_place_of_what_it_ended() {
        let cache: CoherentCache<u64, &str> = cache(1_000);
        cache.admit(cache.ticket(&1), &1, &Arc::new("old"));
        let (before, being_read) = (cache.changes(), cache.ticket(&1));
        cache.replace(cache.ticket(&1), &1, Arc::new("new"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"new"));
        assert_ne!(cache.changes(), before);
        cache.admit(being_read, &1, &Arc::new("old"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"new"));
    }

    #[test]
    fn what_was_evicted_during_a_write_is_gone_after_it() {
        let cache: CoherentCache<u64, &str> = cache(1_000);
        let ticket = cache.ticket(&1);
        cache.evict(&1);
        cache.replace(ticket, &1, Arc::new("dead"));
        assert!(cache.get(&1).is_none());
    }

    #[test]
    fn what_was_read_undisturbed_is_kept_until_it_is_evicted() {
        let cache: CoherentCache<u64, &str> = cache(1_000);
        cache.admit(cache.ticket(&1), &1, &Arc::new("alive"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"alive"));
        cache.evict(&1);
        assert!(cache.get(&1).is_none());
    }

    #[test]
    fn what_is_found_in_the_middle_of_an_eviction_is_not_current_after_it() {
        /// Looks at the changes when it is dropped, which is when the cache lets go of it.
        struct Dropped(Arc<OnceLock<CoherentCache<u64, Self>>>, Arc<Mutex<Option<Changes>>>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                *self.1.lock().unwrap() = self.0.get().map(CoherentCache::changes);
            }
        }
        let (shared, seen) = (Arc::new(OnceLock::new()), Arc::default());
        let cache = shared.get_or_init(|| cache(1_000));
        let value = Dropped(Arc::clone(&shared), Arc::clone(&seen));
        cache.admit(cache.ticket(&1), &1, &Arc::new(value));
        let before = cache.changes();
        cache.evict(&1);
        let middle = seen.lock().unwrap().take().unwrap();
        assert_ne!(middle, before);
        assert_ne!(middle, cache.changes());
    }

    #[test]
    fn nothing_is_given_while_nobody_vouches_for_it_and_all_is_there_afterwards() {
        let freshness = Arc::new(Freshness::within(std::time::Duration::from_secs(3_600)));
        let cache: CoherentCache<u64, &str> = CoherentCache::new(1_000, Arc::clone(&freshness));
        cache.admit(cache.ticket(&1), &1, &Arc::new("alive"));
        assert!(cache.get(&1).is_none());
        freshness.confirm(std::time::Instant::now());
        assert_eq!(cache.get(&1).as_deref(), Some(&"alive"));
    }

    #[test]
    fn the_cache_stays_within_its_capacity() {
        let cache: CoherentCache<u64, u64> = cache(1_000);
        for key in 0..10_000 {
            cache.admit(cache.ticket(&key), &key, &Arc::new(key));
        }
        let held = (0..10_000).filter(|key| cache.get(key).is_some()).count();
        assert!(held <= 1_100, "{held}");
    }
}
