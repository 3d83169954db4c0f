//! Nothing that a migration adds is forgotten.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tokenry_store::copy::{LEASES, NOT_COPIED, TABLES};

use crate::support::Place;

type Schema = BTreeSet<(String, String)>;

/// What is copied, with the tables under the names that an engine has for them.
fn described(named: impl Fn(&'static str) -> &'static str) -> Schema {
    let tables = TABLES.iter().chain([&LEASES]);
    let columns = tables.flat_map(|table| {
        let name = named(table.name);
        table.columns.iter().map(move |column| (name.to_owned(), column.name.to_owned()))
    });
    columns.collect()
}

fn assert_described(found: Schema, described: &Schema) {
    let is_copied = |table: &str| NOT_COPIED.iter().all(|(other, _)| *other != table);
    let found: Schema = found.into_iter().filter(|(table, _)| is_copied(table)).collect();
    let missing: Vec<_> = found.difference(described).collect();
    assert!(missing.is_empty(), "add them to TABLES, or to NOT_COPIED with a reason: {missing:?}");
    let gone: Vec<_> = described.difference(&found).collect();
    assert!(gone.is_empty(), "these are in TABLES and in no schema: {gone:?}");
}

#[tokio::test]
async fn every_column_of_sqlite_is_copied_or_left_for_a_reason() {
    let place = Place::sqlite();
    place.open().await.close().await;
    let connection = Connection::open(place.file()).unwrap();
    let columns = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(columns).unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let found = found.map(Result::unwrap).collect();
    let uses_are_in_tokens = |name| if name == "token_uses" { "tokens" } else { name };
    assert_described(found, &described(uses_are_in_tokens));
}

#[tokio::test]
async fn every_column_of_postgresql_is_copied_or_left_for_a_reason() {
    let place = Place::postgres();
    place.open().await.close().await;
    let schema = place.url().rsplit('=').next().unwrap();
    let columns = format!(
        "SELECT table_name, column_name FROM information_schema.columns \
         WHERE table_schema = '{schema}'"
    );
    let found = tokenry_postgres_testing::shared().query(&columns);
    let found = found.lines().map(|line| {
        let (table, column) = line.split_once('|').unwrap();
        (table.to_owned(), column.to_owned())
    });
    assert_described(found.collect(), &described(|name| name));
}
