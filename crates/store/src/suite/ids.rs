//! Leases of ids.

use std::{collections::HashSet, sync::Arc};

use super::support::thirty_two;
use crate::{IdSequence, Store};

/// From 1 on, without a gap as long as nobody crashes.
pub async fn ids_start_at_one_and_follow_each_other(store: Arc<dyn Store>) {
    let first = store.lease_ids(IdSequence::Tokens, 10).await.unwrap();
    let second = store.lease_ids(IdSequence::Tokens, 1).await.unwrap();
    assert_eq!((first, second), (1..=10, 11..=11));
}

/// A client and a user may have the same number.
pub async fn each_sequence_has_numbers_of_its_own(store: Arc<dyn Store>) {
    for sequence in [
        IdSequence::Tokens,
        IdSequence::Clients,
        IdSequence::Users,
        IdSequence::ApiTokens,
        IdSequence::SignInSessions,
    ] {
        assert_eq!(store.lease_ids(sequence, 3).await.unwrap(), 1..=3);
    }
}

/// However many lease at once.
pub async fn ids_leased_by_32_tasks_never_overlap(store: Arc<dyn Store>) {
    let blocks = thirty_two(|number| {
        let store = Arc::clone(&store);
        async move {
            let mut blocks = Vec::new();
            for _ in 0..4 {
                let block = store.lease_ids(IdSequence::Tokens, number + 1).await;
                blocks.push(block.unwrap());
            }
            blocks
        }
    });
    let ids: Vec<u64> = blocks.await.into_iter().flatten().flatten().collect();
    let distinct: HashSet<u64> = ids.iter().copied().collect();
    assert_eq!(ids.len(), 4 * (1..=32).sum::<usize>());
    assert_eq!(distinct.len(), ids.len());
}

/// Which tells an id that was never given from one whose record is gone.
pub async fn the_last_id_is_the_highest_that_was_leased(store: Arc<dyn Store>) {
    let last = async |sequence| store.last_id(sequence).await.unwrap();
    assert_eq!(last(IdSequence::ApiTokens).await, 0);
    store.lease_ids(IdSequence::ApiTokens, 3).await.unwrap();
    store.lease_ids(IdSequence::ApiTokens, 2).await.unwrap();
    assert_eq!(last(IdSequence::ApiTokens).await, 5);
    assert_eq!(last(IdSequence::SignInSessions).await, 0);
}
