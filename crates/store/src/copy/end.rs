//! What each engine has to be able to do so that an installation can be copied out of it and into
//! it. What tables consist of is told in [`tables`](super::tables) alone.

use std::path::Path;

use async_trait::async_trait;

use super::tables::{Row, Table};
use crate::Result;

/// Whether an installation is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is read, all of it as of one moment, and left as it is.
    Source,
    /// The same, beside whoever serves it. So its schema is not brought up to date, and has to be.
    Snapshot,
    /// It is made the same as the source.
    Target,
}

/// One database, opened for one copy.
#[async_trait]
pub(crate) trait End: Send + Sync + 'static {
    /// How many rows a table has.
    async fn count(&self, table: &'static Table) -> Result<u64>;

    /// The highest id of a table that is read in parts, or 0.
    async fn last_id(&self, table: &'static Table) -> Result<i64>;

    /// Rows in ascending order of their key: those after an id and at most so many of them, or all
    /// of a table that is not read in parts.
    async fn read(
        &self,
        table: &'static Table,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Row>>;

    /// Adds rows, in place of those that have their keys, in one transaction.
    async fn write(&self, table: &'static Table, rows: Vec<Row>) -> Result<()>;

    /// The same with marks, all in one transaction.
    async fn write_noted(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        marks: Vec<Row>,
    ) -> Result<()>;

    /// Removes the rows with these keys, in one transaction.
    async fn remove(&self, table: &'static Table, keys: Vec<Row>) -> Result<()>;

    /// Frees the names of the rows with these keys, in one transaction.
    async fn free_names(&self, table: &'static Table, keys: Vec<Row>) -> Result<()>;

    /// Whether there is a table of that name.
    async fn has(&self, table: &'static Table) -> Result<bool>;

    /// Writes all of it into an empty file as it is, page by page, and tells how far that is.
    /// `false` where it does not consist of such pages.
    async fn write_pages(&self, _file: &Path, _tell: PagesTold) -> Result<bool> {
        Ok(false)
    }

    /// Makes the table of marks.
    async fn make_marks(&self) -> Result<()>;

    /// Gives up what is derived from the rows.
    async fn begin(&self) -> Result<()>;

    /// Makes anew what is derived from the rows, and has everything in its place.
    async fn finish(&self) -> Result<()>;
}

/// Whoever is told how many pages of how many are done.
pub(crate) type PagesTold = Box<dyn Fn(u64, u64) + Send>;

/// Makes the table of marks; both engines understand it.
pub(crate) const MAKE_MARKS: &str = "CREATE TABLE IF NOT EXISTS copied_tables \
    (name text NOT NULL PRIMARY KEY, row_count bigint NOT NULL, digest bytea)";

/// Whether a copy into this database is under way, or was broken off, if it has marks.
pub(crate) const IS_UNFINISHED: &str =
    "SELECT EXISTS (SELECT 1 FROM copied_tables WHERE digest IS NULL)";
