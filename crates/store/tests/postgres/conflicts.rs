//! Transactions that are in each other's way: sent again, with bounds.

use std::{sync::Arc, time::Duration};

use tokenry_postgres_testing::shared;
use tokenry_store::{
    Conditional, Store, TokenUse,
    suite::support::{START, after, request, thirty_two},
};

use crate::support::{execute, is_unavailable, open, query, world};

/// Has the first insertions of a table fail.
fn fail_insertions(url: &str, table: &str, state: &str, times: u32) {
    let trap = format!(
        "CREATE SEQUENCE attempts; \
         CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('attempts') <= {times} THEN \
         RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER trap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION trap()"
    );
    execute(shared(), url, &trap);
}

/// Serialization failure and deadlock (as PostgreSQL names them).
#[tokio::test]
async fn a_conflict_is_tried_again_and_nobody_hears_of_it() {
    for state in ["40001", "40P01"] {
        let url = shared().schema();
        let store = open(&url).await;
        let world = world(&store);
        let parties = world.parties().await;
        let (grant, _) = world.grant(&parties, START).await;
        fail_insertions(&url, "tokens", state, 5);
        let (token, _) = world.new_consent(&parties, request(), START).await;
        store.insert_token(token).await.unwrap();
        assert_eq!(query(shared(), &url, "SELECT last_value FROM attempts"), "6");

        execute(shared(), &url, "DROP TRIGGER trap ON tokens; DROP SEQUENCE attempts");
        execute(shared(), &url, "DROP FUNCTION trap()");
        fail_insertions(&url, "changes", state, 5);
        let token = world.token(grant).await;
        assert_eq!(world.revoke(&token, START).await, Conditional::Now);
        assert_eq!(world.last_number().await, 1);
        assert_eq!(store.list_events(grant).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn conflicts_without_end_are_given_up() {
    let url = shared().schema();
    let store = open(&url).await;
    let world = world(&store);
    let parties = world.parties().await;
    fail_insertions(&url, "tokens", "40001", u32::MAX);
    let (token, _) = world.new_consent(&parties, request(), START).await;
    let id = token.token().id;
    assert!(is_unavailable(&store.insert_token(token).await));
    assert!(store.find_token(id).await.unwrap().is_none());
    let attempts = query(shared(), &url, "SELECT last_value FROM attempts");
    assert!((2..=20).contains(&attempts.parse::<u32>().unwrap()), "{attempts}");
}

/// Batches of the same rows in every order, through several stores.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_overlap_do_not_wait_for_each_other_in_a_ring() {
    let url = shared().schema();
    let stores = [open(&url).await, open(&url).await];
    let world = world(&stores[0]);
    let parties = world.parties().await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(world.grant(&parties, START).await.0);
    }
    let ids = Arc::new(ids);
    let noted = thirty_two(|number| {
        let store = Arc::clone(stores.get(usize::try_from(number % 2).unwrap()).unwrap());
        let ids = Arc::clone(&ids);
        async move {
            for round in 0..10 {
                let note = |id: &_| TokenUse { id: *id, used_at: after(round), rotation: 1 };
                let mut uses: Vec<_> = ids.iter().map(note).collect();
                if number % 3 == 0 {
                    uses.reverse();
                }
                store.record_token_uses(uses).await.unwrap();
            }
        }
    });
    noted.await;
    let ended = thirty_two(|number| {
        let world =
            crate::support::world(stores.get(usize::try_from(number % 2).unwrap()).unwrap());
        let ids = Arc::clone(&ids);
        async move {
            let mut ended = 0;
            for at in 0..ids.len() {
                let at = if number % 3 == 0 { ids.len() - 1 - at } else { at };
                if let Some(token) = world.store.find_token(ids[at]).await.unwrap() {
                    ended += u32::from(world.revoke(&token, START).await == Conditional::Now);
                }
            }
            ended
        }
    });
    assert_eq!(ended.await.iter().sum::<u32>(), 40);
    let found = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(query(shared(), &url, found), "0");
}

/// As of a connection that was lost in the middle of an event: the next number waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_waits_for_the_one_before_it_whoever_holds_that() {
    let url = shared().schema();
    let store = open(&url).await;
    let world = world(&store);
    let mut user = world.user().await;
    world.rewrite(&mut user).await;
    let (lost, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let event = "BEGIN; UPDATE nodes SET last_change = last_change + 1; \
        INSERT INTO changes SELECT node, last_change, 'keys', NULL FROM nodes";
    lost.batch_execute(event).await.unwrap();
    let before = store.last_change().await.unwrap();
    assert_eq!(world.last_number().await, 1);
    let next = tokio::spawn(async move { world.rewrite(&mut user).await });
    let waiting = "SELECT FROM pg_locks \
        WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
    while lost.query(waiting, &[]).await.unwrap().is_empty() {
        assert!(!next.is_finished(), "it has not waited");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lost.batch_execute("COMMIT").await.unwrap();
    next.await.unwrap();
    let later = store.list_changes(&before).await.unwrap();
    assert_eq!(later.iter().map(|change| change.number).collect::<Vec<_>>(), [2, 3]);
}
