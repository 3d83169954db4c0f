//! Group commit, seen from outside: another process holds the lock until everybody has queued.

use std::sync::Arc;

use tokenry_store::{
    Insertion, KeyPurpose, SealedKey, Store, StoreError,
    sqlite::StoreOptions,
    suite::support::{START, World, request},
};
use tokio::task::{JoinSet, yield_now};

use crate::support::{Folder, world};

fn key(number: u8) -> SealedKey {
    SealedKey { purpose: KeyPurpose::Token, number, sealed: Some(vec![number]), created_at: START }
}

/// Lets every task run until it waits. The tests run on one thread.
async fn everybody_has_queued() {
    for _ in 0..200 {
        yield_now().await;
    }
}

#[tokio::test]
async fn writes_that_queue_together_share_a_commit() {
    let folder = Folder::new();
    let store = folder.open();
    let before = store.statistics();
    let lock = folder.connect();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writes = JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.insert_key(key(number)).await.unwrap() });
    }
    everybody_has_queued().await;
    lock.execute_batch("COMMIT").unwrap();
    let inserted = writes.join_all().await;
    assert!(inserted.iter().all(|one| *one == Insertion::Done));
    let after = store.statistics();
    assert_eq!(after.events - before.events, 100);
    // The first one may have been taken before the others came.
    assert!(after.commits - before.commits <= 2);
    assert_eq!(after.writes_queued, 0);
}

#[tokio::test]
async fn a_write_that_fails_does_not_disturb_those_of_its_batch() {
    let folder = Folder::new();
    let store = folder.open();
    let world: Arc<World> = world(&store);
    let parties = world.parties().await;
    let (token, _) = world.new_consent(&parties, request(), START).await;
    store.insert_token(token.clone()).await.unwrap();
    store.insert_key(key(1)).await.unwrap();
    let before = store.statistics();

    let lock = folder.connect();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (first, twice, half, refused, last, ()) = tokio::join!(
        store.insert_key(key(2)),
        store.insert_token(token),
        // Its first write succeeds, its second cannot.
        store.replace_lost_keys(vec![key(3), key(1)]),
        store.insert_key(key(2)),
        store.insert_key(key(4)),
        async {
            everybody_has_queued().await;
            lock.execute_batch("COMMIT").unwrap();
        }
    );
    assert_eq!(first.unwrap(), Insertion::Done);
    assert!(matches!(twice, Err(StoreError::Corrupt(_))));
    assert!(matches!(half, Err(StoreError::Corrupt(_))));
    assert_eq!(refused.unwrap(), Insertion::Duplicate);
    assert_eq!(last.unwrap(), Insertion::Done);
    let keys = store.list_keys().await.unwrap();
    assert_eq!(keys, [key(1), key(2), key(4)]);
    assert!(store.statistics().commits - before.commits <= 2);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_takes_writes_again_later() {
    let folder = Folder::new();
    let store = folder.open_with(StoreOptions { write_queue_max: 4, ..StoreOptions::default() });
    let lock = folder.connect();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writes = JoinSet::new();
    for number in 0..50 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.insert_key(key(number)).await });
    }
    everybody_has_queued().await;
    // Reads do not wait for the writer.
    assert!(store.list_keys().await.unwrap().is_empty());
    lock.execute_batch("COMMIT").unwrap();
    let answers = writes.join_all().await;
    let done = answers.iter().filter(|one| one.is_ok()).count();
    let refused =
        answers.iter().filter(|one| matches!(one, Err(StoreError::Unavailable(_)))).count();
    assert_eq!(done + refused, 50);
    assert!(refused > 0);
    assert_eq!(store.list_keys().await.unwrap().len(), done);
    store.insert_key(key(200)).await.unwrap();
}
