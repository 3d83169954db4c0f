//! A database that goes away: calls are Unavailable, in time, and later all is as before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokenry_core::revision::Revision;
use tokenry_postgres_testing::Server;
use tokenry_store::{
    ChangePosition, IdSequence, Store, StoreError, postgres::PostgresOptions, suite::support::START,
};

use crate::support::{
    PATIENCE, execute, hasty, is_unavailable, open, open_hasty, open_with, recovers, try_open,
    world,
};

const PASSWORD: &str = "open-sesame";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_loses_nothing_and_is_over_by_itself() {
    let server = Server::start();
    let url = server.schema();
    let parties = world(&open(&url).await).parties().await;
    let store = open_hasty(&url, hasty()).await;
    let world = world(&store);
    let is_over = Arc::new(AtomicBool::new(false));
    let (written, refused) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (world, parties, is_over) = (Arc::clone(&world), parties.clone(), Arc::clone(&is_over));
        let (written, refused) = (Arc::clone(&written), Arc::clone(&refused));
        loads.spawn(async move {
            let mut acknowledged = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let Ok(mut ids) = world.store.lease_ids(IdSequence::Tokens, 1).await else {
                    refused.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                let (token, _) = consent(&world, &parties, ids.next().unwrap());
                let id = token.token().id;
                match world.store.insert_token(token).await {
                    Ok(()) => {
                        acknowledged.push(id);
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(StoreError::Unavailable(_)) => _ = refused.fetch_add(1, Ordering::Relaxed),
                    Err(other) => panic!("{other}"),
                }
            }
            acknowledged
        });
    }
    for end in [Server::stop, Server::crash] {
        grows(&written, 32).await;
        tokio::task::block_in_place(|| end(&server));
        grows(&refused, 8).await;
        tokio::task::block_in_place(|| server.start_again());
        recovers(&store).await;
    }
    grows(&written, 32).await;
    is_over.store(true, Ordering::Relaxed);
    let after = open(&url).await;
    for id in loads.join_all().await.into_iter().flatten() {
        assert!(after.find_token(id).await.unwrap().is_some(), "{id} was acknowledged");
    }
}

/// Waits until so many more have been counted.
async fn grows(count: &AtomicUsize, more: usize) {
    let began = Instant::now();
    let enough = count.load(Ordering::Relaxed) + more;
    while count.load(Ordering::Relaxed) < enough {
        assert!(began.elapsed() < PATIENCE, "nothing more is counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn consent(
    world: &tokenry_store::suite::support::World,
    parties: &tokenry_store::suite::support::Parties,
    id: u64,
) -> (tokenry_core::issue::NewToken, tokenry_protocol::secret::Credential) {
    let request = tokenry_store::suite::support::request();
    let client = parties.client.client();
    let judged = tokenry_core::authorization::judge(&request, Some(client), &world.policy).unwrap();
    let issuance = tokenry_core::issue::Issuance {
        id: tokenry_protocol::ids::TokenId::new(id).unwrap(),
        client_id: client.id,
        user_id: parties.user.id,
        now: START,
        keys: &world.keys,
        entropy: &world.entropy,
    };
    tokenry_core::authorization::consent(&judged, &issuance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_database_is_unavailable_within_the_bound() {
    let server = Server::start();
    let url = server.schema();
    let patient = open(&url).await;
    let world = world(&patient);
    let parties = world.parties().await;
    let (id, _) = world.grant(&parties, START).await;
    let token = world.token(id).await;
    let end = tokenry_core::revocation::revoke(
        &token,
        tokenry_core::event::Actor::User(token.user_id),
        START,
    );
    let start = ChangePosition::START;
    let store = open_hasty(&url, hasty()).await;
    server.freeze();
    let began = Instant::now();
    let answers = tokio::join!(
        store.find_token(id),
        store.find_user(parties.user.id),
        store.update_user(Revision::new(&parties.user, parties.user.clone())),
        store.end_grant(end),
        store.list_changes(&start),
    );
    assert!(is_unavailable(&answers.0));
    assert!(is_unavailable(&answers.1));
    assert!(is_unavailable(&answers.2));
    assert!(is_unavailable(&answers.3));
    assert!(is_unavailable(&answers.4));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    server.thaw();
    recovers(&store).await;
    assert!(patient.find_user(parties.user.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_is_away_when_it_is_opened_is_unavailable_and_says_so() {
    let server = Server::start();
    let url = server.url().replace("tokenry@", &format!("tokenry:{PASSWORD}@"));
    server.stop();
    let refused = try_open(&url, hasty()).await;
    let Err(StoreError::Unavailable(reason)) = refused else {
        panic!("there is no database");
    };
    assert!(reason.contains("refused"), "{reason}");
    assert!(!reason.contains(PASSWORD), "{reason}");
    server.start_again();
    let store = open(&url).await;
    assert!(!format!("{store:?}").contains(PASSWORD));
}

/// As after a failover, when an address leads to the old primary.
#[tokio::test]
async fn a_database_that_only_reads_is_unavailable_for_writes() {
    let server = Server::start();
    let url = server.schema();
    let store = open(&url).await;
    let user = world(&store).user().await;
    execute(&server, &url, "ALTER ROLE tokenry SET default_transaction_read_only = on");
    store.close().await;
    // The schema is up to date, so opening writes nothing.
    let store = open(&url).await;
    assert!(store.find_user(user.id).await.unwrap().is_some());
    assert!(is_unavailable(&store.update_user(Revision::new(&user, user.clone())).await));
    assert!(is_unavailable(&store.check().await));
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let store = open(&tokenry_postgres_testing::schema()).await;
    let user = world(&store).user().await;
    store.close().await;
    store.close().await;
    assert!(is_unavailable(&store.find_user(user.id).await));
    assert!(is_unavailable(&store.lease_ids(IdSequence::Tokens, 1).await));
    assert!(is_unavailable(
        &store.find_token(tokenry_protocol::ids::TokenId::new(1).unwrap()).await
    ));
    assert!(store.check().await.is_err());
}

/// A caller who goes away leaves nothing half done, and the connection to the next one.
#[tokio::test]
async fn a_call_that_is_dropped_goes_on() {
    let url = tokenry_postgres_testing::schema();
    let options = PostgresOptions { connections: 1, ..PostgresOptions::default() };
    let store = open_with(&url, options).await;
    let mut user = world(&store).user().await;
    for _ in 0..20 {
        let write = Revision::new(&user, user.clone());
        user = write.record().clone();
        tokio::select! {
            biased;
            _ = store.update_user(write) => panic!("no database is as fast"),
            () = std::future::ready(()) => {}
        }
    }
    while store.last_change().await.unwrap().iter().all(|(_, number)| number < 20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(store.statistics().connections, 1);
}
