//! Looking at requests and answers, and changing requests, on their way.

use bytes::Bytes;

use crate::{Error, TransportError, request::Response};

/// One attempt at an operation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Attempt {
    /// The operation: `oauth_tokens.show`.
    pub operation: &'static str,
    /// 1 for the first.
    pub number: u32,
}

/// Something of yours on the way of every request: a signature, a metric, a circuit breaker.
pub trait Hook: Send + Sync + 'static {
    /// Before a request is sent. It may be changed; an error stops the operation, see
    /// [`Error::Stopped`].
    fn before(&self, attempt: Attempt, request: &mut http::Request<Bytes>) -> Result<(), Error> {
        let _ = (attempt, request);
        Ok(())
    }

    /// After an answer came, whatever its status.
    fn answered(&self, attempt: Attempt, response: &Response) {
        let _ = (attempt, response);
    }

    /// After no answer came.
    fn failed(&self, attempt: Attempt, error: &TransportError) {
        let _ = (attempt, error);
    }
}
