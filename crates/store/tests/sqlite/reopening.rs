//! What is there after a stop and after a crash.

use std::fs;

use tokenry_store::{
    Conditional, IdSequence, Store, StoreError, TokenFilter,
    sqlite::StoreOptions,
    suite::support::{START, after, assert_same},
};

use crate::support::{Folder, world};

#[tokio::test]
async fn everything_is_there_after_a_clean_stop_and_no_log_is_left() {
    let folder = Folder::new();
    let store = folder.open();
    let before = world(&store);
    let parties = before.parties().await;
    let (id, _) = before.grant(&parties, START).await;
    let token = before.token(id).await;
    assert!(folder.log_size() > 0);
    store.close().await;
    assert_eq!(folder.log_size(), 0);

    let after_it = world(&folder.open());
    assert_same(&after_it.token(id).await, &token);
    assert_eq!(after_it.listed(TokenFilter::default(), START).await, [id]);
}

/// Only the last connection of all removes the log, and of several that close at once each takes
/// another for the last.
#[tokio::test]
async fn a_stop_leaves_one_file_however_many_read() {
    for _ in 0..100 {
        let folder = Folder::new();
        let store = folder.open_with(StoreOptions { readers: 32, ..StoreOptions::default() });
        store.close().await;
        assert_eq!(folder.names(), ["tokenry.db"]);
    }
}

/// At any moment, and without any help of the process that died.
#[tokio::test]
async fn everything_acknowledged_is_there_after_a_crash() {
    let folder = Folder::new();
    let world_before = world(&folder.open());
    let parties = world_before.parties().await;
    let mut presented = None;
    for step in 0..6 {
        let (id, answer) = match presented.take() {
            None => world_before.grant(&parties, START).await,
            Some((id, presented)) => {
                let answer = world_before.rotate(&parties, &presented, after(step)).await;
                (id, answer)
            }
        };
        let (refresh, _) = answer.refresh_token.unwrap();
        let (ended, _) = world_before.grant(&parties, START).await;
        let token = world_before.token(ended).await;
        assert_eq!(world_before.revoke(&token, START).await, Conditional::Now);

        let crashed = folder.copy();
        let found = world(&crashed.open());
        assert_same(&found.token(id).await, &world_before.token(id).await);
        assert!(found.store.find_token(ended).await.unwrap().is_none());
        assert_eq!(found.store.list_events(ended).await.unwrap().len(), 1);
        presented = Some((id, refresh));
    }
}

#[tokio::test]
async fn ids_leased_before_a_crash_are_never_leased_again() {
    let folder = Folder::new();
    let store = folder.open();
    let leased = store.lease_ids(IdSequence::Tokens, 1_000).await.unwrap();
    let crashed = folder.copy().open();
    let next = crashed.lease_ids(IdSequence::Tokens, 1).await.unwrap();
    assert_eq!((leased, next), (1..=1_000, 1_001..=1_001));
}

#[tokio::test]
async fn ids_end_at_53_bits_and_say_so() {
    const LAST: u64 = (1 << 53) - 1;
    let folder = Folder::new();
    let store = folder.open();
    let almost = "UPDATE id_leases SET next = ?1 - 1";
    folder.connect().execute(almost, [LAST]).unwrap();
    let too_many = store.lease_ids(IdSequence::Tokens, 3).await;
    assert!(matches!(too_many, Err(StoreError::Unavailable(_))));
    let last = store.lease_ids(IdSequence::Tokens, 2).await.unwrap();
    assert_eq!(last, LAST - 1..=LAST);
    assert!(store.lease_ids(IdSequence::Tokens, 1).await.is_err());
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let folder = Folder::new();
    let store = folder.open();
    let user = world(&store).user().await;
    store.close().await;
    store.close().await;
    let found = store.find_user(user.id).await;
    assert!(matches!(found, Err(StoreError::Unavailable(_))));
    let leased = store.lease_ids(IdSequence::Tokens, 1).await;
    assert!(matches!(leased, Err(StoreError::Unavailable(_))));
    assert!(store.check().await.is_err());
}

/// What cannot have been written says so, instead of being taken for nothing.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_corrupt() {
    let folder = Folder::new();
    let store = folder.open();
    let user = world(&store).user().await;
    folder.connect().execute("UPDATE users SET role = 'king'", []).unwrap();
    let found = store.find_user(user.id).await;
    let Err(StoreError::Corrupt(what)) = found else {
        panic!("there is no such role");
    };
    assert!(what.contains("role"), "{what}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let store = folder.open();
    world(&store).user().await;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
    }
}
