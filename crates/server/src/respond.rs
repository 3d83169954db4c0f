//! Answers: the only place that sets a status, a challenge or a `Retry-After`.

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE, LOCATION, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use tokenry_core::rejection::Rejection;
use tokenry_protocol::{
    api::error::{ErrorBody, FieldErrors},
    oauth::{
        error::{ErrorCode, ErrorResponse},
        parameters::InvalidRequest,
        token::{Dialect, TokenResponse},
    },
    time::Seconds,
};
use tokenry_store::StoreError;

use crate::{
    failure_limits::TooManyFailures, request_limits::Allowance, telemetry::log_store_error,
    verify::VerifyError,
};

/// As many as an answer has that nothing special is to be said about.
const HEADERS_USUAL: usize = 12;
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"tokenry\", charset=\"UTF-8\"");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"tokenry\"");
const BEARER_INVALID: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"tokenry\", error=\"invalid_token\"");
/// Long enough for a store to come back, short enough to be worth waiting for.
pub const STORE_RETRY: Seconds = Seconds(2);

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => written_json(status, text),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            internal_error()
        }
    }
}

/// A JSON answer whose body is written already.
pub fn written_json(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() = status;
    // Room for what every answer gets, so that it is asked for once.
    let mut headers = HeaderMap::with_capacity(HEADERS_USUAL);
    headers.insert(CONTENT_TYPE, JSON);
    *response.headers_mut() = headers;
    response
}

/// 204: nothing to say, and no content type for it.
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 303: on to another address by GET, whatever the method was (RFC 9700 §4.12).
pub fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return internal_error();
    };
    with(StatusCode::SEE_OTHER.into_response(), LOCATION, location)
}

/// 500 for the record API and for what has no better form.
pub fn internal_error() -> Response {
    // Not by `json`, which comes here when a body cannot be written.
    let body = serde_json::to_vec(&ErrorBody::internal()).unwrap_or_default();
    (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, JSON)], body).into_response()
}

/// Adds a header.
pub fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

fn retry_after(response: Response, after: Seconds) -> Response {
    with(response, RETRY_AFTER, HeaderValue::from(after.0))
}

/// What the caller has left, on an answer of the record API.
pub fn tell_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    let Allowance { limit, remaining, reset } = allowance;
    for (name, number) in [
        ("x-rate-limit", limit),
        ("x-rate-limit-remaining", remaining),
        ("ratelimit-limit", limit),
        ("ratelimit-remaining", remaining),
        ("ratelimit-reset", reset.0),
    ] {
        headers.insert(HeaderName::from_static(name), number.into());
    }
}

/// 204 to OPTIONS.
pub fn options(allow: HeaderValue) -> Response {
    with(no_content(), ALLOW, allow)
}

/// Why the record API refuses.
#[derive(Debug)]
pub enum ApiError {
    /// 401: no credentials at all.
    NoCredentials,
    /// 401: Basic that does not hold.
    WrongBasic,
    /// 401: a bearer token that does not hold.
    InvalidToken,
    /// 400: two forms of credentials at once (RFC 6750 §2).
    TwoForms,
    /// 403: the scope does not allow it; any of these would.
    MissingScope(Vec<String>),
    /// 403: minting more than one has; all of these are missing.
    MissingScopes(Vec<String>),
    /// 403: the role does not allow it.
    WrongRole,
    /// 404: no such record, or not the caller's.
    NotFound,
    /// 404: no such path.
    InvalidEndpoint,
    /// 400: a query parameter, and what it must be.
    InvalidAttribute(&'static str, &'static str),
    /// 400: a pagination parameter.
    InvalidPagination(&'static str),
    /// 400: past the last offset page.
    PaginationTooDeep,
    /// 400: the wrapper object is missing.
    MissingWrapper(&'static str),
    /// 422: fields that are not right.
    Invalid(FieldErrors),
    /// 422: the body cannot be read.
    Unreadable,
    /// 415
    UnsupportedMediaType,
    /// 413: more than so many bytes.
    TooLarge(usize),
    /// 408: the body did not arrive in time.
    Timeout,
    /// 400: the body broke off.
    BrokenBody,
    /// 429
    RateLimited(Seconds),
    /// 503: others changed the record all the time.
    Contended,
    /// 503
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooManyFailures> for ApiError {
    fn from(limit: TooManyFailures) -> Self {
        Self::RateLimited(limit.retry_after)
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Invalid(_) => Self::InvalidToken,
            VerifyError::Store(error) => Self::Store(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        use StatusCode as S;
        let bad = |body: &ErrorBody| json(S::BAD_REQUEST, body);
        let challenge = |status, body: &ErrorBody, challenge| {
            with(json(status, body), WWW_AUTHENTICATE, challenge)
        };
        match self {
            Self::NoCredentials => {
                challenge(S::UNAUTHORIZED, &ErrorBody::unauthenticated(), BEARER)
            }
            Self::WrongBasic => challenge(S::UNAUTHORIZED, &ErrorBody::unauthenticated(), BASIC),
            Self::InvalidToken => {
                challenge(S::UNAUTHORIZED, &ErrorBody::invalid_token(), BEARER_INVALID)
            }
            Self::TwoForms => bad(&ErrorBody::oauth(
                ErrorCode::InvalidRequest.as_str(),
                "Send the access token in one place only.",
            )),
            Self::MissingScope(names) | Self::MissingScopes(names) => insufficient_scope(&names),
            Self::WrongRole => json(S::FORBIDDEN, &ErrorBody::forbidden_by_role()),
            Self::NotFound => json(S::NOT_FOUND, &ErrorBody::record_not_found()),
            Self::InvalidEndpoint => json(S::NOT_FOUND, &ErrorBody::invalid_endpoint()),
            Self::InvalidAttribute(name, must_be) => {
                bad(&ErrorBody::invalid_attribute(name, must_be))
            }
            Self::InvalidPagination(detail) => bad(&ErrorBody::invalid_pagination(detail)),
            Self::PaginationTooDeep => bad(&ErrorBody::pagination_too_deep()),
            Self::MissingWrapper(name) => bad(&ErrorBody::missing_parameter(name)),
            Self::Invalid(fields) => {
                json(S::UNPROCESSABLE_ENTITY, &ErrorBody::record_invalid(fields))
            }
            Self::Unreadable => json(S::UNPROCESSABLE_ENTITY, &ErrorBody::unreadable()),
            Self::UnsupportedMediaType => {
                json(S::UNSUPPORTED_MEDIA_TYPE, &ErrorBody::unsupported_media_type())
            }
            Self::TooLarge(max) => json(S::PAYLOAD_TOO_LARGE, &ErrorBody::payload_too_large(max)),
            Self::Timeout => json(S::REQUEST_TIMEOUT, &ErrorBody::request_timeout()),
            Self::BrokenBody => bad(&ErrorBody::bad_request("The body broke off.")),
            Self::RateLimited(after) => {
                retry_after(json(S::TOO_MANY_REQUESTS, &ErrorBody::rate_limited()), after)
            }
            Self::Contended => unavailable(),
            Self::Store(error) => {
                log_store_error(&error);
                unavailable()
            }
        }
    }
}

/// 503 for the record API.
fn unavailable() -> Response {
    retry_after(json(StatusCode::SERVICE_UNAVAILABLE, &ErrorBody::unavailable()), STORE_RETRY)
}

/// RFC 6750 §3.1: which scopes would do.
fn insufficient_scope(names: &[String]) -> Response {
    let text = format!(
        "Bearer realm=\"tokenry\", error=\"insufficient_scope\", scope=\"{}\"",
        names.join(" ")
    );
    let response = json(StatusCode::FORBIDDEN, &ErrorBody::forbidden_by_scope(names));
    match HeaderValue::from_str(&text) {
        Ok(challenge) => with(response, WWW_AUTHENTICATE, challenge),
        Err(_) => response,
    }
}

/// Whether the request authenticated by the `Authorization` header, which alone earns a challenge:
/// strict clients that see one on a 4xx do not read the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatedBy {
    /// `Authorization: Basic`
    Header,
    /// Anything else.
    Body,
}

/// Why a grant endpoint refuses.
#[derive(Debug)]
pub enum OAuthError {
    /// By decision.
    Rejected(Rejection, AuthenticatedBy),
    /// 429
    RateLimited(Seconds),
    /// 413
    TooLarge(usize),
    /// 408
    Timeout,
    /// 400: the body broke off.
    BrokenBody,
    /// 405, with what is offered.
    MethodNotAllowed(HeaderValue),
    /// 503
    Store(StoreError),
}

impl From<Rejection> for OAuthError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection, AuthenticatedBy::Body)
    }
}

impl From<InvalidRequest> for OAuthError {
    fn from(invalid: InvalidRequest) -> Self {
        Rejection::from(invalid).into()
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooManyFailures> for OAuthError {
    fn from(limit: TooManyFailures) -> Self {
        Self::RateLimited(limit.retry_after)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = |status, error, description: &str| {
            json(status, &ErrorResponse { error, error_description: description.to_owned() })
        };
        let again = ErrorCode::TemporarilyUnavailable;
        match self {
            Self::Rejected(rejection, by) => rejected(&rejection, by),
            Self::RateLimited(after) => {
                retry_after(body(StatusCode::TOO_MANY_REQUESTS, again, "Too many requests."), after)
            }
            Self::TooLarge(max) => {
                let description = format!("At most {max} bytes.");
                body(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::InvalidRequest, &description)
            }
            Self::Timeout => body(
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::InvalidRequest,
                "The request took too long to arrive.",
            ),
            Self::BrokenBody => {
                body(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, "The body broke off.")
            }
            Self::MethodNotAllowed(allow) => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                with(body(status, ErrorCode::InvalidRequest, "Use POST."), ALLOW, allow)
            }
            Self::Store(error) => {
                log_store_error(&error);
                let status = StatusCode::SERVICE_UNAVAILABLE;
                retry_after(body(status, again, "Try again shortly."), STORE_RETRY)
            }
        }
    }
}

/// RFC 6749 §5.2: 400, and 401 for failed client authentication.
fn rejected(rejection: &Rejection, by: AuthenticatedBy) -> Response {
    tracing::info!(rejection = rejection.as_str(), "refused");
    metrics::counter!("tokenry_refused_total", "rejection" => rejection.as_str()).increment(1);
    let failed_client = rejection.code() == ErrorCode::InvalidClient;
    let status = if failed_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let response = json(status, &rejection.answer());
    match by {
        AuthenticatedBy::Header if failed_client => with(response, WWW_AUTHENTICATE, BASIC),
        _ => response,
    }
}

/// Whether the request said how long the access token should live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedExpiry {
    /// It did.
    Yes,
    /// The policy decided.
    No,
}

/// Tokens that were issued. The doors differ in their manners only: the record API leaves
/// `expires_in` out unless asked.
pub fn issued(mut answer: TokenResponse, dialect: Dialect, asked: AskedExpiry) -> Response {
    match dialect {
        Dialect::Standard => json(StatusCode::OK, &answer),
        Dialect::Record => {
            answer.expires_in = answer.expires_in.filter(|_| asked == AskedExpiry::Yes);
            json(StatusCode::CREATED, &answer)
        }
    }
}

/// What both token doors say beside `Cache-Control` (RFC 6749 §5.1).
pub fn mark_uncacheable(headers: &mut HeaderMap) {
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}
