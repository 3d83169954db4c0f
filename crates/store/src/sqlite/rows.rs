//! Rows: reading columns in order, and the few ways to run a statement.

use std::ops::ControlFlow;

use rusqlite::{
    Connection, ErrorCode, Params, Row, Statement,
    ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
    types::{FromSql, ValueRef},
};

use crate::{Conditional, Result, StoreError, columns::ReadColumns};

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

    /// The next column, which `read` must understand.
    fn value<U>(&mut self, read: impl FnOnce(ValueRef<'_>) -> Option<U>) -> Result<U> {
        let value = read(self.row.get_ref(self.at)?).ok_or_else(|| self.corrupt())?;
        self.at += 1;
        Ok(value)
    }

    fn corrupt(&self) -> StoreError {
        let name = self.row.as_ref().column_name(self.at).unwrap_or("?");
        StoreError::Corrupt(format!("column {name}"))
    }
}

impl ReadColumns for Columns<'_, '_> {
    fn integer<U>(&mut self, read: impl FnOnce(Option<i64>) -> Option<U>) -> Result<U> {
        self.value(|value| read(value.as_i64_or_null().ok()?))
    }

    fn characters<U>(&mut self, read: impl FnOnce(Option<&str>) -> Option<U>) -> Result<U> {
        self.value(|value| read(value.as_str_or_null().ok()?))
    }

    fn bytes<U>(&mut self, read: impl FnOnce(Option<&[u8]>) -> Option<U>) -> Result<U> {
        self.value(|value| read(value.as_blob_or_null().ok()?))
    }

    fn text(&mut self) -> Result<String> {
        self.word(|text| Some(text.to_owned()))
    }

    fn text_set(&mut self) -> Result<Option<String>> {
        self.word_set(|text| Some(text.to_owned()))
    }

    fn truth<U>(&mut self, read: impl FnOnce(Option<bool>) -> Option<U>) -> Result<U> {
        self.integer(|number| read(number.map(|number| number != 0)))
    }

    fn skip_to(&mut self, at: usize) {
        self.at = at;
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
