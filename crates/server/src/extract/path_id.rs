//! Ids in paths: canonical digits, or the record does not exist.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use tokenry_protocol::ids::InvalidId;

use crate::respond::ApiError;

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: TryFrom<u64, Error = InvalidId>> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::NotFound)?;
        let text = params.iter().find_map(|(name, value)| (name == "id").then_some(value));
        let id = text.and_then(|text| tokenry_protocol::ids::TokenId::parse(text).ok());
        let id = id.and_then(|id| T::try_from(id.get()).ok());
        id.map(Self).ok_or(ApiError::NotFound)
    }
}
