//! Rows: reading columns in order.

use tokenry_protocol::{
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};
use tokio_postgres::{Row, types::FromSql};

use super::values::unescape;
use crate::{Conditional, Result, StoreError};

/// The columns of one row, read from left to right.
pub(super) struct Columns<'row> {
    row: &'row Row,
    at: usize,
}

impl<'row> Columns<'row> {
    pub(super) const fn new(row: &'row Row) -> Self {
        Self { row, at: 0 }
    }

    /// Goes on at a column further to the right.
    pub(super) const fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next column as it is.
    pub(super) fn plain<T: FromSql<'row>>(&mut self) -> Result<T> {
        let value = self.row.try_get(self.at).map_err(|_| self.corrupt(self.at))?;
        self.at += 1;
        Ok(value)
    }

    /// The next column, which `read` must understand.
    pub(super) fn read<T: FromSql<'row>, U>(
        &mut self,
        read: impl FnOnce(T) -> Option<U>,
    ) -> Result<U> {
        let at = self.at;
        read(self.plain()?).ok_or_else(|| self.corrupt(at))
    }

    /// The next column, which `read` must understand unless it is NULL.
    pub(super) fn read_set<T: FromSql<'row>, U>(
        &mut self,
        read: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>> {
        let at = self.at;
        self.plain::<Option<T>>()?
            .map(|value| read(value).ok_or_else(|| self.corrupt(at)))
            .transpose()
    }

    /// The next column, a whole number of a narrower type.
    pub(super) fn number<N: TryFrom<i64>>(&mut self) -> Result<N> {
        self.read(|number: i64| N::try_from(number).ok())
    }

    /// The next column, a whole number of a narrower type or NULL.
    pub(super) fn number_set<N: TryFrom<i64>>(&mut self) -> Result<Option<N>> {
        self.read_set(|number: i64| N::try_from(number).ok())
    }

    /// The next column, text that somebody wrote.
    pub(super) fn text(&mut self) -> Result<String> {
        self.read(unescape)
    }

    /// The next column, text that somebody wrote or NULL.
    pub(super) fn text_set(&mut self) -> Result<Option<String>> {
        self.read_set(unescape)
    }

    /// The next column, a word that `parse` knows.
    pub(super) fn word<U>(&mut self, parse: impl FnOnce(&str) -> Option<U>) -> Result<U> {
        self.read(|word: &str| parse(word))
    }

    /// The next column, an id.
    pub(super) fn id<I: TryFrom<u64>>(&mut self) -> Result<I> {
        self.read(|id: i64| u64::try_from(id).ok().and_then(|id| I::try_from(id).ok()))
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
        Ok(self.number_set()?.map(Seconds))
    }

    /// The next column, a hash.
    pub(super) fn hash(&mut self) -> Result<SecretHash> {
        self.read(read_hash)
    }

    /// The next column, a hash or NULL.
    pub(super) fn hash_set(&mut self) -> Result<Option<SecretHash>> {
        self.read_set(read_hash)
    }

    /// The next column, a scope.
    pub(super) fn scope(&mut self) -> Result<Scope> {
        self.word(|words| Scope::parse(words).ok())
    }

    /// The next column, a scope or NULL.
    pub(super) fn scope_set(&mut self) -> Result<Option<Scope>> {
        self.read_set(|words: &str| Scope::parse(words).ok())
    }

    /// The next column, JSON.
    pub(super) fn json<U: serde::de::DeserializeOwned>(&mut self) -> Result<U> {
        self.word(|text| serde_json::from_str(text).ok())
    }

    /// The next column, JSON or NULL.
    pub(super) fn json_set<U: serde::de::DeserializeOwned>(&mut self) -> Result<Option<U>> {
        self.read_set(|text: &str| serde_json::from_str(text).ok())
    }

    fn corrupt(&self, at: usize) -> StoreError {
        let name = self.row.columns().get(at).map_or("?", |column| column.name());
        StoreError::Corrupt(format!("column {name}"))
    }
}

fn read_hash(bytes: &[u8]) -> Option<SecretHash> {
    bytes.try_into().ok().map(SecretHash::from_bytes)
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
