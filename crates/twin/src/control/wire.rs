//! Bodies and errors of the control: JSON in and out, and every error a sentence.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use tokenry_protocol::api::error::ErrorBody;
use tokenry_server::respond;

use crate::error::TwinError;

/// The longest body, in bytes.
const BODY_MAX: usize = 1 << 20;

/// A JSON object. An empty body is the empty object.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ControlError> {
        let body: Body = request.into_body();
        let body = Limited::new(body, BODY_MAX).collect().await;
        let body = body.map_err(|_| ControlError::body("it broke off, or is longer than 1 MiB"))?;
        let body = body.to_bytes();
        let text: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { &body };
        serde_json::from_slice(text).map(Self).map_err(ControlError::body)
    }
}

/// Why the control refuses.
#[derive(Debug)]
pub(super) enum ControlError {
    /// 400, and what would be right.
    Invalid(String),
    /// 404
    NotFound,
    /// 404, and what is not there.
    Missing(String),
    /// 405
    MethodNotAllowed,
    /// 409, and what stands in the way.
    Conflict(String),
    /// 500
    Failed(TwinError),
}

impl ControlError {
    fn body(error: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("The body is not what is expected here: {error}"))
    }
}

impl From<TwinError> for ControlError {
    fn from(error: TwinError) -> Self {
        match error {
            TwinError::NoSnapshot(_) => Self::Missing(error.to_string()),
            TwinError::Grant(_) => Self::Invalid(error.to_string()),
            TwinError::TooManySnapshots(_) => Self::Conflict(error.to_string()),
            error => Self::Failed(error),
        }
    }
}

pub(super) fn error(code: &str, description: &str) -> ErrorBody {
    ErrorBody::oauth(code, description)
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        use StatusCode as S;
        let answer = |status, code, told: &str| respond::json(status, &error(code, told));
        match self {
            Self::Invalid(told) => answer(S::BAD_REQUEST, "invalid_request", &told),
            Self::Missing(told) => answer(S::NOT_FOUND, "not_found", &told),
            Self::Conflict(told) => answer(S::CONFLICT, "conflict", &told),
            Self::NotFound => {
                let told = "There is no such address: docs/twin.md names all of them.";
                answer(S::NOT_FOUND, "not_found", told)
            }
            Self::MethodNotAllowed => {
                let told = "This address has other methods: docs/twin.md names them.";
                answer(S::METHOD_NOT_ALLOWED, "method_not_allowed", told)
            }
            Self::Failed(failure) => {
                tracing::error!(error = %failure, "the control failed");
                answer(S::INTERNAL_SERVER_ERROR, "failed", &failure.to_string())
            }
        }
    }
}
