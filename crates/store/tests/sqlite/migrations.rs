//! The schema: every old one is brought up to date with its rows, a newer one is left alone.

use std::{fs, path::PathBuf, thread};

use rusqlite::Connection;
use tokenry_protocol::ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId};
use tokenry_store::{
    NodeNumber, Schema, Store, StoreError, TokenFilter,
    sqlite::{SqliteStore, StoreOptions},
    suite::{first_schema, support::START},
};

use crate::support::{Folder, world};

const APPLICATION_ID: i32 = 0x546B_6E79;

/// Files of a folder of this crate, in order, with the number that their names begin with.
fn numbered(folder: &str) -> Vec<(u32, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name.get(..4).unwrap().parse().unwrap(), path)
        })
        .collect();
    files.sort();
    files
}

fn migrations() -> Vec<(u32, PathBuf)> {
    numbered("migrations/sqlite")
}

/// A database as the program of that schema left it.
fn old_database(folder: &Folder, version: u32) -> Connection {
    let database = folder.connect();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    for (number, migration) in migrations() {
        if number <= version {
            database.execute_batch(&fs::read_to_string(migration).unwrap()).unwrap();
        }
    }
    database.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    database.pragma_update(None, "user_version", version).unwrap();
    database
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let numbers: Vec<_> = migrations().into_iter().map(|(number, _)| number).collect();
    let newest = u32::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (1..=newest).collect::<Vec<_>>());
}

/// Rows are kept for each version that changed what they look like.
#[tokio::test]
async fn every_old_version_is_brought_up_to_date_with_its_rows() {
    let rows = numbered("tests/sqlite/rows");
    for (version, _) in migrations() {
        let (_, rows) = rows.iter().rev().find(|(number, _)| *number <= version).unwrap();
        let folder = Folder::new();
        let old = old_database(&folder, version);
        old.execute_batch(&fs::read_to_string(rows).unwrap()).unwrap();
        drop(old);

        let store = folder.open();
        assert_eq!(store.list_keys().await.unwrap().len(), 2, "{version}");
        let user = store.find_user(UserId::new(29).unwrap()).await.unwrap().unwrap();
        assert_eq!(user.email, "Ada@Example.test");
        let client = store.find_client(ClientId::new(41).unwrap()).await.unwrap().unwrap();
        assert_eq!(client.redirect_uris.len(), 1);
        let api_token = store.find_api_token(ApiTokenId::new(1).unwrap()).await.unwrap();
        assert_eq!(api_token.unwrap().assigned_user_id, Some(user.id));
        let session = SignInSessionId::new(1).unwrap();
        assert!(store.find_sign_in_session(session).await.unwrap().is_some());
        let code = store.find_token(TokenId::new(1).unwrap()).await.unwrap().unwrap();
        assert!(code.issued().is_none());
        let token = store.find_token(TokenId::new(2).unwrap()).await.unwrap().unwrap();
        assert_eq!(token.issued().unwrap().rotation, 2);
        for (user, client) in [(Some(user.id), None), (None, Some(client.id))] {
            let filter = TokenFilter { user, client, ..TokenFilter::default() };
            let listed = world(&store).listed(filter, START).await;
            assert_eq!(listed, [token.id], "{version}");
        }
        let events = store.list_events(TokenId::new(3).unwrap()).await.unwrap();
        assert_eq!(events.len(), 1);
        let last = store.last_change().await.unwrap();
        assert_eq!(last.iter().collect::<Vec<_>>(), [(NodeNumber(0), 1)]);
        let next = store.lease_ids(tokenry_store::IdSequence::Tokens, 1).await.unwrap();
        assert_eq!(next, 1_001..=1_001);
    }
}

#[tokio::test]
async fn the_first_schema_is_brought_up_to_date_with_what_its_program_left() {
    let folder = Folder::new();
    first_schema::write_sqlite(&folder.database());
    let given = first_schema::given_by_sqlite();
    first_schema::every_record_reads_as_it_was_written(folder.open(), &given).await;
}

/// More than two blocks of listings, with gaps between the ids.
#[tokio::test]
async fn tokens_from_before_listings_are_listed_at_once() {
    const TOKENS: u32 = 20_000;
    let folder = Folder::new();
    let old = old_database(&folder, 1);
    let rows = fs::read_to_string(&numbered("tests/sqlite/rows")[0].1).unwrap();
    old.execute_batch(&rows).unwrap();
    let many = "WITH RECURSIVE number (id) AS \
        (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < ?1) \
        INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash, \
        issued_at) SELECT id * 3, 41, 29 + id % 2, 2, 1, 0, 'read', zeroblob(32), 0 FROM number";
    old.execute(many, [TOKENS]).unwrap();
    drop(old);

    let store = folder.open();
    // All but the newest, as ever.
    let listed = "SELECT sum(entries), count(*) FROM listing_blocks";
    let listed = folder.connect().query_row(listed, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (tokens, blocks): (u32, u32) = listed.unwrap();
    assert!((TOKENS - 1_000..TOKENS).contains(&tokens), "{tokens}");
    assert!(blocks > 2, "{blocks}");
    let user = UserId::new(29).ok();
    let filter = TokenFilter { user, ..TokenFilter::default() };
    let counted = store.count_tokens(filter, u32::MAX, START).await.unwrap();
    assert_eq!(counted, TOKENS / 2 + 1);
}

#[test]
fn a_schema_is_looked_at_beside_whoever_uses_it_and_left_as_it_is() {
    let known = u32::try_from(migrations().len()).unwrap();
    for found in [1, known] {
        let folder = Folder::new();
        let database = old_database(&folder, found);
        let before = fs::read(folder.database()).unwrap();
        assert_eq!(SqliteStore::schema(folder.database()).unwrap(), Schema { found, known });
        assert_eq!(fs::read(folder.database()).unwrap(), before);
        drop(database);
    }
    let folder = Folder::new();
    assert!(SqliteStore::schema(folder.database()).is_err());
    assert!(!folder.database().exists());
    old_database(&folder, known).pragma_update(None, "user_version", known + 1).unwrap();
    let newer = SqliteStore::schema(folder.database());
    assert!(matches!(newer, Err(StoreError::SchemaTooNew { .. })));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = Folder::new();
    let newest = u32::try_from(migrations().len()).unwrap();
    let database = old_database(&folder, newest);
    database.pragma_update(None, "user_version", newest + 1).unwrap();
    drop(database);
    let before = fs::read(folder.database()).unwrap();
    let refused = SqliteStore::open(folder.database(), StoreOptions::default());
    let Err(StoreError::SchemaTooNew { found, known }) = refused else {
        panic!("a newer schema was opened");
    };
    assert_eq!((found, known), (newest + 1, newest));
    assert_eq!(fs::read(folder.database()).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    for version in [0, 1, 9] {
        let folder = Folder::new();
        let database = folder.connect();
        database.execute_batch("CREATE TABLE users (id INTEGER)").unwrap();
        database.pragma_update(None, "user_version", version).unwrap();
        drop(database);
        let before = fs::read(folder.database()).unwrap();
        let refused = SqliteStore::open(folder.database(), StoreOptions::default());
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{version}");
        assert_eq!(fs::read(folder.database()).unwrap(), before);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    fs::write(folder.database(), "This is a letter.\n".repeat(1_000)).unwrap();
    let refused = SqliteStore::open(folder.database(), StoreOptions::default());
    assert!(matches!(refused, Err(StoreError::Corrupt(_))));
}

#[test]
fn a_folder_that_is_not_there_is_unavailable_and_named() {
    let folder = Folder::new();
    let path = folder.path().join("nowhere").join("tokenry.db");
    let refused = SqliteStore::open(path, StoreOptions::default());
    let Err(StoreError::Unavailable(reason)) = refused else {
        panic!("there is no such folder");
    };
    assert!(reason.contains("nowhere"), "{reason}");
}

#[test]
fn of_8_who_make_the_database_at_once_all_find_it_made() {
    let folder = Folder::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(folder.open()));
        }
    });
    let version: u32 =
        folder.connect().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(version).unwrap(), migrations().len());
}
