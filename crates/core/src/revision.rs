//! Clients, API tokens and users are read whole, changed and written back.
//!
//! A revision is written over the record that was decided on and over no other: whoever comes
//! second reads and decides again, or would undo the first change. The version of a record is its
//! `updated_at`, which every revision raises. So two within one millisecond, or by nodes whose
//! clocks disagree, are told apart as well, and no version ever comes back.

use tokenry_protocol::time::Timestamp;

use crate::{api_token::ApiToken, client::Client, user::User};

/// A record as a decision changed it, and the version that it was before.
#[derive(Debug, Clone)]
pub struct Revision<T> {
    before: Timestamp,
    record: T,
}

/// A record that knows when it was last changed.
pub trait Versioned {
    /// When.
    fn updated_at(&self) -> Timestamp;
    /// The same record, changed at another time.
    #[must_use]
    fn updated(self, at: Timestamp) -> Self;
}

impl<T: Versioned> Revision<T> {
    /// `record` instead of `before`. It was changed when it says so, but in any case later than
    /// `before`, if by a millisecond.
    pub fn new(before: &T, record: T) -> Self {
        let before = before.updated_at();
        let next = Timestamp::from_millis(before.as_millis().saturating_add(1));
        let at = record.updated_at().max(next);
        Self { before, record: record.updated(at) }
    }
}

impl<T> Revision<T> {
    /// The `updated_at` that the record must still have for this to be written.
    pub const fn before(&self) -> Timestamp {
        self.before
    }

    /// The record as it will be.
    pub const fn record(&self) -> &T {
        &self.record
    }
}

impl Versioned for Client {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}

impl Versioned for ApiToken {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}

impl Versioned for User {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}
