//! Rows: reading columns in order.

use tokio_postgres::{Row, types::FromSql};

use super::values::unescape;
use crate::{Conditional, Result, StoreError, columns::ReadColumns};

/// The columns of one row, read from left to right.
pub(super) struct Columns<'row> {
    row: &'row Row,
    at: usize,
}

impl<'row> Columns<'row> {
    pub(super) const fn new(row: &'row Row) -> Self {
        Self { row, at: 0 }
    }

    /// The next column, which `read` must understand.
    fn value<T: FromSql<'row>, U>(&mut self, read: impl FnOnce(T) -> Option<U>) -> Result<U> {
        let value = self.row.try_get(self.at).ok().and_then(read);
        let value = value.ok_or_else(|| self.corrupt())?;
        self.at += 1;
        Ok(value)
    }

    fn corrupt(&self) -> StoreError {
        let name = self.row.columns().get(self.at).map_or("?", |column| column.name());
        StoreError::Corrupt(format!("column {name}"))
    }
}

impl ReadColumns for Columns<'_> {
    fn integer<U>(&mut self, read: impl FnOnce(Option<i64>) -> Option<U>) -> Result<U> {
        self.value(read)
    }

    fn characters<U>(&mut self, read: impl FnOnce(Option<&str>) -> Option<U>) -> Result<U> {
        self.value(read)
    }

    fn bytes<U>(&mut self, read: impl FnOnce(Option<&[u8]>) -> Option<U>) -> Result<U> {
        self.value(read)
    }

    fn text(&mut self) -> Result<String> {
        self.word(unescape)
    }

    fn text_set(&mut self) -> Result<Option<String>> {
        self.word_set(unescape)
    }

    fn truth<U>(&mut self, read: impl FnOnce(Option<bool>) -> Option<U>) -> Result<U> {
        self.value(read)
    }

    fn skip_to(&mut self, at: usize) {
        self.at = at;
    }
}

/// Every row, read.
pub(super) fn list<T>(
    rows: &[Row],
    mut read: impl FnMut(&mut Columns<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    rows.iter().map(|row| read(&mut Columns::new(row))).collect()
}

/// The first row, read, if there is one.
pub(super) fn first<T>(
    rows: &[Row],
    read: impl FnOnce(&mut Columns<'_>) -> Result<T>,
) -> Result<Option<T>> {
    rows.first().map(|row| read(&mut Columns::new(row))).transpose()
}

/// The row of a statement that always has one.
pub(super) fn only<T>(rows: &[Row], read: impl FnOnce(&mut Columns<'_>) -> Result<T>) -> Result<T> {
    first(rows, read)?.ok_or_else(missing)
}

fn missing() -> StoreError {
    StoreError::Corrupt("a row is missing".to_owned())
}

/// Whether a statement that answers how many rows it has written has written its one.
pub(super) fn written(rows: &[Row]) -> Result<Conditional> {
    match number::<u64>(rows)? {
        0 => Ok(Conditional::Already),
        1 => Ok(Conditional::Now),
        rows => Err(StoreError::Corrupt(format!("{rows} rows instead of one"))),
    }
}

/// The number that a statement always answers.
pub(super) fn number<N: TryFrom<i64>>(rows: &[Row]) -> Result<N> {
    rows.first().map_or_else(|| Err(missing()), |row| Columns::new(row).number())
}

/// The numbers that a statement answers.
pub(super) fn numbers<T: FromIterator<N>, N: TryFrom<i64>>(rows: &[Row]) -> Result<T> {
    rows.iter().map(|row| Columns::new(row).number()).collect()
}
