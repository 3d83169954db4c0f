//! Opening connections: one set of pragmas for all of them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{calls::unavailable, migrations};
use crate::Result;

/// How long a connection waits for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The size to which the log shrinks when it starts anew, in bytes. It is well above the one at
/// which it starts anew (`checkpointer`): overwriting what is there costs a sync half of what
/// growing does.
const LOG_SIZE_KEPT: i64 = 32 << 20;
/// More than the statements there are.
const STATEMENTS_CACHED: usize = 200;

/// What a store may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Connections that read, each with a thread; at least 1.
    pub readers: usize,
    /// How many reads may wait for a reader; more are answered `Unavailable` at once.
    pub read_queue_max: usize,
    /// How many writes may wait for the writer; more are answered `Unavailable` at once.
    pub write_queue_max: usize,
    /// The page cache of each connection, in bytes.
    pub cache_size: usize,
    /// Tokens whose listings are kept together, at least 1. Larger blocks make lists of few tokens
    /// faster, and smaller ones steps of upkeep shorter.
    pub listing_block: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            read_queue_max: 4_096,
            write_queue_max: 4_096,
            cache_size: 16 << 20,
            listing_block: 4_096,
        }
    }
}

/// Where connections lead to.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A file, which several connections and processes share.
    File {
        /// The database; its log lies beside it.
        path: PathBuf,
        /// The page cache of each connection, in bytes.
        cache_size: usize,
    },
    /// Memory, which is gone with its one connection.
    Memory,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writing, and moving the log into the database.
    Write,
    /// Reading only.
    Read,
}

impl Source {
    /// A connection that is ready for use.
    pub(super) fn connect(&self, purpose: Purpose) -> Result<Connection> {
        let connection = match self {
            Self::File { path, cache_size } => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(path, flags)?;
                connection.busy_timeout(BUSY_TIMEOUT)?;
                // Negative: in KiB instead of pages.
                let kibibytes = i64::try_from(cache_size / 1_024).unwrap_or(i64::MAX);
                connection.pragma_update(None, "cache_size", -kibibytes)?;
                connection
            }
            Self::Memory => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        // Plans do not look at values, or each new value would have its statement prepared again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // In WAL mode FULL syncs the log at every commit, which is what an acknowledgement means.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "journal_size_limit", LOG_SIZE_KEPT)?;
        // A checkpoint inside a commit would be that commit's latency; see `checkpointer`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        if purpose == Purpose::Read {
            connection.pragma_update(None, "query_only", true)?;
        }
        Ok(connection)
    }

    /// The first connection: makes the file if need be and brings its schema up to date.
    pub(super) fn create(&self) -> Result<Connection> {
        if let Self::File { path, .. } = self {
            create_file(path)?;
        }
        let mut connection = self.connect(Purpose::Write)?;
        migrations::migrate(&mut connection)?;
        Ok(connection)
    }
}

/// An empty file that only its owner may read; `SQLite` gives the log the same permissions.
fn create_file(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unavailable(&format!("{}: {error}", path.display()))),
    }
}
