//! A primary with a synchronous standby: what is acknowledged is on both.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokenry_core::revision::Revision;
use tokenry_postgres_testing::Server;
use tokenry_store::{Result, Store, suite::support::START};

use crate::support::{hasty, is_unavailable, open, open_with, world};

/// Longer than it takes a call to reach the server.
const PATIENCE: Duration = Duration::from_secs(4);
const WAITS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND state = 'active'";

/// Waits until a commit waits for the standby.
async fn waits(primary: &Server) {
    let began = Instant::now();
    while primary.query(WAITS) == "0" {
        assert!(began.elapsed() < PATIENCE, "no commit waits for the standby");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Ends the wait of a call that is under way: it was carried out, and the standby may not have it.
async fn is_refused_after<T: Send + 'static>(
    end: &str,
    primary: &Server,
    call: impl Future<Output = Result<T>> + Send + 'static,
) {
    let call = tokio::spawn(call);
    waits(primary).await;
    let ended = primary
        .query(&format!("SELECT {end}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"));
    assert_eq!(ended, "t");
    assert!(is_unavailable(&call.await.unwrap()), "what no standby has was acknowledged");
}

/// PostgreSQL itself answers with a success and a warning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_wait_for_the_standby_was_ended_is_not_acknowledged() {
    let primary = Server::start();
    let standby = Server::start_standby(&primary);
    let store = open(&primary.schema()).await;
    let world = world(&store);
    let mut user = world.user().await;
    let others = [world.user().await.id, world.user().await.id];
    // Its first change makes it a node, which is a commit of its own.
    world.rewrite(&mut user).await;
    standby.freeze();
    for (end, other) in ["pg_cancel_backend", "pg_terminate_backend"].into_iter().zip(others) {
        // One statement.
        let change = Revision::new(&user, user.clone());
        let (store, changing) = (Arc::clone(&store), Arc::clone(&store));
        let call = async move { changing.update_user(change).await };
        is_refused_after(end, &primary, call).await;
        user = store.find_user(user.id).await.unwrap().unwrap();
        // Two in a transaction.
        let call = async move { store.delete_user(other, START).await };
        is_refused_after(end, &primary, call).await;
    }
    standby.thaw();
    world.user().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_standby_is_frozen_writes_are_unavailable_within_the_bound() {
    let primary = Server::start();
    let standby = Server::start_standby(&primary);
    let store = open_with(&primary.schema(), hasty()).await;
    let user = world(&store).user().await;
    standby.freeze();
    let began = Instant::now();
    let change = Revision::new(&user, user.clone());
    assert!(is_unavailable(&store.update_user(change).await));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(store.find_user(user.id).await.unwrap().is_some(), "reads do not wait for it");
    standby.thaw();
    let began = Instant::now();
    while is_unavailable(&store.check().await) {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
    }
}
