//! The log by which processes keep their caches true.

use std::sync::Arc;

use tokenry_core::revision::Revision;

use super::support::{START, World, thirty_two};
use crate::{Change, ChangePosition, ChangedRecord, Store};

/// Up to a change and no further.
fn up_to(change: &Change) -> ChangePosition {
    [(change.node, change.number)].into_iter().collect()
}

/// From 1 on, without repetition.
pub async fn changes_are_numbered_in_the_order_of_commits(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let start = ChangePosition::START;
    assert_eq!(world.store.last_change().await.unwrap(), start);
    assert!(world.store.list_changes(&start).await.unwrap().is_empty());
    let client = parties.client.client().clone();
    let mut user = parties.user.clone();
    world.rewrite(&mut user).await;
    let write = Revision::new(&client, client.clone());
    world.store.update_client(write).await.unwrap();
    world.store.delete_client(client.id, START).await.unwrap();
    let changes = world.store.list_changes(&start).await.unwrap();
    let found: Vec<_> = changes.iter().map(|one| (one.number, one.record)).collect();
    let expected = [
        (1, ChangedRecord::User(user.id)),
        (2, ChangedRecord::Client(client.id)),
        (3, ChangedRecord::Client(client.id)),
    ];
    assert_eq!(found, expected);
    let end = up_to(&changes[2]);
    assert_eq!(world.store.last_change().await.unwrap(), end);
    let later = world.store.list_changes(&up_to(&changes[1])).await.unwrap();
    let found: Vec<_> = later.iter().map(|one| (one.number, one.record)).collect();
    assert_eq!(found, expected[2..]);
    assert!(world.store.list_changes(&end).await.unwrap().is_empty());
}

/// Whoever has read up to a number finds everything that commits later behind it.
pub async fn no_change_of_32_concurrent_writes_is_missed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let seen = thirty_two(|number| {
        let world = Arc::clone(&world);
        async move {
            let mut user = world.user().await;
            let mut seen = Vec::new();
            let mut last = ChangePosition::START;
            for _ in 0..4 {
                if number == 0 {
                    let changes = world.store.list_changes(&last).await.unwrap();
                    last = changes.last().map_or(last, up_to);
                    seen.extend(changes.iter().map(|change| change.number));
                } else {
                    world.rewrite(&mut user).await;
                }
            }
            (number == 0).then_some((seen, last))
        }
    });
    let seen = seen.await.into_iter().flatten().next();
    let (mut seen, last) = seen.unwrap();
    let rest = world.store.list_changes(&last).await.unwrap();
    seen.extend(rest.iter().map(|change| change.number));
    assert_eq!(seen, (1..=31 * 4).collect::<Vec<u64>>());
}

/// A process that was away for long reads on until nothing comes.
pub async fn at_most_1000_changes_are_listed_at_once(store: Arc<dyn Store>) {
    let world = World::new(store);
    thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let mut user = world.user().await;
            for _ in 0..33 {
                world.rewrite(&mut user).await;
            }
        }
    })
    .await;
    let changes = world.store.list_changes(&ChangePosition::START).await.unwrap();
    assert_eq!(changes.len(), 1_000);
    assert_eq!(changes[999].number, 1_000);
    let rest = world.store.list_changes(&up_to(&changes[999])).await.unwrap();
    assert_eq!(rest.len(), 32 * 33 - 1_000);
}
