//! What every answer has in common, whatever endpoint it comes from.
//!
//! 1. An id for the request: the caller's if it is harmless, else ours.
//! 2. Limits of the address and of the time that a body may take.
//! 3. A panic becomes a 500 and a line in the log.
//! 4. The headers that belong on every answer.
//! 5. A line in the log and a count in the metrics.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;
use tracing::Instrument;

use crate::{pages::error, respond, state::AppState, views::Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_MAX: usize = 64;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// The outermost layer.
pub async fn wrap(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &state);
    // Pages show it.
    request.headers_mut().insert(REQUEST_ID, id.clone());
    // Who it is becomes known on the way.
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        user.id = tracing::field::Empty,
        client.id = tracing::field::Empty,
    );
    let started = tokio::time::Instant::now();
    let method = request.method().clone();
    let (is_private, manners) =
        (is_private(request.uri().path()), Manners::of(request.uri().path()));

    let mut response = if target_length(request.uri()) > state.config.limits.url_max {
        StatusCode::URI_TOO_LONG.into_response()
    } else {
        let request = with_deadline(request, state.config.limits.request_timeout);
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
        let answered = answered.instrument(span.clone()).await;
        answered.unwrap_or_else(|panic| span.in_scope(|| failed(panic.as_ref(), manners, &id)))
    };
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.entry(REFERRER_POLICY).or_insert(NO_REFERRER);
    if is_private {
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let route = response.extensions().get::<RouteLabel>().map_or("none", |label| label.0.as_str());
    span.in_scope(|| {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        // Whoever changes something is told of in every log; the grant endpoints tell themselves,
        // and reads are too many.
        if method.is_safe() || route.starts_with("/oauth/") {
            tracing::debug!(method = method.as_str(), route, status, micros, "answered");
        } else {
            tracing::info!(method = method.as_str(), route, status, micros, "answered");
        }
    });
    count(route, status, elapsed);
    response
}

/// How long the request target is as it was written (RFC 9112 §3.2), counted without writing it.
fn target_length(uri: &Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + uri.path_and_query().map_or(0, |path| path.as_str().len())
}

/// Everything that may hold somebody's data: no cache may keep it.
fn is_private(path: &str) -> bool {
    !path.starts_with("/assets/") && !path.starts_with("/.well-known/")
}

fn count(route: &str, status: u16, elapsed: Duration) {
    let labels = [("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("tokenry_requests_total", &labels).increment(1);
    metrics::histogram!("tokenry_request_seconds", "route" => route.to_owned())
        .record(elapsed.as_secs_f64());
}

/// The path of the table that a request matched: metrics never carry what a client wrote.
#[derive(Debug, Clone)]
struct RouteLabel(MatchedPath);

/// Marks an answer with the row of the table that it comes from.
pub async fn label(matched: MatchedPath, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(RouteLabel(matched));
    response
}

/// A caller's id is kept if it cannot hurt a log; otherwise the request gets one of ours.
fn request_id(headers: &HeaderMap, state: &AppState) -> HeaderValue {
    let harmless = |value: &&HeaderValue| {
        (1..=REQUEST_ID_MAX).contains(&value.len())
            && value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
    };
    if let Some(given) = headers.get(REQUEST_ID).filter(harmless) {
        return given.clone();
    }
    let random = u128::from_be_bytes(state.environment.entropy.secret());
    HeaderValue::from_str(&format!("{random:032x}")).unwrap_or(HeaderValue::from_static("none"))
}

/// Who is answered when no handler could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    Program,
    Browser,
}

impl Manners {
    fn of(path: &str) -> Self {
        const PAGES: [&str; 4] = ["/oauth/auth", "/sign", "/account/", "/assets/"];
        let is_page = path == "/" || PAGES.iter().any(|beginning| path.starts_with(beginning));
        if is_page { Self::Browser } else { Self::Program }
    }
}

fn failed(panic: &(dyn Any + Send), manners: Manners, id: &HeaderValue) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    match manners {
        Manners::Program => respond::internal_error(),
        Manners::Browser => {
            let (status, id) = (StatusCode::INTERNAL_SERVER_ERROR, id.to_str().unwrap_or_default());
            error::explain(status, Problem::Internal, id)
        }
    }
}

/// CORS for addresses that browser-based clients call, without credentials (Fetch §3.2).
pub async fn allow_any_origin(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(allow) = headers.get(http::header::ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
        let names = HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// A body that must have arrived within a time: slow senders are cut off.
struct DeadlineBody {
    inner: Body,
    deadline: Pin<Box<Sleep>>,
}

fn with_deadline(request: Request, limit: Duration) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    let deadline = Box::pin(tokio::time::sleep(limit));
    request.map(|inner| Body::new(DeadlineBody { inner, deadline }))
}

impl HttpBody for DeadlineBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.deadline.as_mut().poll(context).map(|()| Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
