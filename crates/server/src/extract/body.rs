//! Reading bodies within the limits.

use std::error::Error;

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Over the limit in bytes.
    TooLarge(usize),
    /// It did not arrive in time.
    TooSlow,
    /// It broke off, or cannot be told from what follows it (RFC 9112 §7.1).
    Broken,
}

/// The error of a body that was waited for as long as anybody waits.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TooSlow;

/// Reads the whole body, at most `max` bytes. One that is announced as longer is not waited for.
pub async fn read(body: Body, max: usize) -> Result<Bytes, BodyError> {
    if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > max) {
        return Err(BodyError::TooLarge(max));
    }
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(max)),
        Err(error) if comes_from::<TooSlow>(error.as_ref()) => Err(BodyError::TooSlow),
        Err(_) => Err(BodyError::Broken),
    }
}

/// Bodies are wrapped on their way to a handler, and so are their errors.
fn comes_from<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(comes_from::<E>)
}

impl From<BodyError> for crate::respond::ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max) => Self::TooLarge(max),
            BodyError::TooSlow => Self::Timeout,
            BodyError::Broken => Self::BrokenBody,
        }
    }
}

impl From<BodyError> for crate::respond::OAuthError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max) => Self::TooLarge(max),
            BodyError::TooSlow => Self::Timeout,
            BodyError::Broken => Self::BrokenBody,
        }
    }
}
