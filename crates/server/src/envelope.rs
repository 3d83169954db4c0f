//! What every answer has in common, whatever endpoint it comes from.
//!
//! 1. An id for the request: the caller's if it is harmless, else ours.
//! 2. Limits of the address and of the time that a body may take.
//! 3. The record API's `.json` endings, so that the table has one row for both addresses.
//! 4. A panic becomes a 500 and a line in the log.
//! 5. The headers that belong on every answer.
//! 6. A line in the log and a count in the metrics.
//!
//! One service around the router and no stack of layers: each layer costs every request a few
//! allocations, and checking a token must cost what the HTTP costs.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
    uri::PathAndQuery,
};
use hyper::body::{Frame, SizeHint};
use tokenry_protocol::secret::redacted;
use tokio::time::{Instant, Sleep};
use tower::Service;

use crate::{
    extract::body::TooSlow,
    pages::error::PageError,
    request_context::{self, RequestContext},
    respond,
    routes::{Origins, Row},
    state::AppState,
    views::Problem,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_MAX: usize = 64;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// The router, and around it what every answer has in common.
#[derive(Clone)]
pub struct Envelope {
    router: Router,
    shared: Arc<Shared>,
}

struct Shared {
    state: AppState,
    request_ids: RequestIds,
    /// What no row of the table answered.
    unmatched: Row,
}

impl Envelope {
    /// Takes the router, and what its handlers share.
    pub fn new(router: Router, state: AppState) -> Self {
        let request_ids = RequestIds::new(&state);
        let unmatched = Row::new("none", Origins::Own);
        Self { router, shared: Arc::new(Shared { state, request_ids, unmatched }) }
    }

    async fn answer(mut self, mut request: Request) -> Response {
        let started = Instant::now();
        let shared = Arc::clone(&self.shared);
        let method = request.method().clone();
        let path = request.uri().path();
        let (caching, manners) = (Caching::of(path), Manners::of(path));
        let id = shared.request_ids.of(request.headers());
        let answered = async {
            let limits = &shared.state.config.limits;
            if target_length(request.uri()) > limits.url_max {
                return StatusCode::URI_TOO_LONG.into_response();
            }
            without_json_suffix(&mut request);
            let request = with_deadline(request, limits.request_timeout);
            let routed = AssertUnwindSafe(self.router.call(request)).catch_unwind().await;
            match routed {
                Ok(Ok(response)) => response,
                Err(panic) => failed(panic.as_ref(), manners),
            }
        };
        let finish = |mut response: Response| {
            let row = request_context::row();
            let row = row.as_deref().unwrap_or(&shared.unmatched);
            finish_headers(response.headers_mut(), id.clone(), caching, row);
            tell(&method, row, response.status(), started.elapsed());
            response
        };
        RequestContext::new(id.clone()).scope(answered.map(finish)).await
    }
}

impl Service<Request> for Envelope {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

fn finish_headers(headers: &mut HeaderMap, id: HeaderValue, caching: Caching, row: &Row) {
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.entry(REFERRER_POLICY).or_insert(NO_REFERRER);
    if caching == Caching::Never {
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    }
    if row.origins() == Origins::Any {
        allow_any_origin(headers);
    }
}

/// CORS for addresses that browser-based clients call, without credentials (Fetch §3.2).
fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(allow) = headers.get(ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
        let names = HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

fn tell(method: &Method, row: &Row, status: StatusCode, elapsed: Duration) {
    let (word, route, status) = (known_method(method), row.path(), status.as_u16());
    // A number in JSON, which 128 bits are not.
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    // Whoever changes something is told of in every log; the grant endpoints tell themselves, and
    // reads are too many.
    if method.is_safe() || route.starts_with("/oauth/") {
        tracing::debug!(method = word, route, status, micros, "answered");
    } else {
        tracing::info!(method = word, route, status, micros, "answered");
    }
    row.count(status, elapsed);
}

/// A method is any word that a client likes (RFC 9110 §9.1); in a log stand the known ones.
const fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// How long the request target is as it was written (RFC 9112 §3.2), counted without writing it.
fn target_length(uri: &Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + uri.path_and_query().map_or(0, |path| path.as_str().len())
}

/// Whether caches may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// It may hold somebody's data.
    Never,
    /// The endpoint says.
    AsGiven,
}

impl Caching {
    fn of(path: &str) -> Self {
        let is_public = path.starts_with("/assets/") || path.starts_with("/.well-known/");
        if is_public { Self::AsGiven } else { Self::Never }
    }
}

/// Ids for requests that bring none: they must differ, and need not be secret.
struct RequestIds {
    /// Drawn at start, so that no two processes give the same.
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn new(state: &AppState) -> Self {
        let mut process = [0; 8];
        state.environment.entropy.fill(&mut process);
        Self { process: u64::from_be_bytes(process), next: AtomicU64::new(1) }
    }

    /// A caller's id is kept if it cannot hurt a log and is no credential; otherwise the request
    /// gets one of ours.
    fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let harmless = |value: &&HeaderValue| {
            (1..=REQUEST_ID_MAX).contains(&value.len())
                && value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
                && value.to_str().is_ok_and(|text| redacted(text) == text)
        };
        headers.get(REQUEST_ID).filter(harmless).cloned().unwrap_or_else(|| self.next())
    }

    fn next(&self) -> HeaderValue {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let bytes = [self.process.to_be_bytes(), number.to_be_bytes()];
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes.as_flattened()) {
            for (digit, half) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *digit = HEX.get(usize::from(half)).copied().unwrap_or(b'0');
            }
        }
        HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
    }
}

/// `/api/v2/x.json` is `/api/v2/x`. An encoded slash is no slash and belongs into no id, so a path
/// with one matches nothing.
fn without_json_suffix(request: &mut Request) {
    let path = request.uri().path();
    if !path.starts_with("/api/v2/") {
        return;
    }
    let has_encoded_slash =
        path.as_bytes().windows(3).any(|part| part.eq_ignore_ascii_case(b"%2f"));
    let plain = match path.strip_suffix(".json") {
        _ if has_encoded_slash => "/api/",
        Some(plain) if !plain.ends_with('/') => plain,
        _ => return,
    };
    let target = match request.uri().query() {
        Some(query) => PathAndQuery::from_maybe_shared(Bytes::from(format!("{plain}?{query}"))),
        None => PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(plain.as_bytes())),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = target.ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        let written = std::mem::replace(request.uri_mut(), uri);
        request.extensions_mut().insert(WrittenTarget(written));
    }
}

/// The target as the client wrote it, for links that must look like it.
#[derive(Debug, Clone)]
pub struct WrittenTarget(pub Uri);

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

fn failed(panic: &(dyn Any + Send), manners: Manners) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    match manners {
        Manners::Program => respond::internal_error(),
        Manners::Browser => PageError::Problem(Problem::Internal).into_response(),
    }
}

/// A body that must have arrived within a time: slow senders are cut off.
struct DeadlineBody {
    inner: Body,
    limit: Duration,
    /// Runs from the first time that more of the body had to be waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

fn with_deadline(request: Request, limit: Duration) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    request.map(|inner| Body::new(DeadlineBody { inner, limit, deadline: None }))
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
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        deadline.as_mut().poll(context).map(|()| Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
