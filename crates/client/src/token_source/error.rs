//! Why there is no access token.

use std::sync::Arc;

use crate::{Error, Refusal, token_source::StorageError};

/// Why there is no access token. Nothing is lost by any of these: what is stored stays stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSourceError {
    /// Nothing that is stored can be renewed: there is no refresh token, or the server refused it
    /// (`invalid_grant`). Only the user can help, by authorizing again. The server is not asked
    /// again before other tokens are stored.
    #[error("the user must authorize again: {}", reason(.0.as_deref()))]
    AuthorizeAgain(Option<Arc<Refusal>>),
    /// The server could not be asked, or gave no tokens for another reason. Later it may.
    #[error("no access token could be had: {0}")]
    Refresh(#[source] Error),
    /// The stored tokens could not be loaded.
    #[error("the stored tokens cannot be loaded: {0}")]
    Load(#[source] StorageError),
    /// New tokens could not be stored. What a renewal was answered is stored at the next call,
    /// before anything else.
    #[error("the new tokens cannot be stored: {0}")]
    Save(#[source] StorageError),
    /// The stored tokens are of another server or client, to which they are not shown.
    #[error("the stored tokens are {0}")]
    NotOurs(String),
    /// The runtime that the renewal ran in was shut down, or the storage panicked.
    #[error("the renewal was interrupted")]
    Interrupted,
}

fn reason(refusal: Option<&Refusal>) -> String {
    refusal.map_or_else(|| "there is no refresh token".to_owned(), ToString::to_string)
}

impl TokenSourceError {
    /// What the server said, if it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::AuthorizeAgain(refusal) => refusal.as_deref(),
            Self::Refresh(error) => error.refusal(),
            _ => None,
        }
    }
}
