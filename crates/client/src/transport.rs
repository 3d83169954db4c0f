//! The way to the server and back.

#[cfg(feature = "reqwest")]
mod reqwest;

use std::{error::Error as StdError, fmt};

use bytes::Bytes;

#[cfg(feature = "reqwest")]
pub(crate) use self::reqwest::{new as by_reqwest, of as of_reqwest};
use crate::{credentials::BoxFuture, request::Response};

/// The most bytes of an answer's body: the longest page of records is a hundredth of it.
#[cfg(feature = "reqwest")]
pub(crate) const BODY_MAX: usize = 16 << 20;

/// Something that sends a request and gives its answer: a library other than
/// [`reqwest`](https://docs.rs/reqwest), which is there already, or one in a test.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once. Redirects are not followed: they would carry credentials to
    /// whomever they name.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// What became of a request that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// There was no connection: nothing was sent.
    Connect,
    /// The connection broke. The server may have done what was asked.
    Lost,
    /// Nothing came in time. The server may have done what was asked.
    Timeout,
    /// The answer is larger than any that is asked for.
    TooLarge,
    /// The transport cannot send such a request.
    Unsendable,
}

/// Why no answer came.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// An error of this kind.
    pub fn new(kind: TransportErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// With what the transport says of it.
    pub fn with_source(
        kind: TransportErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// What became of the request.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            TransportErrorKind::Connect => "the server cannot be reached",
            TransportErrorKind::Lost => "the connection broke before the answer was whole",
            TransportErrorKind::Timeout => "no answer came in time",
            TransportErrorKind::TooLarge => "the answer is larger than any that was asked for",
            TransportErrorKind::Unsendable => "the request cannot be sent",
        })?;
        // The innermost reason is the one that helps: "Connection refused".
        let mut reason: Option<&(dyn StdError + 'static)> =
            self.source.as_deref().map(|source| source as _);
        while let Some(deeper) = reason.and_then(StdError::source) {
            reason = Some(deeper);
        }
        reason.map_or(Ok(()), |reason| write!(formatter, ": {reason}"))
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
