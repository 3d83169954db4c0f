//! Rows: reading columns in order, and the few ways to run a statement.

use std::ops::ControlFlow;

use rusqlite::{
    Connection, ErrorCode, Params, Row, Statement, ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
    types::FromSql,
};
use tokenry_protocol::{
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

use crate::{Conditional, Result, StoreError};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sqlite;
        let is_corrupt = match &error {
            // What the row belongs to was deleted and purged while the request was under way.
            Sqlite::SqliteFailure(failure, _)
                if failure.extended_code == SQLITE_CONSTRAINT_FOREIGNKEY =>
            {
                false
            }
            Sqlite::SqliteFailure(failure, _) => matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ConstraintViolation
            ),
            Sqlite::FromSqlConversionFailure(..)
            | Sqlite::IntegralValueOutOfRange(..)
            | Sqlite::InvalidColumnType(..) => true,
            _ => false,
        };
        if is_corrupt {
            Self::Corrupt(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// The columns of one row, read from left to right.
pub(super) struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    at: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    const fn new(row: &'row Row<'statement>) -> Self {
        Self { row, at: 0 }
    }

    /// Goes on at a column further to the right.
    pub(super) const fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next column as it is.
    pub(super) fn plain<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// The next column, which `read` must understand.
    pub(super) fn read<T: FromSql, U>(&mut self, read: impl FnOnce(T) -> Option<U>) -> Result<U> {
        let at = self.at;
        read(self.plain()?).ok_or_else(|| self.corrupt(at))
    }

    /// The next column, which `read` must understand unless it is NULL.
    pub(super) fn read_set<T: FromSql, U>(
        &mut self,
        read: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>> {
        let at = self.at;
        self.plain::<Option<T>>()?
            .map(|value| read(value).ok_or_else(|| self.corrupt(at)))
            .transpose()
    }

    /// The next column, a word that `parse` knows.
    pub(super) fn word<U>(&mut self, parse: impl FnOnce(&str) -> Option<U>) -> Result<U> {
        self.read(|word: String| parse(&word))
    }

    /// The next column, an id.
    pub(super) fn id<I: TryFrom<u64>>(&mut self) -> Result<I> {
        self.read(|id: u64| I::try_from(id).ok())
    }

    /// The next column, a time.
    pub(super) fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self.plain()?))
    }

    /// The next column, a time or NULL.
    pub(super) fn time_set(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.plain::<Option<i64>>()?.map(Timestamp::from_millis))
    }

    /// The next column, seconds or NULL.
    pub(super) fn seconds_set(&mut self) -> Result<Option<Seconds>> {
        Ok(self.plain::<Option<u32>>()?.map(Seconds))
    }

    /// The next column, a hash.
    pub(super) fn hash(&mut self) -> Result<SecretHash> {
        Ok(SecretHash::from_bytes(self.plain()?))
    }

    /// The next column, a hash or NULL.
    pub(super) fn hash_set(&mut self) -> Result<Option<SecretHash>> {
        Ok(self.plain::<Option<[u8; 32]>>()?.map(SecretHash::from_bytes))
    }

    /// The next column, a scope.
    pub(super) fn scope(&mut self) -> Result<Scope> {
        self.word(|words| Scope::parse(words).ok())
    }

    /// The next column, a scope or NULL.
    pub(super) fn scope_set(&mut self) -> Result<Option<Scope>> {
        self.read_set(|words: String| Scope::parse(&words).ok())
    }

    /// The next column, JSON.
    pub(super) fn json<U: serde::de::DeserializeOwned>(&mut self) -> Result<U> {
        self.word(|text| serde_json::from_str(text).ok())
    }

    /// The next column, JSON or NULL.
    pub(super) fn json_set<U: serde::de::DeserializeOwned>(&mut self) -> Result<Option<U>> {
        self.read_set(|text: String| serde_json::from_str(&text).ok())
    }

    fn corrupt(&self, at: usize) -> StoreError {
        let name = self.row.as_ref().column_name(at).unwrap_or("?");
        StoreError::Corrupt(format!("column {name}"))
    }
}

/// The row that a statement finds, if it finds one.
pub(super) fn find<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    first(&mut *connection.prepare_cached(sql)?, params, read)
}

/// The row that a prepared statement finds, if it finds one.
pub(super) fn first<T>(
    statement: &mut Statement<'_>,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(&mut Columns::new(row))).transpose()
}

/// Every row that a statement finds.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&mut Columns<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&mut Columns::new(row))?);
    }
    Ok(found)
}

/// Visits the rows that a statement finds, until there was enough.
pub(super) fn visit(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    visit: impl FnMut(&mut Columns<'_, '_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    visit_found(&mut *connection.prepare_cached(sql)?, params, visit)
}

/// Visits the rows that a prepared statement finds, until there was enough.
pub(super) fn visit_found(
    statement: &mut Statement<'_>,
    params: impl Params,
    mut visit: impl FnMut(&mut Columns<'_, '_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        if visit(&mut Columns::new(row))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Runs several statements that must see the same rows.
pub(super) fn in_one_snapshot<T>(
    connection: &Connection,
    look: impl FnOnce() -> Result<T>,
) -> Result<T> {
    // In memory reads are between the events of a transaction.
    if !connection.is_autocommit() {
        return look();
    }
    let snapshot = connection.unchecked_transaction()?;
    let found = look()?;
    snapshot.commit()?;
    Ok(found)
}

/// The one value of a statement that always has one.
pub(super) fn value<T: FromSql>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<T> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params, |row| row.get(0))?)
}

/// How many rows a statement writes.
pub(super) fn write(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// Writes one row if the statement's condition holds.
pub(super) fn write_if(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Conditional> {
    at_most_one(write(connection, sql, params)?)
}

/// What it means that so many rows were written.
pub(super) fn at_most_one(rows: usize) -> Result<Conditional> {
    match rows {
        0 => Ok(Conditional::Already),
        1 => Ok(Conditional::Now),
        rows => Err(StoreError::Corrupt(format!("{rows} rows instead of one"))),
    }
}
