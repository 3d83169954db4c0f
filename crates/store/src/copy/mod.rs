//! Copying a whole installation from one database into another, between engines as well.
//!
//! The target becomes what the source is, however often it is run and wherever it was broken off:
//!
//! 1. [`mark`]: the target is empty, or an earlier copy of the same installation that nobody has
//!    used since. Anything else is refused before it is touched. From here on the target is marked
//!    as unfinished, and no store opens it.
//! 2. [`transfer`]: table by table, both sides side by side, what differs is written; in batches,
//!    each of which is one transaction.
//! 3. The next ids are raised to the source's, so that none is given twice.
//! 4. Both sides are read again and compared by their digests, which stay in the target as the mark
//!    of a copy that is whole.
//!
//! The server key is no part of a database: keys are copied as they are sealed.

mod backup;
mod digest;
pub(crate) mod end;
mod export;
mod follow;
mod import;
mod lines;
mod mark;
mod merge;
mod parents;
mod passed_over;
mod progress;
mod restore;
pub(crate) mod tables;
mod transfer;

use std::{fmt, path::Path, sync::Arc};

use tokenry_protocol::time::Timestamp;

pub use self::{
    backup::{BackupNote, back_up, read_note, refuse_damaged},
    end::Role,
    export::{Begun, Header, Start, export, read_begun},
    follow::Followed,
    import::{Gone, Imported, Taken, import},
    lines::{Records, hex},
    progress::{Moment, Progress, Stage},
    restore::{Ended, SinceThen, Staged, close_log, is_empty, is_unfinished},
    tables::{Column, Kind, LEASES, NOT_COPIED, TABLES, Table},
};
use self::{
    digest::Amount,
    end::End,
    merge::{Finding, Merge, given_up},
    progress::Meter,
    tables::Value,
};
use crate::{
    SealedKey, StoreError,
    postgres::{PostgresAddress, PostgresOptions, copy::PostgresEnd},
    sqlite::copy::SqliteEnd,
    words,
};

type Result<T> = std::result::Result<T, CopyError>;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the databases.
    #[error("the {side}: {error}")]
    Store {
        /// Which.
        side: Role,
        /// What happened.
        error: StoreError,
    },
    /// Nodes have connections open.
    #[error(
        "the {side} is served: {connections} other connections to that database are named \
         \"{name}\". Stop its nodes first; if they belong to another installation in the same \
         database, add application_name=… to this address and to that of its own nodes"
    )]
    Served {
        /// Which.
        side: Role,
        /// How many there are.
        connections: u64,
        /// The name that they show.
        name: String,
    },
    /// Nothing was ever served from there.
    #[error("the source holds no installation: it has no keys")]
    NoInstallation,
    /// The target belongs to somebody else.
    #[error(
        "the target holds an installation of its own, which would be overwritten: copy into an \
         empty database"
    )]
    Foreign,
    /// The target was used.
    #[error(
        "the target was changed after it was copied ({table}): it has been served, and what it \
         has issued and ended since would be lost. To start over, copy into an empty database"
    )]
    Changed {
        /// The first table that shows it.
        table: &'static str,
    },
    /// A file that is or becomes a backup.
    #[error("{error}")]
    File {
        /// What happened.
        error: StoreError,
    },
    /// A file that nobody has taken as a backup.
    #[error("it is no backup that `tokenry backup` has taken whole")]
    NoBackup,
    /// A backup is not what it was when it was taken.
    #[error(
        "the backup is damaged: {table} is not what it was when the backup was taken. Nothing was \
         changed; restore another one"
    )]
    Damaged {
        /// The first table that shows it.
        table: &'static str,
    },
    /// The clock cannot be right.
    #[error(
        "the backup was taken at {taken_at}, and this machine's clock says {now}. By the time \
         between them it is known which ids may have been given since: set the clock right"
    )]
    TakenLater {
        /// By the clock of the machine that it was taken on.
        taken_at: Timestamp,
        /// By this machine's.
        now: Timestamp,
    },
    /// A file of lines, or whoever reads them.
    #[error("{0}")]
    Lines(std::io::Error),
    /// A line of an export.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The database that is replaced is another installation's.
    #[error(
        "the database that is replaced is another installation's: it does not know what was \
         revoked since the backup was taken"
    )]
    NoKin,
    /// The copy is not what it should be.
    #[error(
        "verification failed: {table} differs, first at {first}. Was one of the databases used \
         meanwhile? Run the copy again; the target is marked as unfinished until it is whole"
    )]
    Differs {
        /// The first table that does.
        table: &'static str,
        /// The key of the first row that does.
        first: String,
    },
}

/// A database, opened for one copy.
#[derive(Clone)]
pub struct Side {
    role: Role,
    end: Arc<dyn End>,
}

impl Side {
    /// Opens a file. Whoever serves it has to be kept out by the caller (`serve.lock`).
    pub fn open_sqlite(path: &Path, role: Role) -> Result<Self> {
        let opened = SqliteEnd::open(path, role);
        let end = opened.map_err(|error| CopyError::Store { side: role, error })?;
        Ok(Self { role, end: Arc::new(end) })
    }

    /// Opens the schema that an address names. It is refused while nodes are connected to it.
    pub async fn open_postgres(
        address: PostgresAddress,
        role: Role,
        options: PostgresOptions,
    ) -> Result<Self> {
        let end = PostgresEnd::open(address, role, options).await?;
        Ok(Self { role, end: Arc::new(end) })
    }

    /// The keys, as they are sealed.
    pub async fn list_keys(&self) -> Result<Vec<SealedKey>> {
        let rows = self.read_whole(mark::keys()).await?;
        let keys: Option<_> = rows.into_iter().map(|row| sealed_key(row.0)).collect();
        keys.ok_or_else(|| self.failed(StoreError::Corrupt("a key".to_owned())))
    }

    async fn read_whole(&self, table: &'static Table) -> Result<Vec<tables::Row>> {
        self.tell(self.end.read(table, None, usize::MAX).await)
    }

    fn tell<T>(&self, done: crate::Result<T>) -> Result<T> {
        done.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: StoreError) -> CopyError {
        CopyError::Store { side: self.role, error }
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Side").field(&self.role).finish()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Source | Self::Snapshot => "source",
            Self::Target => "target",
        })
    }
}

fn sealed_key(row: Vec<Value>) -> Option<SealedKey> {
    let [Value::Text(purpose), Value::Integer(number), sealed, Value::Integer(created_at)] =
        <[Value; 4]>::try_from(row).ok()?
    else {
        return None;
    };
    let sealed = match sealed {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    Some(SealedKey {
        purpose: words::parse_key_purpose(&purpose)?,
        number: number.try_into().ok()?,
        sealed,
        created_at: Timestamp::from_millis(created_at),
    })
}

/// A table that both sides have alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: &'static str,
    /// Rows of it, on both sides.
    pub rows: u64,
    /// Rows that this run has written or removed, because they were not there or not the same.
    pub changed: u64,
    /// The SHA-256 of all rows, read from both sides.
    pub digest: [u8; 32],
}

/// Makes the target what the source is, and tells what it consists of.
pub async fn copy(source: &Side, target: &Side, progress: &Progress) -> Result<Vec<Copied>> {
    mark::admit(source, target, progress).await?;
    replace(source, target, progress).await
}

/// The same, whatever the target holds.
pub async fn replace(source: &Side, target: &Side, progress: &Progress) -> Result<Vec<Copied>> {
    mark::begin(target).await?;
    target.tell(target.end.begin().await)?;
    let total = count(source).await?;
    let meter = progress.stage(Stage::Copy, total);
    let changed = transfer::all(source, target, &meter).await?;
    transfer::raise_leases(source, target).await?;
    meter.end();
    let meter = progress.stage(Stage::Finish, total);
    target.tell(target.end.finish().await)?;
    meter.end();
    let meter = progress.stage(Stage::Verify, total);
    let copied = verify_all(source, target, changed, &meter).await?;
    mark::finish(target, &copied).await?;
    meter.end();
    Ok(copied)
}

/// Reads all tables from both sides; `changed` says how many rows of each this run has changed.
async fn verify_all(
    source: &Side,
    target: &Side,
    changed: impl IntoIterator<Item = u64>,
    meter: &Meter,
) -> Result<Vec<Copied>> {
    let mut copied = Vec::new();
    for (table, changed) in TABLES.iter().zip(changed) {
        let Amount { rows, digest } = verify(source, target, table, meter).await?;
        copied.push(Copied { table: table.name, rows, changed, digest });
    }
    Ok(copied)
}

/// How many rows there are to copy.
async fn count(side: &Side) -> Result<u64> {
    let mut total = 0;
    for table in &TABLES {
        total += side.tell(side.end.count(table).await)?;
    }
    Ok(total)
}

/// Reads a table from both sides at once.
async fn verify(
    source: &Side,
    target: &Side,
    table: &'static Table,
    meter: &Meter,
) -> Result<Amount> {
    let ours = tokio::spawn(digest::of(source.clone(), table, Some(meter.clone())));
    let theirs = tokio::spawn(digest::of(target.clone(), table, None));
    let ours = ours.await.unwrap_or_else(|_| Err(source.failed(given_up())))?;
    let theirs = theirs.await.unwrap_or_else(|_| Err(target.failed(given_up())))?;
    if ours == theirs { Ok(ours) } else { Err(first_difference(source, target, table).await?) }
}

async fn first_difference(
    source: &Side,
    target: &Side,
    table: &'static Table,
) -> Result<CopyError> {
    let mut merge = Merge::of(source, target, table);
    let mut first = "a row that has changed meanwhile".to_owned();
    while let Some(finding) = merge.next().await? {
        if let Finding::Missing(row) | Finding::Differs { source: row, .. } | Finding::Extra(row) =
            finding
        {
            first = row.name(table);
            break;
        }
    }
    Ok(CopyError::Differs { table: table.name, first })
}
