//! What can go wrong with a store; never an answer of the protocol.

/// Why a read or write has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is away, full, or overloaded; the same call may succeed later. Of a write it is
    /// not known whether it happened.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// What the store holds cannot be what was written.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the database has schema {found}, and this version knows {known}: a newer version has \
         brought it up to date, and there is no way back. Start a newer version, or restore a copy \
         that was made before the upgrade"
    )]
    SchemaTooNew {
        /// Of the database.
        found: u32,
        /// Of this program.
        known: u32,
    },
    /// The database was written by an older version of this program, and is to stay as it is.
    #[error(
        "the database has schema {found}, and this version writes {known}: do it with the version \
         that serves it, or start this version once, which brings it up to date"
    )]
    SchemaTooOld {
        /// Of the database.
        found: u32,
        /// Of this program.
        known: u32,
    },
    /// Somebody copies into the database, or was stopped while doing so.
    #[error(
        "a copy into this database has not finished: run the same `tokenry store copy` or \
         `tokenry restore` again, which goes on where it was"
    )]
    UnfinishedCopy,
}

impl StoreError {
    /// What happened, where it is said already that the store does not answer.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Unavailable(reason) => reason,
            error => error.to_string(),
        }
    }
}
