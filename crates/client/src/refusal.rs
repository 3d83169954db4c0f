//! Errors that a server answered.

use std::{error::Error as StdError, fmt, time::Duration};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use tokenry_protocol::{
    api::error::{ErrorBody, FieldErrors},
    secret::redacted,
};

use crate::request::Response;

/// What a server answered in place of what was asked: status, headers and body, and what they say.
#[derive(Clone)]
pub struct Refusal {
    response: Response,
    body: Option<ErrorBody>,
}

/// The kinds of refusals that a program tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 400: the request breaks a rule of its form.
    BadRequest,
    /// 400, 401 of the token endpoint: the code or refresh token cannot be used (RFC 6749 §5.2).
    /// Only a new authorization helps.
    InvalidGrant,
    /// 401: no credentials, or wrong ones.
    Unauthenticated,
    /// 401: the access token is unknown, expired or revoked (RFC 6750 §3.1).
    InvalidToken,
    /// 403: the user's role or the token's scope does not allow it.
    Forbidden,
    /// 404: no such record, or not the caller's.
    NotFound,
    /// 422: fields that are not right; [`Refusal::fields`] says which.
    Invalid,
    /// 429: too many requests; [`Refusal::retry_after`] says when to come back.
    RateLimited,
    /// 502, 503, 504: not now.
    Unavailable,
    /// 500 and the rest of the five hundreds.
    ServerError,
    /// Any other.
    Other,
}

impl Refusal {
    pub(crate) fn read(response: &Response) -> Self {
        let body = serde_json::from_slice(response.body()).ok();
        Self { response: response.clone(), body }
    }

    /// The kind.
    pub fn kind(&self) -> RefusalKind {
        match (self.status(), self.code()) {
            (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, Some("invalid_grant")) => {
                RefusalKind::InvalidGrant
            }
            (StatusCode::UNAUTHORIZED, Some("invalid_token")) => RefusalKind::InvalidToken,
            (StatusCode::BAD_REQUEST, _) => RefusalKind::BadRequest,
            (StatusCode::UNAUTHORIZED, _) => RefusalKind::Unauthenticated,
            (StatusCode::FORBIDDEN, _) => RefusalKind::Forbidden,
            (StatusCode::NOT_FOUND, _) => RefusalKind::NotFound,
            (StatusCode::UNPROCESSABLE_ENTITY, _) => RefusalKind::Invalid,
            (StatusCode::TOO_MANY_REQUESTS, _) => RefusalKind::RateLimited,
            (
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT,
                _,
            ) => RefusalKind::Unavailable,
            (status, _) if status.is_server_error() => RefusalKind::ServerError,
            _ => RefusalKind::Other,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// The body, if it has a form that this version knows.
    pub const fn error_body(&self) -> Option<&ErrorBody> {
        self.body.as_ref()
    }

    /// The word for programs: `RecordNotFound`, `invalid_grant`, `InvalidPaginationParameter`.
    pub fn code(&self) -> Option<&str> {
        match self.body.as_ref()? {
            ErrorBody::Titled { error } => Some(&error.title),
            ErrorBody::List { errors } => errors.first().map(|error| error.code.as_str()),
            ErrorBody::Plain(error) => Some(&error.error),
        }
    }

    /// What is wrong, in the server's words for people.
    pub fn description(&self) -> Option<&str> {
        match self.body.as_ref()? {
            ErrorBody::Titled { error } => Some(&error.message),
            ErrorBody::List { errors } => errors.first().map(|error| error.detail.as_str()),
            ErrorBody::Plain(error) => error
                .error_description
                .as_deref()
                .or(error.description.as_deref())
                .or(error.message.as_deref()),
        }
    }

    /// By field, what is wrong with the record that was sent.
    pub fn fields(&self) -> Option<&FieldErrors> {
        match self.body.as_ref()? {
            ErrorBody::Plain(error) => error.details.as_ref(),
            ErrorBody::Titled { .. } | ErrorBody::List { .. } => None,
        }
    }

    /// How long the server asks to wait. Seconds alone are read; it never names a date.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.headers())
    }

    /// The id under which the server's log has this request.
    pub fn request_id(&self) -> Option<&str> {
        self.headers().get("x-request-id").and_then(|id| id.to_str().ok())
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Words that come from afar: no secret is repeated, and nothing that moves a terminal.
pub(crate) fn plain(text: &str) -> String {
    redacted(text).chars().filter(|c| !c.is_control()).take(500).collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the server answered {}", self.status())?;
        if let Some(code) = self.code() {
            write!(formatter, ": {}", plain(code))?;
        }
        if let Some(description) = self.description() {
            write!(formatter, ": {}", plain(description))?;
        }
        for field in self.fields().into_iter().flat_map(FieldErrors::fields) {
            for error in self.fields().map(|fields| fields.of(field)).unwrap_or_default() {
                write!(formatter, "; {}", plain(&error.description))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Refusal")
            .field("status", &self.status())
            .field("code", &self.code().map(plain))
            .field("description", &self.description().map(plain))
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

impl StdError for Refusal {}
