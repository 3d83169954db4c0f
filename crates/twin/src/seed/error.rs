//! Why a seed cannot be planted, and where it says so.

use std::{fmt, io, path::PathBuf};

use tokenry_protocol::{api::error::FieldErrors, oauth::error::ErrorResponse};
use tokenry_server::passwords::PasswordError;
use tokenry_store::StoreError;

/// Why a seed cannot be read or planted.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// The text is no TOML or JSON, or has names or types that a seed does not have. It tells the
    /// line.
    #[error("{0}")]
    Text(String),
    /// Something does not fit together.
    #[error("{0}")]
    Entry(EntryError),
    /// A user's password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with one entry of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    /// Which entry.
    pub entry: Entry,
    /// The line on which it begins, where the text tells.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// An entry of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which list it is in.
    pub list: List,
    /// Its place there, from 0.
    pub at: usize,
    /// By what people know it.
    pub name: Option<String>,
}

/// A list of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `users`
    Users,
    /// `clients`
    Clients,
    /// `global_clients`
    GlobalClients,
    /// `api_tokens`
    ApiTokens,
    /// `tokens`
    Tokens,
}

impl List {
    /// The name that the list has in a seed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Clients => "clients",
            Self::GlobalClients => "global_clients",
            Self::ApiTokens => "api_tokens",
            Self::Tokens => "tokens",
        }
    }
}

impl Entry {
    /// The error that this entry has a problem.
    pub fn refuse(&self, problem: impl Into<String>) -> SeedError {
        let (entry, problem) = (self.clone(), problem.into());
        SeedError::Entry(EntryError { entry, line: None, problem })
    }

    /// The same for what a record's own rules say.
    pub(super) fn refuse_fields(&self, errors: &FieldErrors) -> SeedError {
        let told = errors.fields().flat_map(|field| errors.of(field));
        let told: Vec<_> = told.map(|error| error.description.as_str()).collect();
        self.refuse(told.join("; "))
    }

    /// The same for what the grants' rules say.
    pub(super) fn refuse_grant(&self, answer: &ErrorResponse) -> SeedError {
        self.refuse(format!("{}: {}", answer.error.as_str(), answer.error_description))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} number {}", self.list.as_str(), self.at + 1)?;
        match &self.name {
            Some(name) => write!(formatter, " ({name})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for EntryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}, ")?;
        }
        write!(formatter, "{}: {}", self.entry, self.problem)
    }
}
