//! Group commit, seen from outside.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokenry_postgres_testing::Server;
use tokenry_store::{
    Conditional, Store, StoreError, TokenUse,
    postgres::PostgresOptions,
    suite::support::{START, after, request},
};
use tokio::task::JoinSet;

use crate::support::{hasty, is_unavailable, open, open_hasty, open_with, recovers, world};

#[tokio::test]
async fn calls_that_come_together_share_a_statement() {
    let url = tokenry_postgres_testing::schema();
    let options = PostgresOptions { batches: 1, ..PostgresOptions::default() };
    let store = open_with(&url, options).await;
    let world = world(&store);
    let parties = world.parties().await;
    let mut tokens = Vec::new();
    for _ in 0..200 {
        tokens.push(world.new_consent(&parties, request(), START).await.0);
    }
    let before = store.statistics().calls;
    let mut writes = JoinSet::new();
    for token in tokens.clone() {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.insert_token(token).await.unwrap() });
    }
    writes.join_all().await;
    // The first one may have been taken before the others came.
    assert!(store.statistics().calls - before <= 3);

    let before = store.statistics().calls;
    let mut reads = JoinSet::new();
    for token in tokens {
        let store = Arc::clone(&store);
        reads.spawn(async move { store.find_token(token.token().id).await.unwrap().unwrap() });
    }
    assert_eq!(reads.join_all().await.len(), 200);
    assert!(store.statistics().calls - before <= 3);
}

#[tokio::test]
async fn a_row_that_cannot_be_written_does_not_disturb_those_of_its_batch() {
    let url = tokenry_postgres_testing::schema();
    let store = open(&url).await;
    let world = world(&store);
    let parties = world.parties().await;
    let (twice, _) = world.new_consent(&parties, request(), START).await;
    store.insert_token(twice.clone()).await.unwrap();
    let mut writes = JoinSet::new();
    for number in 0..50 {
        let token = match number {
            20 => twice.clone(),
            _ => world.new_consent(&parties, request(), START).await.0,
        };
        let store = Arc::clone(&store);
        writes.spawn(async move { (token.token().id, store.insert_token(token).await) });
    }
    for (id, inserted) in writes.join_all().await {
        if id == twice.token().id {
            assert!(matches!(inserted, Err(StoreError::Corrupt(_))));
        } else {
            inserted.unwrap();
            assert!(store.find_token(id).await.unwrap().is_some());
        }
    }
}

/// Redemptions, ends and uses of one record, in one batch with each other.
#[tokio::test]
async fn what_concerns_one_record_twice_is_carried_out_once() {
    let url = tokenry_postgres_testing::schema();
    let options = PostgresOptions { batches: 1, ..PostgresOptions::default() };
    let store = open_with(&url, options).await;
    let world = world(&store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let (write, _) = world.redemption(&parties, &code, START).await;
    let redeemed = tokio::join!(
        store.redeem_authorization_code(write.clone()),
        store.redeem_authorization_code(write.clone()),
        store.redeem_authorization_code(write),
    );
    let redeemed = [redeemed.0.unwrap(), redeemed.1.unwrap(), redeemed.2.unwrap()];
    assert_eq!(redeemed.iter().filter(|one| **one == Conditional::Now).count(), 1);

    let used = |second, rotation| {
        store.record_token_uses(vec![
            TokenUse { id: code.id, used_at: after(second), rotation },
            TokenUse { id: code.id, used_at: after(second - 1), rotation },
        ])
    };
    let noted = tokio::join!(used(9, 1), used(5, 1));
    noted.0.unwrap();
    noted.1.unwrap();
    assert_eq!(world.issued(code.id).await.used_at, Some(after(9)));

    let token = world.token(code.id).await;
    let ended = tokio::join!(world.revoke(&token, START), world.revoke(&token, START));
    assert_ne!(ended.0, ended.1);
    assert_eq!(store.list_events(code.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_takes_calls_again_later() {
    let server = Server::start();
    let url = server.schema();
    let world = world(&open(&url).await);
    let parties = world.parties().await;
    let mut tokens = Vec::new();
    for _ in 0..400 {
        tokens.push(world.new_consent(&parties, request(), START).await.0);
    }
    let options = PostgresOptions { queue_max: 4, batches: 1, ..hasty() };
    let store = open_hasty(&url, options).await;
    server.freeze();
    let began = Instant::now();
    let mut writes = JoinSet::new();
    for token in tokens {
        let store = Arc::clone(&store);
        writes.spawn(async move {
            // Each by itself: while one is kept from running all are.
            let began = Instant::now();
            (store.insert_token(token).await, began.elapsed())
        });
    }
    let answers = writes.join_all().await;
    assert!(answers.iter().all(|(answer, _)| is_unavailable(answer)));
    let at_once = answers.iter().filter(|(_, taken)| *taken < Duration::from_millis(900));
    assert!(at_once.count() >= 390 - 256);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    server.thaw();
    recovers(&store).await;
}

/// Whether the pool or the server is what is too small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_callers_on_30_connections_all_are_served() {
    let server = Server::start_with(&["max_connections = 33"]);
    for connections in [30, 60] {
        let options = PostgresOptions { connections, ..PostgresOptions::default() };
        let store = open_with(&server.schema(), options).await;
        let world = world(&store);
        let user = world.user().await;
        let calls = tokenry_store::suite::support::thirty_two(|_| {
            let (store, user) = (Arc::clone(&store), user.clone());
            async move {
                for _ in 0..8 {
                    let (one, two) = tokio::join!(store.find_user(user.id), store.has_users());
                    assert!(one.unwrap().is_some());
                    assert!(two.unwrap());
                }
            }
        });
        calls.await;
        assert!(store.statistics().connections <= connections);
        store.close().await;
    }
}
