//! Bodies of the record API: JSON and nothing else, read only after the caller was judged.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use http::{HeaderMap, header::CONTENT_TYPE};
use tokenry_protocol::api::{error::FieldErrors, request::InvalidBody};

use crate::{extract, respond::ApiError, state::AppState};

/// A body that nobody has read yet.
pub struct UnreadBody {
    headers: HeaderMap,
    body: Body,
}

impl<S: Send + Sync> FromRequest<S> for UnreadBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        Ok(Self { headers: parts.headers, body })
    }
}

impl UnreadBody {
    /// Reads it, within the limits. An empty body has no type: clients label even those.
    pub async fn read(self, state: &AppState) -> Result<Bytes, ApiError> {
        let bytes = extract::body::read(self.body, state.config.limits.body_max).await?;
        if bytes.is_empty() || is_json(&self.headers) {
            Ok(bytes)
        } else {
            Err(ApiError::UnsupportedMediaType)
        }
    }
}

/// `application/json` in UTF-8, or no type at all.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_json =
        parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    is_json && is_utf8
}

impl From<InvalidBody> for ApiError {
    fn from(invalid: InvalidBody) -> Self {
        match invalid {
            InvalidBody::Unreadable => Self::Unreadable,
            InvalidBody::NoWrapper(name) => Self::MissingWrapper(name),
            InvalidBody::Fields(errors) => Self::Invalid(errors),
        }
    }
}

impl From<FieldErrors> for ApiError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}
