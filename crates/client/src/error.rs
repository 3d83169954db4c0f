//! What can go wrong.

use std::time::Duration;

use http::StatusCode;

use crate::{
    refusal::{Refusal, RefusalKind},
    unreadable::Unreadable,
};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be made: an id that is none, an address that cannot be read, no
    /// credentials. Nothing was sent.
    #[error("{0}")]
    Request(String),
    /// The server refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The server answered something else than was asked for.
    #[error(transparent)]
    Unreadable(Box<Unreadable>),
    /// The page that was read names itself as the next one.
    #[error("the list goes on at the page that was read: ask for smaller pages, or again later")]
    Endless,
    /// No answer came.
    #[cfg(feature = "client")]
    #[error(transparent)]
    Transport(#[from] crate::TransportError),
    /// There is no access token to ask with.
    #[cfg(feature = "client")]
    #[error(transparent)]
    TokenSource(std::sync::Arc<crate::TokenSourceError>),
    /// A hook or a source of credentials stopped the request.
    #[error("the request was stopped: {0}")]
    Stopped(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The client was closed before the request was sent.
    #[error("the client is closed")]
    Closed,
}

impl Error {
    /// The refusal, if the server refused what was asked or the tokens to ask with.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            #[cfg(feature = "client")]
            Self::TokenSource(error) => error.refusal(),
            _ => None,
        }
    }

    /// What kind of refusal it is, if the server refused.
    pub fn kind(&self) -> Option<RefusalKind> {
        self.refusal().map(Refusal::kind)
    }

    /// The status of the answer, if one came.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Unreadable(unreadable) => Some(unreadable.status_code()),
            error => error.refusal().map(Refusal::status),
        }
    }

    /// How long the server asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(Refusal::retry_after)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(Box::new(unreadable))
    }
}
