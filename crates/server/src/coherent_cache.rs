//! A bounded cache that never keeps what was evicted while it was being read.
//!
//! A fill takes a ticket before it reads the store. If anything was evicted between that and the
//! admission, the value may be older than the eviction, and is not kept. Without this a record that
//! is revoked between a reader's look and its insertion would live on in the cache.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::{Equivalent, sync::Cache};

/// A cache of shared values.
pub struct CoherentCache<K, V> {
    cache: Cache<K, Arc<V>>,
    evictions: AtomicU64,
}

/// Proof of having asked before reading.
#[derive(Clone, Copy)]
pub struct Ticket(u64);

impl<K: Hash + Eq + Clone, V> CoherentCache<K, V> {
    /// Holds at most about `capacity` values.
    pub fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity), evictions: AtomicU64::new(0) }
    }

    /// What is there.
    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<Arc<V>> {
        self.cache.get(key)
    }

    /// To be taken before the store is read.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.evictions.load(Ordering::SeqCst))
    }

    /// Keeps what was read under the ticket, unless something was evicted since.
    pub fn admit(&self, ticket: Ticket, key: &K, value: &Arc<V>) {
        if self.ticket().0 != ticket.0 {
            return;
        }
        self.cache.insert(key.clone(), Arc::clone(value));
        // An eviction between the look above and the insertion has found nothing to remove.
        if self.ticket().0 != ticket.0 {
            self.cache.remove(key);
        }
    }

    /// Forgets a value. What is being read at this moment will not be kept.
    pub fn evict<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.cache.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.cache.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_evicted_while_it_was_read_is_not_kept() {
        let cache: CoherentCache<u64, &str> = CoherentCache::new(1_000);
        let ticket = cache.ticket();
        cache.evict(&1);
        cache.admit(ticket, &1, &Arc::new("dead"));
        assert!(cache.get(&1).is_none());
    }

    #[test]
    fn what_was_read_undisturbed_is_kept_until_it_is_evicted() {
        let cache: CoherentCache<u64, &str> = CoherentCache::new(1_000);
        cache.admit(cache.ticket(), &1, &Arc::new("alive"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"alive"));
        cache.evict(&1);
        assert!(cache.get(&1).is_none());
    }

    #[test]
    fn the_cache_stays_within_its_capacity() {
        let cache: CoherentCache<u64, u64> = CoherentCache::new(1_000);
        for key in 0..10_000 {
            cache.admit(cache.ticket(), &key, &Arc::new(key));
        }
        let held = (0..10_000).filter(|key| cache.get(key).is_some()).count();
        assert!(held <= 1_100, "{held}");
    }
}
