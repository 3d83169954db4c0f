//! A copy that is run again: the source has moved on, or the run before was broken off.

use tokenry_protocol::ids::TokenId;
use tokenry_store::{
    StoreError,
    copy::{Progress, Stage},
};

use crate::support::{Installation, Place, amounts, changed};

/// Enough for several batches.
const MANY: u32 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_run_again_finds_nothing_to_do() {
    for (first, second) in pairs() {
        Installation::new(&first, 11).await.go_on(&first, 100).await;
        let once = first.copy(&second).await;
        assert!(changed(&once) > 100);
        let again = first.copy(&second).await;
        assert_eq!(amounts(&once), amounts(&again));
        assert_eq!(changed(&again), 0);
    }
}

fn pairs() -> [(Place, Place); 4] {
    [
        (Place::sqlite(), Place::postgres()),
        (Place::postgres(), Place::sqlite()),
        (Place::sqlite(), Place::sqlite()),
        (Place::postgres(), Place::postgres()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_follows_a_source_that_moves_on() {
    for (first, second) in pairs() {
        let mut installation = Installation::new(&first, 12).await;
        for _ in 0..3 {
            installation.go_on(&first, 40).await;
            let copied = first.copy(&second).await;
            assert!((1..1_000).contains(&changed(&copied)));
            let fresh = if matches!(second, Place::Sqlite(_)) {
                Place::postgres()
            } else {
                Place::sqlite()
            };
            assert_eq!(amounts(&first.copy(&fresh).await), amounts(&copied));
        }
    }
}

/// What is unique must not be in the way of rows that come later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_were_exchanged_or_taken_over_are_copied() {
    for (first, second) in pairs() {
        Installation::new(&first, 13).await.go_on(&first, 120).await;
        first.copy(&second).await;
        for exchanged in [
            // A ring of three, two that take each other's, and a tombstone whose name is taken.
            "UPDATE users SET folded_email = 'moving' WHERE id = 1; \
             UPDATE users SET folded_email = 'user1@example.test' WHERE id = 3; \
             UPDATE users SET folded_email = 'user3@example.test' WHERE id = 2; \
             UPDATE users SET folded_email = 'user2@example.test' WHERE id = 1",
            "UPDATE clients SET folded_identifier = 'moving' WHERE id = 1; \
             UPDATE clients SET folded_identifier = 'client_1' WHERE id = 2; \
             UPDATE clients SET folded_identifier = 'client_2' WHERE id = 1",
            "UPDATE users SET deleted_at = 5 WHERE id = 3; \
             UPDATE users SET folded_email = 'user1@example.test', email = 'x' WHERE id = 2",
            "DELETE FROM refusals; INSERT INTO refusals VALUES \
             (1, 7, 'access_token', 1, 'a', 'a'), (2, 8, 'access_token', 1, 'a', 'a'), \
             (3, 9, 'access_token', 1, 'a', 'a')",
            // Two have exchanged their rows, and a third was forgotten and refused again.
            "DELETE FROM refusals; INSERT INTO refusals VALUES \
             (1, 8, 'access_token', 1, 'a', 'a'), (2, 7, 'access_token', 1, 'a', 'a'), \
             (4, 9, 'access_token', 2, 'a', 'a')",
        ] {
            first.execute(exchanged);
            assert!(changed(&first.copy(&second).await) >= 2);
            assert_eq!(changed(&first.copy(&second).await), 0);
        }
    }
}

/// A user goes when nothing refers to them any more; in the target something still does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_from_the_source_goes_from_the_target() {
    for (first, second) in pairs() {
        Installation::new(&first, 14).await.go_on(&first, 120).await;
        let before = first.copy(&second).await;
        first.execute(
            "DELETE FROM sign_in_sessions; DELETE FROM api_tokens; \
             DELETE FROM tokens WHERE id % 2 = 0; DELETE FROM clients WHERE id = 2; \
             DELETE FROM clients WHERE id > 3; \
             DELETE FROM users WHERE id NOT IN (SELECT user_id FROM clients); DELETE FROM events",
        );
        let after = first.copy(&second).await;
        for (before, after) in before.iter().zip(&after) {
            assert!(after.rows <= before.rows, "{}", after.table);
        }
        assert_eq!(after.iter().find(|copied| copied.table == "events").unwrap().rows, 0);
        assert_eq!(changed(&first.copy(&second).await), 0);
    }
}

async fn many(place: &Place) {
    Installation::new(place, 15).await.go_on(place, 50).await;
    let numbers = match place {
        Place::Sqlite(_) => format!(
            "WITH RECURSIVE number (id) AS \
             (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < {MANY})"
        ),
        Place::Postgres(_) => {
            format!("WITH number (id) AS (SELECT generate_series(1, {MANY}))")
        }
    };
    let hash = if matches!(place, Place::Sqlite(_)) {
        "zeroblob(32)"
    } else {
        "decode(repeat('00', 32), 'hex')"
    };
    place.execute(&format!(
        "{numbers} INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, \
         granted, hash, issued_at) \
         SELECT 1000 + id, 1, 1, 2, 1, 0, 'read', {hash}, 0 FROM number"
    ));
}

/// Until it is whole nobody gets to see it, and the next run goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_broken_off_serves_nobody_and_is_finished_by_the_next_run() {
    for (first, second) in
        [(Place::sqlite(), Place::postgres()), (Place::postgres(), Place::sqlite())]
    {
        many(&first).await;
        for (stage, done) in
            [(Stage::Copy, 0), (Stage::Copy, 8_192), (Stage::Copy, 16_384), (Stage::Verify, 10_240)]
        {
            let (reached, mut waiting) = tokio::sync::mpsc::unbounded_channel();
            let progress = Progress::new(move |moment| {
                if moment.stage == stage && moment.done >= done {
                    reached.send(()).ok();
                }
            });
            // Whatever it has begun by then may still be carried out.
            tokio::select! {
                copied = first.copy_with(&second, &progress) => panic!("{copied:?}"),
                _ = waiting.recv() => {}
            }
            let refused = second.try_open().await.err();
            assert!(matches!(refused, Some(StoreError::UnfinishedCopy)), "{refused:?}");
        }
        let copied = first.copy(&second).await;
        let tokens = copied.iter().find(|copied| copied.table == "tokens").unwrap();
        assert!(tokens.rows > u64::from(MANY) && tokens.changed < tokens.rows, "{tokens:?}");
        let opened = second.open().await;
        let last = TokenId::new(u64::from(1_000 + MANY)).unwrap();
        assert!(opened.store().find_token(last).await.unwrap().is_some());
        opened.close().await;
        assert_eq!(changed(&first.copy(&second).await), 0);
    }
}
