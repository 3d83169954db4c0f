//! The schema: every old one is brought up to date with its rows, a newer one is left alone.

use std::{fs, path::PathBuf};

use tokenry_protocol::ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId};
use tokenry_store::{
    IdSequence, NodeNumber, Schema, Store, StoreError, TokenFilter,
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    suite::{first_schema, support::START},
};

use crate::support::{execute, open, query, try_open, world};

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

fn names(folder: &str) -> Vec<String> {
    let files = numbered(folder).into_iter();
    files.map(|(_, path)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// A schema as the program of that version left it.
fn old_schema(version: u32) -> String {
    let server = tokenry_postgres_testing::shared();
    let url = server.schema();
    let mark = format!(
        "CREATE TABLE tokenry_schema (id bigint NOT NULL PRIMARY KEY, version bigint NOT NULL); \
         INSERT INTO tokenry_schema VALUES (1, {version})"
    );
    execute(server, &url, &mark);
    for (number, migration) in numbered("migrations/postgres") {
        if number <= version {
            execute(server, &url, &fs::read_to_string(migration).unwrap());
        }
    }
    url
}

#[test]
fn both_engines_have_the_same_migrations() {
    assert_eq!(names("migrations/postgres"), names("migrations/sqlite"));
}

/// Rows are kept for each version that changed what they look like.
#[tokio::test]
async fn every_old_version_is_brought_up_to_date_with_its_rows() {
    let server = tokenry_postgres_testing::shared();
    let rows = numbered("tests/postgres/rows");
    for (version, _) in numbered("migrations/postgres") {
        let url = old_schema(version);
        let (_, rows) = rows.iter().rev().find(|(number, _)| *number <= version).unwrap();
        execute(server, &url, &fs::read_to_string(rows).unwrap());

        let store = open(&url).await;
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
        assert_eq!(token.issued().unwrap().used_rotation, 2);
        for (user, client) in [(Some(user.id), None), (None, Some(client.id))] {
            let filter = TokenFilter { user, client, ..TokenFilter::default() };
            assert_eq!(world(&store).listed(filter, START).await, [token.id], "{version}");
        }
        assert_eq!(store.list_events(TokenId::new(3).unwrap()).await.unwrap().len(), 1);
        let last = store.last_change().await.unwrap();
        assert_eq!(last.iter().collect::<Vec<_>>(), [(NodeNumber(1), 1)]);
        let next = store.lease_ids(IdSequence::Tokens, 1).await.unwrap();
        assert_eq!(next, 1_001..=1_001);
    }
}

#[tokio::test]
async fn the_first_schema_is_brought_up_to_date_with_what_its_program_left() {
    let server = tokenry_postgres_testing::shared();
    let url = server.schema();
    execute(server, &url, first_schema::POSTGRES);
    let given = first_schema::given_by_postgres();
    first_schema::every_record_reads_as_it_was_written(open(&url).await, &given).await;
}

#[tokio::test]
async fn a_schema_is_looked_at_and_left_as_it_is() {
    let server = tokenry_postgres_testing::shared();
    let known = u32::try_from(names("migrations/postgres").len()).unwrap();
    let look = async |url: &str| {
        PostgresStore::schema(PostgresAddress::parse(url).unwrap(), PostgresOptions::default())
            .await
    };
    for found in [1, known] {
        let url = old_schema(found);
        assert_eq!(look(&url).await.unwrap(), Schema { found, known });
        assert_eq!(query(server, &url, "SELECT version FROM tokenry_schema"), found.to_string());
    }
    let url = server.schema();
    assert_eq!(look(&url).await.unwrap(), Schema { found: 0, known });
    let tables = "SELECT count(*) FROM information_schema.tables \
        WHERE table_schema = current_schema()";
    assert_eq!(query(server, &url, tables), "0");
    let url = old_schema(known);
    execute(server, &url, "UPDATE tokenry_schema SET version = version + 1");
    assert!(matches!(look(&url).await, Err(StoreError::SchemaTooNew { .. })));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let server = tokenry_postgres_testing::shared();
    let newest = u32::try_from(names("migrations/postgres").len()).unwrap();
    let url = old_schema(newest);
    let newer = newest + 1;
    execute(server, &url, &format!("UPDATE tokenry_schema SET version = {newer}"));
    let refused = try_open(&url, PostgresOptions::default()).await;
    let Err(StoreError::SchemaTooNew { found, known }) = refused else {
        panic!("a newer schema was opened");
    };
    assert_eq!((found, known), (newer, newest));
    assert_eq!(query(server, &url, "SELECT version FROM tokenry_schema"), newer.to_string());
}

#[tokio::test]
async fn a_schema_of_another_program_is_refused_and_left_alone() {
    let server = tokenry_postgres_testing::shared();
    let url = server.schema();
    execute(server, &url, "CREATE TABLE users (id integer)");
    let refused = try_open(&url, PostgresOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    let tables = "SELECT count(*) FROM information_schema.tables \
        WHERE table_schema = current_schema()";
    assert_eq!(query(server, &url, tables), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_8_who_open_an_empty_schema_at_once_all_find_it_made() {
    for _ in 0..3 {
        let url = tokenry_postgres_testing::schema();
        let mut opened = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let url = url.clone();
            opened.spawn(async move { open(&url).await.check().await.unwrap() });
        }
        opened.join_all().await;
        let server = tokenry_postgres_testing::shared();
        let newest = names("migrations/postgres").len().to_string();
        assert_eq!(query(server, &url, "SELECT version FROM tokenry_schema"), newest);
    }
}

/// An acknowledgement means durable, whatever the database's own settings are.
#[tokio::test]
async fn commits_wait_for_the_disk_even_if_the_server_does_not_ask_for_it() {
    let server = tokenry_postgres_testing::Server::start_with(&["synchronous_commit = off"]);
    let url = server.schema();
    let store = open(&url).await;
    let watch = "CREATE TABLE seen (setting text); \
        CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$; \
        CREATE TRIGGER watch BEFORE UPDATE ON id_leases FOR EACH ROW EXECUTE FUNCTION watch()";
    execute(&server, &url, watch);
    assert_eq!(query(&server, &url, "SHOW synchronous_commit"), "off");
    store.check().await.unwrap();
    assert_eq!(query(&server, &url, "SELECT DISTINCT setting FROM seen"), "on");
}
