//! Two processes on one file, as when a user is created while the server runs.

use std::{collections::HashSet, sync::Arc};

use tokenry_core::{client::Client, grant_types::refresh_token::Refresh, revision::Revision};
use tokenry_store::{
    ChangePosition, ChangedRecord, ClientUpdate, Conditional, IdSequence, Insertion, Store,
    suite::support::{START, thirty_two},
};

use crate::support::{Folder, world};

#[tokio::test]
async fn what_one_process_writes_the_other_reads_at_once() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    let (here, there) = (world(&one), world(&two));
    for _ in 0..20 {
        let mut user = here.user().await;
        assert!(two.find_user(user.id).await.unwrap().is_some());
        there.rewrite(&mut user).await;
        let changes = one.list_changes(&ChangePosition::START).await.unwrap();
        let last = changes.last().unwrap();
        assert_eq!(last.record, ChangedRecord::User(user.id));
        assert_eq!(one.last_change().await.unwrap().of(last.node), last.number);
    }
}

/// Only one process serves, and it knows what it has rotated.
#[tokio::test]
async fn a_rotation_is_told_to_nobody() {
    let folder = Folder::new();
    let world = world(&folder.open());
    let parties = world.parties().await;
    let (_, issued) = world.grant(&parties, START).await;
    let (presented, _) = issued.refresh_token.unwrap();
    let Refresh::Rotate { write, .. } = world.decide_refresh(&parties, &presented, START).await
    else {
        panic!("the present refresh token is not taken")
    };
    assert_eq!(world.store.rotate_refresh_token(write).await.unwrap(), Conditional::Now);
    assert_eq!(world.last_number().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_leased_by_two_processes_never_overlap() {
    let folder = Folder::new();
    let stores = [folder.open(), folder.open()];
    let blocks = thirty_two(|number| {
        let store = Arc::clone(stores.get(usize::try_from(number % 2).unwrap()).unwrap());
        async move { store.lease_ids(IdSequence::Tokens, 5).await.unwrap() }
    });
    let ids: Vec<u64> = blocks.await.into_iter().flatten().collect();
    let distinct: HashSet<u64> = ids.iter().copied().collect();
    assert_eq!((ids.len(), distinct.len()), (160, 160));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_redemptions_through_two_processes_one_wins() {
    let folder = Folder::new();
    let stores = [folder.open(), folder.open()];
    let world = world(&stores[0]);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let (write, _) = world.redemption(&parties, &code, START).await;
    let redeemed = thirty_two(|number| {
        let store = Arc::clone(stores.get(usize::try_from(number % 2).unwrap()).unwrap());
        let write = write.clone();
        async move { store.redeem_authorization_code(write).await.unwrap() }
    });
    let redeemed = redeemed.await;
    let winners = redeemed.iter().filter(|one| **one == Conditional::Now);
    assert_eq!(winners.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_updates_of_one_version_through_two_processes_one_wins() {
    let folder = Folder::new();
    let stores = [folder.open(), folder.open()];
    let world = world(&stores[0]);
    let owner = world.user().await;
    let before = world.client(owner.id).await.client().clone();
    let updated = thirty_two(|number| {
        let store = Arc::clone(stores.get(usize::try_from(number % 2).unwrap()).unwrap());
        let renamed = Client { name: format!("Name {number}"), ..before.clone() };
        let write = Revision::new(&before, renamed);
        async move {
            let name = write.record().name.clone();
            (store.update_client(write).await.unwrap(), name)
        }
    });
    let updated = updated.await;
    let mut winners = updated.iter().filter(|(ended, _)| *ended == ClientUpdate::Done);
    let (_, name) = winners.next().unwrap();
    assert!(winners.next().is_none());
    for store in &stores {
        let found = store.find_client(before.id).await.unwrap().unwrap();
        assert_eq!(found.name, *name);
        let last = store.last_change().await.unwrap();
        assert!(last.iter().map(|(_, number)| number).eq([1]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_write_all_the_time_wait_for_each_other() {
    let folder = Folder::new();
    let worlds = [world(&folder.open()), world(&folder.open())];
    let inserted = thirty_two(|number| {
        let world = Arc::clone(worlds.get(usize::try_from(number % 2).unwrap()).unwrap());
        async move {
            for _ in 0..8 {
                world.user().await;
            }
        }
    });
    inserted.await;
    let user = worlds[0].new_user().await;
    assert_eq!(user.id.get(), 32 * 8 + 1);
    let inserted = worlds[1].store.insert_user(user).await.unwrap();
    assert_eq!(inserted, Insertion::Done);
}

#[tokio::test]
async fn a_store_that_is_closed_leaves_the_other_its_log() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    let user = world(&one).user().await;
    one.close().await;
    assert!(two.find_user(user.id).await.unwrap().is_some());
    let other = world(&two).user().await;
    assert!(two.find_user(other.id).await.unwrap().is_some());
}
