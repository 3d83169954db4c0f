//! Pages that say why there is no other page.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use tokenry_protocol::{oauth::parameters::InvalidRequest, time::Seconds};
use tokenry_store::StoreError;

use super::answer::{self, Allowances};
use crate::{
    extract::body::BodyError,
    request_context, respond,
    telemetry::log_store_error,
    views::{ErrorPage, Problem},
};

/// What handlers of pages return.
pub type PageResult = Result<Response, PageError>;

/// Why a page cannot be given.
#[derive(Debug)]
pub enum PageError {
    /// Something the reader can be told.
    Problem(Problem),
    /// 303 to this address: the client is told, and not the reader.
    SentBack(String),
    /// 413: more than so many bytes.
    TooLarge(usize),
    /// 408: the body did not arrive in time.
    Timeout,
    /// 415: the body is no form.
    UnsupportedMediaType,
    /// 503
    Store(StoreError),
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<InvalidRequest> for PageError {
    fn from(invalid: InvalidRequest) -> Self {
        malformed(invalid.description).into()
    }
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max) => Self::TooLarge(max),
            BodyError::TooSlow => Self::Timeout,
            BodyError::Broken => malformed("The form broke off.").into(),
        }
    }
}

/// A request that cannot be read, with the reason in one sentence.
pub fn malformed(detail: impl Into<String>) -> Problem {
    Problem::MalformedRequest { detail: detail.into() }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, problem) = match self {
            Self::Problem(problem) => (status(&problem), problem),
            Self::SentBack(location) => return answer::see_other(&location),
            Self::TooLarge(max) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                malformed(format!("A form has at most {max} bytes.")),
            ),
            Self::Timeout => {
                (StatusCode::REQUEST_TIMEOUT, malformed("The form took too long to arrive."))
            }
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                malformed("A form is sent as application/x-www-form-urlencoded."),
            ),
            Self::Store(error) => {
                log_store_error(&error);
                let retry_after = respond::STORE_RETRY;
                let problem = Problem::Unavailable { retry_after };
                (status(&problem), problem)
            }
        };
        explain(status, problem)
    }
}

/// The page for a problem under any status. `Retry-After` comes with the problems that pass.
pub fn explain(status: StatusCode, problem: Problem) -> Response {
    let wait = match problem {
        Problem::TooManyAttempts { retry_after } | Problem::Unavailable { retry_after } => {
            Some(retry_after)
        }
        _ => None,
    };
    let content = ErrorPage { problem, request_id: request_context::id() };
    let response = answer::page(status, &content, &Allowances::default());
    match wait {
        Some(wait) => with_retry_after(response, wait),
        None => response,
    }
}

/// Adds when to try again.
pub fn with_retry_after(response: Response, Seconds(wait): Seconds) -> Response {
    respond::with(response, RETRY_AFTER, HeaderValue::from(wait))
}

const fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::UnknownClient { .. }
        | Problem::ClientDisabled { .. }
        | Problem::RedirectUriNotRegistered { .. }
        | Problem::RedirectUriMissing
        | Problem::MalformedRequest { .. }
        | Problem::RequestEnded => StatusCode::BAD_REQUEST,
        Problem::PageExpired => StatusCode::FORBIDDEN,
        Problem::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        Problem::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Problem::NotFound => StatusCode::NOT_FOUND,
    }
}
