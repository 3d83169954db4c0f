//! Calls: what is sent to the database in one go, what can go wrong with it, and when it may be
//! sent again.

use std::{
    borrow::Cow,
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    time::Duration,
};

use tokio_postgres::{
    Row,
    error::{DbError, SqlState},
};

use super::values::Value;
use crate::StoreError;

/// How often a call is sent, the first time included.
pub(super) const ATTEMPTS_MAX: u32 = 12;
/// The pause before a call is sent a second time, on average.
const PAUSE: Duration = Duration::from_millis(2);
/// How often that pause doubles.
const DOUBLINGS_MAX: u32 = 6;

/// A statement, and what it is given.
pub(super) struct Query {
    pub(super) sql: Cow<'static, str>,
    pub(super) values: Vec<Value>,
}

impl Query {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }
}

/// Whether a call may be sent again when nobody knows if it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Twice is as good as once.
    Harmless,
    /// It must happen once at most.
    Never,
}

/// One event or one look.
pub(super) struct Call {
    /// Carried out first, in the same transaction: what the query then sees was committed before
    /// these locks were had.
    pub(super) first: Option<Query>,
    pub(super) query: Query,
    pub(super) repeat: Repeat,
}

/// The rows that a call has found.
pub(super) struct Found {
    /// Of its first statement, if it has two.
    pub(super) first: Vec<Row>,
    pub(super) rows: Vec<Row>,
}

impl Call {
    /// One statement, which is a transaction by itself.
    pub(super) fn new(
        repeat: Repeat,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Self {
        Self { first: None, query: Query::new(sql, values), repeat }
    }

    /// A look.
    pub(super) fn read(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self::new(Repeat::Harmless, sql, values)
    }

    /// An event.
    pub(super) fn write(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self::new(Repeat::Never, sql, values)
    }

    /// The same with a statement before it.
    pub(super) fn behind(self, first: Query) -> Self {
        Self { first: Some(first), ..self }
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// What the database or the way to it says.
    Database(tokio_postgres::Error),
    /// It was not asked, or has not answered in time.
    Unavailable(String),
    /// It holds what cannot be.
    Corrupt(String),
}

impl Failure {
    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Database(error) => error.code(),
            Self::Unavailable(_) | Self::Corrupt(_) => None,
        }
    }

    pub(super) fn is(&self, state: &SqlState) -> bool {
        self.state() == Some(state)
    }

    /// Whether it is the unique constraint of that name that was violated.
    pub(super) fn violates(&self, constraint: &str) -> bool {
        match self {
            Self::Database(error) => error.as_db_error().is_some_and(|error| {
                *error.code() == SqlState::UNIQUE_VIOLATION
                    && error.constraint() == Some(constraint)
            }),
            Self::Unavailable(_) | Self::Corrupt(_) => false,
        }
    }

    /// Two transactions were in each other's way: nothing of this one was carried out.
    pub(super) fn is_conflict(&self) -> bool {
        self.is(&SqlState::T_R_SERIALIZATION_FAILURE) || self.is(&SqlState::T_R_DEADLOCK_DETECTED)
    }

    /// It was refused by a server that only reads, or that does not know what was prepared: another
    /// connection leads to one that does.
    fn is_elsewhere(&self) -> bool {
        let states = [
            &SqlState::READ_ONLY_SQL_TRANSACTION,
            &SqlState::FEATURE_NOT_SUPPORTED,
            &SqlState::INVALID_SQL_STATEMENT_NAME,
        ];
        states.into_iter().any(|state| self.is(state))
    }

    /// The database said no, and the connection is as good as before.
    pub(super) fn leaves_connection(&self) -> bool {
        // Classes 08 and 57P: lost, or going down.
        let is_gone =
            |state: &SqlState| ["08", "57P"].iter().any(|way| state.code().starts_with(way));
        self.state().is_some_and(|state| !is_gone(state)) && !self.is_elsewhere()
    }

    /// Whether the call can be sent again: nothing of it was carried out, or that does no harm.
    pub(super) fn allows(&self, repeat: Repeat) -> bool {
        let is_lost = matches!(self, Self::Database(_)) && !self.leaves_connection();
        self.is_conflict() || self.is_elsewhere() || (repeat == Repeat::Harmless && is_lost)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(reason) => Self::Unavailable(reason),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(reason) => Self::Unavailable(reason),
            Failure::Corrupt(what) => Self::Corrupt(what),
            Failure::Database(error) if is_corrupt(&error) => Self::Corrupt(tell(&error)),
            Failure::Database(error) => Self::Unavailable(tell(&error)),
        }
    }
}

/// What was sent or what is there cannot be right: data, constraints, definitions, broken pages.
fn is_corrupt(error: &tokio_postgres::Error) -> bool {
    let Some(state) = error.code() else {
        return false;
    };
    // What the row belongs to was deleted and purged while the request was under way.
    *state != SqlState::FOREIGN_KEY_VIOLATION
        && ["22", "23", "42", "XX001", "XX002"].iter().any(|class| state.code().starts_with(class))
}

/// In words, without the details, which may quote rows.
pub(super) fn tell(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => tell_database(said),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// What the database itself says, in the same way.
pub(super) fn tell_database(said: &DbError) -> String {
    format!("{} ({})", said.message(), said.code().code())
}

pub(super) fn unavailable(reason: &str) -> Failure {
    Failure::Unavailable(reason.to_owned())
}

/// How long to wait after so many attempts: longer each time, and never as long as anybody else.
pub(super) fn pause(attempts: u32) -> Duration {
    let average = PAUSE * 2_u32.pow(attempts.saturating_sub(1).min(DOUBLINGS_MAX));
    jitter(average)
}

/// Half to one and a half of a time.
pub(super) fn jitter(average: Duration) -> Duration {
    // The keys of a hash map are the randomness that the standard library has; nothing secret is
    // made of it.
    let random = RandomState::new().build_hasher().finish() % 1_024;
    let part = u32::try_from(random).unwrap_or(512);
    average / 2 + average * part / 1_024
}
