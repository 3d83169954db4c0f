//! An address of several servers: connections lead to the one that is the database, and after a
//! failover to the one that took its place.

use std::{net::TcpListener, sync::Arc, time::Duration};

use tokenry_postgres_testing::Server;
use tokenry_store::{Store, postgres::PostgresOptions};
use tokio::task::JoinSet;

use crate::support::{hasty, is_unavailable, open, open_with, recovers, try_open, world};

/// How many connections of stores a server has.
const OURS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tokenry'";

/// For a store that tries until a server is found.
fn patient() -> PostgresOptions {
    PostgresOptions { call_timeout: Duration::from_secs(30), ..PostgresOptions::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_passed_over() {
    let primary = Server::start();
    let url = primary.schema();
    let standby = Server::start_standby(&primary);
    let store = open(&primary.added_to(
        &url.replace(&format!(":{}/", primary.port()), &format!(":{}/", standby.port())),
    ))
    .await;
    world(&store).user().await;
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_the_new_primary_is_found_and_has_all_that_was_acknowledged() {
    let primary = Server::start();
    let url = primary.schema();
    let standby = Server::start_standby(&primary);
    let store = open(&standby.added_to(&url)).await;
    let mut user = world(&store).user().await;
    for place in 0..20 {
        user.name = format!("{place}");
        world(&store).rewrite(&mut user).await;
    }
    primary.crash();
    standby.promote();
    recovers(&store).await;
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().updated_at, user.updated_at);
    world(&store).rewrite(&mut user).await;
}

/// As a primary that was told that another one has its place, and whose connections stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_primary_that_only_reads_from_now_on_are_replaced() {
    let primary = Server::start();
    let url = primary.schema();
    let standby = Server::start_standby(&primary);
    let store = open(&standby.added_to(&url)).await;
    let world = world(&store);
    let mut user = world.user().await;
    standby.promote();
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = ''");
    primary.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    primary.execute("SELECT pg_reload_conf()");
    while primary.query("SHOW default_transaction_read_only") != "on" {}
    // No call fails: it is sent again, to the other one.
    world.rewrite(&mut user).await;
    assert_ne!(standby.query(OURS), "0");
}

/// Its machine accepts connections, and nobody answers on them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_takes_no_more_than_its_share_of_the_time() {
    let primary = Server::start();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    dead.set_nonblocking(true).unwrap();
    let port = dead.local_addr().unwrap().port();
    let url = primary.schema().replace(&format!(":{}/", primary.port()), &format!(":{port}/"));
    let store = open_with(&primary.added_to(&url), patient()).await;
    assert!(dead.accept().is_ok(), "the dead one was not tried");
    while dead.accept().is_ok() {}
    // The next connections are made where the last one was.
    let mut looks = JoinSet::new();
    for _ in 0..40 {
        let store = Arc::clone(&store);
        looks.spawn(async move { store.has_users().await });
    }
    for found in looks.join_all().await {
        assert!(!found.unwrap());
    }
    while primary.query(OURS) == "1" {
        assert!(store.statistics().connections > 1);
    }
    assert!(dead.accept().is_err(), "the dead one was tried again");
}

/// Split brain: the old primary comes back as it was, and nobody has told it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_can_confirm_no_commit_is_not_believed() {
    let primary = Server::start();
    let url = primary.schema();
    let standby = Server::start_standby(&primary);
    let both = standby.added_to(&url);
    let store = open(&both).await;
    let mut user = world(&store).user().await;
    primary.crash();
    standby.promote();
    recovers(&store).await;
    user.name = "later".to_owned();
    world(&store).rewrite(&mut user).await;
    primary.start_again();
    // It is named first, and a process that has just started knows nothing of the other.
    let newcomer = open_with(&both, patient()).await;
    assert_eq!(newcomer.find_user(user.id).await.unwrap().unwrap().name, "later");
    // Alone it is away, for all who can only ask it.
    let alone = try_open(&url, hasty()).await;
    assert!(is_unavailable(&alone));
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().name, "later");
}
