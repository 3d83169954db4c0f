//! What must be seen from inside: an event that goes wrong in every way there is.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
    mpsc,
};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{SqliteStore, StoreOptions, calls::unavailable, session::Session};
use crate::{
    Result, Store, StoreError, TokenFilter,
    suite::support::{START, World},
};

/// A store on a file and one in memory, each with a table to scribble in.
async fn stores() -> [(Arc<SqliteStore>, TempDir); 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenry.db");
    let file = SqliteStore::open(path, StoreOptions::default()).unwrap();
    let memory = SqliteStore::in_memory().unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    let stores = [(Arc::new(file), folder), (Arc::new(memory), nowhere)];
    for (store, _) in &stores {
        store
            .write(|connection| {
                let tables = "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT; \
                    CREATE TABLE scribble (id INTEGER PRIMARY KEY, bytes BLOB, \
                    parent INTEGER REFERENCES parent (id)) STRICT;";
                Ok(connection.execute_batch(tables)?)
            })
            .await
            .unwrap();
    }
    stores
}

fn scribble(connection: &Session<'_>) -> Result<()> {
    connection.execute("INSERT INTO scribble (bytes) VALUES (randomblob(9))", [])?;
    Ok(())
}

async fn count(store: &SqliteStore) -> u32 {
    let count = "SELECT count(*) FROM scribble";
    let count =
        move |connection: &Session<'_>| Ok(connection.query_row(count, [], |row| row.get(0))?);
    store.read(count).await.unwrap()
}

/// Runs `event` in one batch with a good event before it and one behind it.
async fn between_good_ones(
    store: &Arc<SqliteStore>,
    event: impl Fn(&Session<'_>) -> Result<()> + Send + 'static,
) -> [Result<()>; 3] {
    // Holds the writer until the three have queued behind it.
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let (begin, mut started) = tokio::sync::mpsc::channel(1);
    let holder = Arc::clone(store);
    let holder = tokio::spawn(async move {
        let held = holder.write(move |_| {
            begin.try_send(()).unwrap();
            Ok(gate.lock().unwrap().recv().is_ok())
        });
        assert!(held.await.unwrap());
    });
    started.recv().await.unwrap();
    let answers =
        async { tokio::join!(store.write(scribble), store.write(event), store.write(scribble)) };
    let opening = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        open.send(()).unwrap();
    };
    let ((before, event, behind), ()) = tokio::join!(answers, opening);
    holder.await.unwrap();
    [before, event, behind]
}

#[tokio::test]
async fn a_panic_in_an_event_is_answered_and_disturbs_nobody() {
    for (store, _folder) in stores().await {
        let [before, event, behind] = between_good_ones(&store, |connection| {
            scribble(connection)?;
            panic!("an event went wrong");
        })
        .await;
        assert!(matches!(event, Err(StoreError::Unavailable(_))));
        assert!(before.is_ok() && behind.is_ok());
        assert_eq!(count(&store).await, 2);
    }
}

#[tokio::test]
async fn neighbours_of_an_event_that_fails_are_done_once_and_acknowledged_once() {
    for (store, _folder) in stores().await {
        let events = store.statistics().events;
        let [before, event, behind] = between_good_ones(&store, |connection| {
            scribble(connection)?;
            Err(unavailable("not this one"))
        })
        .await;
        let Err(StoreError::Unavailable(reason)) = event else {
            panic!("it has failed");
        };
        assert_eq!(reason, "not this one");
        assert!(before.is_ok() && behind.is_ok());
        assert_eq!(count(&store).await, 2);
        // The one that held the writer, these three and, in memory, the count.
        assert!([4, 5].contains(&(store.statistics().events - events)));
    }
}

#[tokio::test]
async fn work_that_is_done_again_sees_nothing_of_what_it_did_before() {
    for (store, _folder) in stores().await {
        let (tell, seen) = mpsc::channel();
        let [before, event, behind] = between_good_ones(&store, move |connection| {
            let count = "SELECT count(*) FROM scribble";
            tell.send(connection.query_row(count, [], |row| row.get::<_, u32>(0))?).unwrap();
            scribble(connection)?;
            Err(unavailable("twice"))
        })
        .await;
        assert!(before.is_ok() && event.is_err() && behind.is_ok());
        // Its neighbour's row, and none of its own.
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [1, 1]);
    }
}

#[tokio::test]
async fn work_that_succeeds_when_it_is_done_again_is_acknowledged() {
    for (store, _folder) in stores().await {
        let runs = AtomicU32::new(0);
        let answers = between_good_ones(&store, move |connection| {
            scribble(connection)?;
            match runs.fetch_add(1, Ordering::Relaxed) {
                0 => Err(unavailable("not yet")),
                _ => Ok(()),
            }
        })
        .await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(count(&store).await, 3);
    }
}

#[tokio::test]
async fn a_panic_in_a_read_is_answered_and_the_reader_lives() {
    for (store, _folder) in stores().await {
        for _ in 0..10 {
            let read: Result<()> = store.read(|_| panic!("a read went wrong")).await;
            assert!(matches!(read, Err(StoreError::Unavailable(_))));
        }
        assert_eq!(count(&store).await, 0);
    }
}

#[tokio::test]
async fn a_full_disk_is_answered_and_left_behind_without_a_restart() {
    for (store, _folder) in stores().await {
        let limit = |connection: &Connection, pages: u32| -> Result<u32> {
            let limit = format!("PRAGMA max_page_count = {pages}");
            Ok(connection.query_row(&limit, [], |row| row.get(0))?)
        };
        store.write(move |connection| limit(connection, 1)).await.unwrap();
        let [_, event, _] = between_good_ones(&store, |connection| {
            let large = "INSERT INTO scribble (bytes) VALUES (zeroblob(100000))";
            connection.execute(large, [])?;
            Ok(())
        })
        .await;
        let Err(StoreError::Unavailable(reason)) = event else {
            panic!("there was no room");
        };
        assert!(reason.contains("full"), "{reason}");
        store.write(move |connection| limit(connection, u32::MAX >> 1)).await.unwrap();
        let before = count(&store).await;
        store.write(scribble).await.unwrap();
        assert_eq!(count(&store).await, before + 1);
    }
}

#[tokio::test]
async fn a_transaction_that_was_lost_acknowledges_nobody() {
    for (store, _folder) in stores().await {
        for fails in [false, true] {
            let answers = between_good_ones(&store, move |connection| {
                connection.execute_batch("ROLLBACK")?;
                if fails { Err(unavailable("lost")) } else { Ok(()) }
            })
            .await;
            for answer in answers {
                assert!(matches!(answer, Err(StoreError::Unavailable(_))));
            }
            assert_eq!(count(&store).await, 0);
        }
        store.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_that_fails_acknowledges_nobody() {
    for (store, _folder) in stores().await {
        let answers = between_good_ones(&store, |connection| {
            connection.pragma_update(None, "defer_foreign_keys", true)?;
            connection.execute("INSERT INTO scribble (parent) VALUES (7)", [])?;
            Ok(())
        })
        .await;
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::Unavailable(_))));
        }
        assert_eq!(count(&store).await, 0);
        store.write(scribble).await.unwrap();
        assert_eq!(count(&store).await, 1);
    }
}

/// They are there for lists alone, and lists are right without them.
#[tokio::test]
async fn listings_that_cannot_be_looked_after_harm_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { listing_block: 2, ..StoreOptions::default() };
    let store = SqliteStore::open(folder.path().join("tokenry.db"), options).unwrap();
    let store = Arc::new(store);
    let world = World::new(Arc::clone(&store) as _);
    let parties = world.parties().await;
    let forbidden = "CREATE TRIGGER forbidden BEFORE INSERT ON listing_blocks \
        BEGIN SELECT RAISE(ABORT, 'not now'); END";
    let forbid = |connection: &Session<'_>| Ok(connection.execute_batch(forbidden)?);
    store.write(forbid).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..9 {
        ids.push(world.created(&parties, "read", START).await.id);
    }
    let filter = TokenFilter { user: Some(parties.user.id), ..TokenFilter::default() };
    assert_eq!(world.listed(filter, START).await, ids);
    let allow = |connection: &Session<'_>| Ok(connection.execute_batch("DROP TRIGGER forbidden")?);
    store.write(allow).await.unwrap();
    for _ in 0..9 {
        ids.push(world.created(&parties, "read", START).await.id);
    }
    let blocks = |connection: &Session<'_>| {
        let count = "SELECT count(*) FROM listing_blocks";
        Ok(connection.query_row(count, [], |row| row.get::<_, u32>(0))?)
    };
    assert!(store.read(blocks).await.unwrap() > 0);
    assert_eq!(world.listed(filter, START).await, ids);
}

#[tokio::test]
async fn what_was_queued_is_finished_before_a_store_closes() {
    for (store, _folder) in stores().await {
        let (open, gate) = mpsc::channel();
        let gate = Mutex::new(gate);
        let held = store.write(move |_| Ok(gate.lock().unwrap().recv().is_ok()));
        let rest = async { tokio::join!(store.write(scribble), store.write(scribble)) };
        let closing = async {
            tokio::task::yield_now().await;
            let close = store.close();
            open.send(()).unwrap();
            close.await;
        };
        let (held, (one, two), ()) = tokio::join!(held, rest, closing);
        assert!(held.unwrap() && one.is_ok() && two.is_ok());
        assert!(store.write(scribble).await.is_err());
    }
}

/// Pages are rewritten all the time while others read: without a checkpoint the log would have
/// 100 MiB in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_under_constant_load() {
    const LOG_MAX: u64 = 40 << 20;
    let [(store, folder), _] = stores().await;
    let fill = "WITH RECURSIVE number (id) AS \
        (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < 256) \
        INSERT INTO scribble (id, bytes) SELECT id, zeroblob(3500) FROM number";
    let fill = move |connection: &Session<'_>| Ok(connection.execute(fill, []).map(drop)?);
    store.write(fill).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let store = Arc::clone(&store);
        readers.spawn(async move {
            while store
                .read(|connection| {
                    let sum = "SELECT sum(length(bytes)) FROM scribble";
                    Ok(connection.query_row(sum, [], |row| row.get::<_, u32>(0))?)
                })
                .await
                .is_ok()
            {}
        });
    }
    let log = folder.path().join("tokenry.db-wal");
    let mut largest = 0;
    for _ in 0..100 {
        let rewrite = "UPDATE scribble SET bytes = randomblob(3500)";
        let rewrite =
            move |connection: &Session<'_>| Ok(connection.execute(rewrite, []).map(drop)?);
        store.write(rewrite).await.unwrap();
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(largest < LOG_MAX, "{largest}");
    store.close().await;
    readers.join_all().await;
    assert!(!log.exists());
}
