//! Ids in paths: canonical digits, or the record does not exist.

use axum::{extract::FromRequestParts, http::request::Parts};
use tokenry_protocol::ids::{InvalidId, TokenId};

use crate::{request_path::PathSegment, respond::ApiError};

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: TryFrom<u64, Error = InvalidId>> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parts.extensions.get().and_then(PathSegment::decoded);
        let id = text.and_then(|text| TokenId::parse(&text).ok());
        let id = id.and_then(|id| T::try_from(id.get()).ok());
        id.map(Self).ok_or(ApiError::NotFound)
    }
}
