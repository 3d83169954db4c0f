//! How records are read from the columns of a row, whatever the engine: each engine hands out a
//! row's columns from left to right ([`ReadColumns`]), and each record is put together in one place
//! for all, beside the list of its columns.

pub(crate) mod api_tokens;
pub(crate) mod changes;
pub(crate) mod clients;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod refusals;
pub(crate) mod sign_in_sessions;
pub(crate) mod tokens;
pub(crate) mod users;

use serde::de::DeserializeOwned;
use tokenry_protocol::{
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

use crate::{Result, Tombstone};

/// The columns of one row, read from left to right. What is not of the kind that is asked for, or
/// is not understood, makes the row corrupt.
pub(crate) trait ReadColumns {
    /// The next column, a whole number or NULL, which `read` must understand.
    fn integer<U>(&mut self, read: impl FnOnce(Option<i64>) -> Option<U>) -> Result<U>;
    /// The next column, a word of ours or NULL, which `read` must understand.
    fn characters<U>(&mut self, read: impl FnOnce(Option<&str>) -> Option<U>) -> Result<U>;
    /// The next column, bytes or NULL, which `read` must understand.
    fn bytes<U>(&mut self, read: impl FnOnce(Option<&[u8]>) -> Option<U>) -> Result<U>;
    /// The next column, text that somebody wrote.
    fn text(&mut self) -> Result<String>;
    /// The next column, text that somebody wrote or NULL.
    fn text_set(&mut self) -> Result<Option<String>>;
    /// The next column, true or false or NULL, which `read` must understand.
    fn truth<U>(&mut self, read: impl FnOnce(Option<bool>) -> Option<U>) -> Result<U>;
    /// Goes on at a column further to the right.
    fn skip_to(&mut self, at: usize);

    /// The next column, true or false.
    fn flag(&mut self) -> Result<bool> {
        self.truth(|is_so| is_so)
    }

    /// The next column, a whole number of any type.
    fn number<N: TryFrom<i64>>(&mut self) -> Result<N> {
        self.integer(|number| number?.try_into().ok())
    }

    /// The next column, a whole number of any type or NULL.
    fn number_set<N: TryFrom<i64>>(&mut self) -> Result<Option<N>> {
        self.integer(|number| set(number, |number| number.try_into().ok()))
    }

    /// The next column, an id.
    fn id<I: TryFrom<u64>>(&mut self) -> Result<I> {
        self.integer(|id| u64::try_from(id?).ok()?.try_into().ok())
    }

    /// The next column, a time.
    fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self.number()?))
    }

    /// The next column, a time or NULL.
    fn time_set(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.number_set()?.map(Timestamp::from_millis))
    }

    /// The next column, seconds.
    fn seconds(&mut self) -> Result<Seconds> {
        Ok(Seconds(self.number()?))
    }

    /// The next column, seconds or NULL.
    fn seconds_set(&mut self) -> Result<Option<Seconds>> {
        Ok(self.number_set()?.map(Seconds))
    }

    /// The next column, as many bytes as there have to be.
    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH]> {
        self.bytes(|bytes| bytes?.try_into().ok())
    }

    /// The next column, a hash.
    fn hash(&mut self) -> Result<SecretHash> {
        Ok(SecretHash::from_bytes(self.array()?))
    }

    /// The next column, a hash or NULL.
    fn hash_set(&mut self) -> Result<Option<SecretHash>> {
        self.bytes(|hash| set(hash, |hash| hash.try_into().ok().map(SecretHash::from_bytes)))
    }

    /// The next column, a word that `parse` knows.
    fn word<U>(&mut self, parse: impl FnOnce(&str) -> Option<U>) -> Result<U> {
        self.characters(|word| parse(word?))
    }

    /// The next column, a word that `parse` knows or NULL.
    fn word_set<U>(&mut self, parse: impl FnOnce(&str) -> Option<U>) -> Result<Option<U>> {
        self.characters(|word| set(word, parse))
    }

    /// The next column, a scope.
    fn scope(&mut self) -> Result<Scope> {
        self.word(|words| Scope::parse(words).ok())
    }

    /// The next column, a scope or NULL.
    fn scope_set(&mut self) -> Result<Option<Scope>> {
        self.word_set(|words| Scope::parse(words).ok())
    }

    /// The next column, JSON.
    fn json<U: DeserializeOwned>(&mut self) -> Result<U> {
        self.word(|text| serde_json::from_str(text).ok())
    }

    /// The next column, JSON or NULL.
    fn json_set<U: DeserializeOwned>(&mut self) -> Result<Option<U>> {
        self.word_set(|text| serde_json::from_str(text).ok())
    }
}

/// From `name` and `deleted_at`.
pub(crate) fn read_tombstone(columns: &mut impl ReadColumns) -> Result<Tombstone> {
    Ok(Tombstone { name: columns.text()?, deleted_at: columns.time()? })
}

/// What may be NULL, and has to be understood if it is not.
#[expect(clippy::option_option, reason = "NULL is an answer, and what is not understood is none")]
fn set<T, U>(value: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    value.map_or(Some(None), |value| read(value).map(Some))
}
