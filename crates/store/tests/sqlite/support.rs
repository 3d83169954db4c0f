//! A database in a folder of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use tempfile::TempDir;
use tokenry_store::{
    sqlite::{SqliteStore, StoreOptions},
    suite::support::World,
};

/// A folder that goes with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("tokenry.db")
    }

    /// One process's store.
    pub(crate) fn open(&self) -> Arc<SqliteStore> {
        self.open_with(StoreOptions::default())
    }

    pub(crate) fn open_with(&self, options: StoreOptions) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.database(), options).unwrap())
    }

    /// A look at the database from outside.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// What a crash at this moment leaves: the files as they are.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        for name in ["tokenry.db", "tokenry.db-wal"] {
            std::fs::copy(self.path().join(name), copy.path().join(name)).unwrap();
        }
        copy
    }

    /// What is in it, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The size of the log in bytes; 0 when there is none.
    pub(crate) fn log_size(&self) -> u64 {
        let log = self.path().join("tokenry.db-wal");
        std::fs::metadata(log).map_or(0, |log| log.len())
    }
}

/// Its world.
pub(crate) fn world(store: &Arc<SqliteStore>) -> Arc<World> {
    World::new(Arc::clone(store) as _)
}
