//! A primary with a synchronous standby: what is acknowledged is on both.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokenry_core::revision::Revision;
use tokenry_postgres_testing::Server;
use tokenry_store::{Result, Store, suite::support::START};

use crate::support::{hasty, is_unavailable, open, open_hasty, recovers, world};

/// Longer than it takes a call to reach the server, or the end of its time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events whose commits wait for the standby; what a new connection writes is none.
const WAITING: &str = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' \
    AND query NOT LIKE 'UPDATE id_leases SET next = next %'";

/// Ends the wait of a call that is under way: it was carried out, and the standby may not have it.
async fn is_refused_after<T: Send + 'static>(
    end: &str,
    primary: &Server,
    call: impl Future<Output = Result<T>> + Send + 'static,
) {
    let call = tokio::spawn(call);
    let began = Instant::now();
    while primary.query(&format!("SELECT {end}(pid) {WAITING}")) != "t" {
        assert!(began.elapsed() < PATIENCE, "no commit waits for the standby");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
        standby.thaw();
        recovers(&store).await;
        user = store.find_user(user.id).await.unwrap().unwrap();
        standby.freeze();
        // Two in a transaction.
        let deleting = Arc::clone(&store);
        let call = async move { deleting.delete_user(other, START).await };
        is_refused_after(end, &primary, call).await;
        // It is to be seen, and nothing is said of it: the standby does not have it.
        let again = tokio::join!(store.find_user(other), store.delete_user(other, START));
        assert!(is_unavailable(&again.0));
        assert!(is_unavailable(&again.1));
        standby.thaw();
        recovers(&store).await;
        assert!(store.find_user(other).await.unwrap().is_none());
        standby.freeze();
    }
    standby.thaw();
    world.user().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_standby_is_frozen_writes_are_unavailable_within_the_bound() {
    let primary = Server::start();
    let standby = Server::start_standby(&primary);
    let url = primary.schema();
    let user = world(&open(&url).await).user().await;
    let store = open_hasty(&url, hasty()).await;
    standby.freeze();
    let began = Instant::now();
    let change = Revision::new(&user, user.clone());
    assert!(is_unavailable(&store.update_user(change).await));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let began = Instant::now();
    let found = loop {
        match store.find_user(user.id).await {
            Ok(found) => break found,
            Err(error) => assert!(began.elapsed() < PATIENCE, "reads wait for it: {error}"),
        }
    };
    assert!(found.is_some());
    standby.thaw();
    recovers(&store).await;
}
