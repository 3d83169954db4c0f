//! Several processes on one database.

use std::{collections::HashSet, sync::Arc};

use tokenry_postgres_testing::{schema, shared};
use tokenry_protocol::time::Seconds;
use tokenry_store::{
    Conditional, IdSequence, Insertion, PurgeRequest, PurgeSubject, Store, TokenUse,
    suite::support::{START, after, thirty_two},
};

use crate::support::{execute, open, query, world};

#[tokio::test]
async fn what_one_process_writes_the_other_reads_at_once() {
    let url = schema();
    let (one, two) = (open(&url).await, open(&url).await);
    let world = world(&one);
    let parties = world.parties().await;
    for _ in 0..20 {
        let (id, _) = world.grant(&parties, START).await;
        assert!(two.find_token(id).await.unwrap().unwrap().issued().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_leased_by_two_processes_never_overlap() {
    let url = schema();
    let stores = [open(&url).await, open(&url).await];
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
    let url = schema();
    let stores = [open(&url).await, open(&url).await];
    let world = world(&stores[0]);
    let parties = world.parties().await;
    for _ in 0..8 {
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_who_take_one_identifier_through_two_processes_one_gets_it() {
    let url = schema();
    let worlds = [world(&open(&url).await), world(&open(&url).await)];
    let owner = worlds[0].user().await;
    let inserted = thirty_two(|number| {
        let world = Arc::clone(worlds.get(usize::try_from(number % 2).unwrap()).unwrap());
        async move {
            let (mut client, _) = world.new_client(owner.id).await;
            client.identifier = tokenry_protocol::ids::ClientIdentifier::parse("the-one").unwrap();
            world.store.insert_client(client).await.unwrap()
        }
    });
    let inserted = inserted.await;
    assert_eq!(inserted.iter().filter(|one| **one == Insertion::Done).count(), 1);
}

/// It would be nobody's for ever.
#[tokio::test]
async fn a_use_noted_while_its_token_goes_is_purged() {
    let url = schema();
    let store = open(&url).await;
    let world = world(&store);
    let parties = world.parties().await;
    let (kept, _) = world.grant(&parties, START).await;
    let used = TokenUse { id: kept, used_at: after(1), rotation: 1 };
    store.record_token_uses(vec![used]).await.unwrap();
    execute(shared(), &url, "INSERT INTO token_uses VALUES (1000, 1, 1), (2000, 1, 1)");
    let subject = PurgeSubject::Tokens { grants_kept: Seconds(0) };
    let request = PurgeRequest { subject, after: 0, limit: 9, now: START };
    store.purge(request).await.unwrap();
    let left = query(shared(), &url, "SELECT id FROM token_uses");
    assert_eq!(left, kept.to_string());
}

#[tokio::test]
async fn the_end_of_a_token_is_the_end_of_its_uses() {
    let url = schema();
    let store = open(&url).await;
    let world = world(&store);
    let parties = world.parties().await;
    let (id, _) = world.grant(&parties, START).await;
    let used = TokenUse { id, used_at: after(1), rotation: 1 };
    store.record_token_uses(vec![used]).await.unwrap();
    let token = world.token(id).await;
    world.revoke(&token, START).await;
    assert_eq!(query(shared(), &url, "SELECT count(*) FROM token_uses"), "0");
}
