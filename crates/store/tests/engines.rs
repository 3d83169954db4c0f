//! Every rule of the suite, on every engine.
#![expect(clippy::unwrap_used, reason = "what does not open must stop the test")]

use std::{
    collections::BTreeSet,
    fs,
    future::{Ready, ready},
    sync::Arc,
};

use tokenry_store::{
    Store,
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    sqlite::{SqliteStore, StoreOptions},
};

/// One test a rule.
macro_rules! mount {
    ($($file:ident: $($rule:ident),+;)+) => {$(
        mod $file {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let (store, _folder) = super::open().await;
                    tokenry_store::suite::$file::$rule(store).await;
                }
            )+
        }
    )+};
}

mod sqlite_file {
    use super::*;

    fn open() -> Ready<(Arc<dyn Store>, tempfile::TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenry.db");
        let store = SqliteStore::open(path, StoreOptions::default()).unwrap();
        ready((Arc::new(store), folder))
    }

    tokenry_store::for_each_rule!(mount);
}

/// Listings are looked after between any two events, in blocks that are full at once.
mod sqlite_file_with_small_blocks {
    use super::*;

    fn open() -> Ready<(Arc<dyn Store>, tempfile::TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenry.db");
        let options = StoreOptions { listing_block: 2, ..StoreOptions::default() };
        ready((Arc::new(SqliteStore::open(path, options).unwrap()), folder))
    }

    tokenry_store::for_each_rule!(mount);
}

mod sqlite_memory {
    use super::*;

    fn open() -> Ready<(Arc<dyn Store>, ())> {
        ready((Arc::new(SqliteStore::in_memory().unwrap()), ()))
    }

    tokenry_store::for_each_rule!(mount);
}

/// A schema that nobody else uses.
fn schema() -> PostgresAddress {
    PostgresAddress::parse(&tokenry_postgres_testing::schema()).unwrap()
}

/// One server for all of them, and a schema for each.
mod postgres {
    use super::*;

    async fn open() -> (Arc<dyn Store>, ()) {
        let store = PostgresStore::open(schema(), PostgresOptions::default()).await;
        (Arc::new(store.unwrap()), ())
    }

    tokenry_store::for_each_rule!(mount);
}

/// As few connections and batches as there can be: whoever can wait for another does.
mod postgres_with_one_connection {
    use super::*;

    async fn open() -> (Arc<dyn Store>, ()) {
        let options = PostgresOptions { connections: 1, batches: 1, ..PostgresOptions::default() };
        (Arc::new(PostgresStore::open(schema(), options).await.unwrap()), ())
    }

    tokenry_store::for_each_rule!(mount);
}

/// A rule that is written and not mounted proves nothing.
#[test]
fn every_rule_of_the_suite_is_mounted() {
    macro_rules! names {
        ($($file:ident: $($rule:ident),+;)+) => {
            [$($(concat!(stringify!($file), "::", stringify!($rule))),+),+]
        };
    }
    let mounted = BTreeSet::from(tokenry_store::for_each_rule!(names).map(str::to_owned));
    let mut written = BTreeSet::new();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/suite")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // Those are over a store that is not fresh.
        if !["support", "first_schema"].contains(&file.as_str()) {
            let text = fs::read_to_string(&path).unwrap();
            let rules = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            let names = rules.filter_map(|line| line.split('(').next());
            written.extend(names.map(|rule| format!("{file}::{rule}")));
        }
    }
    assert_eq!(mounted, written);
}
