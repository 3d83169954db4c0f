//! Reading bodies within the limits.

use axum::body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Over the limit in bytes.
    TooLarge(usize),
    /// The sender stopped, broke off or was too slow.
    Broken,
}

/// Reads the whole body, at most `max` bytes.
pub async fn read(body: Body, max: usize) -> Result<Vec<u8>, BodyError> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(max)),
        Err(_) => Err(BodyError::Broken),
    }
}

impl From<BodyError> for crate::respond::ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max) => Self::TooLarge(max),
            BodyError::Broken => Self::Timeout,
        }
    }
}

impl From<BodyError> for crate::respond::OAuthError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max) => Self::TooLarge(max),
            BodyError::Broken => Self::Timeout,
        }
    }
}
