//! Memory that the server holds, and bytes that a token takes on disk.

use std::{fs, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{database::Postgres, process::Programs, subject::Subject};

/// Tokens that are issued at a time.
const PART: u64 = 100_000;
/// After this the first jobs have run.
const REST: Duration = Duration::from_secs(2);

/// What the server takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Footprint {
    /// Tokens in the table at first.
    pub(crate) tokens: u64,
    /// Bytes of memory after a start.
    pub(crate) idle: u64,
    /// Tokens that were then issued.
    pub(crate) issued: u64,
    /// Bytes of memory after that.
    pub(crate) after: u64,
    /// Bytes on disk for each of them.
    pub(crate) bytes_a_token: f64,
    /// Bytes on disk for each token of the whole table at first.
    pub(crate) bytes_a_kept_token: f64,
    /// Bytes of the binary.
    pub(crate) binary: u64,
    /// What the database takes, where it is a server of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<OfDatabase>,
}

/// What a database server takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct OfDatabase {
    /// Bytes of memory of all its processes after a start of Tokenry.
    pub(crate) idle: u64,
    /// The same after the tokens were issued.
    pub(crate) after: u64,
    /// Bytes of the table of tokens for each of them, without indexes.
    pub(crate) table_bytes: f64,
    /// Bytes of its indexes for each of them.
    pub(crate) index_bytes: f64,
    /// Bytes of log that were written for each of them.
    pub(crate) log_bytes: f64,
}

/// Measures a server that has just been started, and ends it.
#[expect(clippy::cast_precision_loss, reason = "sizes of a few gigabytes")]
pub(crate) fn measure(
    programs: &Programs,
    subject: Subject,
    (tokens, issued): (u64, u64),
) -> Result<Footprint> {
    let folder = subject.data.folder.clone();
    let at_first = folder.size()?;
    std::thread::sleep(REST);
    let idle = subject.process.resident()?;
    let of_database = folder.server().map(Before::of).transpose()?;
    let mut left = issued;
    while left > 0 {
        let part = left.min(PART);
        subject.access_tokens(usize::try_from(part)?)?;
        left -= part;
    }
    std::thread::sleep(REST);
    let after = subject.process.resident()?;
    let database = of_database.map(|before| before.until_now(issued)).transpose()?;
    subject.process.stop()?;
    Ok(Footprint {
        tokens,
        idle,
        issued,
        after,
        bytes_a_token: folder.size()?.saturating_sub(at_first) as f64 / issued.max(1) as f64,
        bytes_a_kept_token: at_first as f64 / tokens.max(1) as f64,
        binary: fs::metadata(&programs.tokenry)?.len(),
        database,
    })
}

/// A database before tokens are issued.
struct Before<'a> {
    database: &'a Postgres,
    memory: u64,
    sizes: (u64, u64),
    log_written: u64,
}

impl<'a> Before<'a> {
    /// After a checkpoint: what follows pays for the first change of each page, as in earnest.
    fn of(database: &'a Postgres) -> Result<Self> {
        let cluster = &database.cluster;
        cluster.checkpoint();
        let (memory, sizes) = (cluster.memory()?, database.sizes_of_tokens()?);
        Ok(Self { database, memory, sizes, log_written: cluster.log_written()? })
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of a few gigabytes")]
    fn until_now(self, issued: u64) -> Result<OfDatabase> {
        let log = self.database.cluster.log_written()?;
        let (table, indexes) = self.database.sizes_of_tokens()?;
        let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / issued.max(1) as f64;
        Ok(OfDatabase {
            idle: self.memory,
            after: self.database.cluster.memory()?,
            table_bytes: each(table, self.sizes.0),
            index_bytes: each(indexes, self.sizes.1),
            log_bytes: each(log, self.log_written),
        })
    }
}
