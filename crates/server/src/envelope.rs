//! What every answer has in common, whatever endpoint it comes from.
//!
//! 1. An id for the request: the caller's if it is harmless, else ours.
//! 2. Limits of the address and of the time that a body may take.
//! 3. The row of the table that the path belongs to.
//! 4. A panic becomes a 500 and a line in the log.
//! 5. The headers that belong on every answer.
//! 6. A line in the log and a count in the metrics.
//!
//! One service around the table and no stack of layers: each layer costs every request a few
//! allocations, and checking a token must cost what the HTTP costs.

use std::{
    any::Any,
    net::SocketAddr,
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
    body::{Body, Bytes, HttpBody},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use hyper::body::{Frame, SizeHint};
use tokenry_protocol::secret::redacted;
use tokio::time::{Instant, Sleep};

use crate::{
    extract::body::TooSlow,
    listen::{Answer, Sent},
    pages::error::PageError,
    request_context::{self, Learned, Place, RequestContext, RequestId},
    respond,
    routes::{self, Route, Routes},
    row::{Origins, Row},
    state::AppState,
    views::{Problem, SiteNotice},
};

/// By which operators find a request in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_MAX: usize = 64;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// The routes, and around them what every answer has in common.
#[derive(Clone)]
pub struct Envelope(Arc<Shared>);

struct Shared {
    routes: Routes,
    state: AppState,
    request_ids: RequestIds,
    /// What stands above every page.
    notice: Option<SiteNotice>,
    /// What no row of the table answered.
    unmatched: Row,
}

impl Envelope {
    /// The whole server as one service, with what its handlers share.
    pub fn new(state: AppState) -> Self {
        let routes = Routes::default();
        let request_ids = RequestIds::new(&state);
        let notice = state.config.notice.as_deref().map(SiteNotice::new);
        let unmatched = Row::new("none", Origins::Own);
        Self(Arc::new(Shared { routes, state, request_ids, notice, unmatched }))
    }
}

impl Answer for Envelope {
    /// Answers a request that came from `peer`.
    async fn answer<B: Sent>(self, request: Request<B>, peer: SocketAddr) -> Response {
        let (response, _) = self.answer_and_tell(request, peer).await;
        response
    }
}

impl Envelope {
    /// Answers a request, and tells what was learned of it on the way.
    pub async fn answer_and_tell<B: Sent>(
        self,
        mut request: Request<B>,
        peer: SocketAddr,
    ) -> (Response, Learned) {
        let started = Instant::now();
        let Self(shared) = self;
        let method = request.method().clone();
        let path = request.uri().path();
        let (caching, manners) = (Caching::of(path), Manners::of(path));
        let id = shared.request_ids.of(request.headers());
        let base = shared.state.base_of(&request);
        let route = shared.routes.find(&mut request);
        let answering = AssertUnwindSafe(shared.routed(request, route)).catch_unwind();
        let row = route.map_or(&shared.unmatched, Route::row);
        let place = Place { method: known_method(&method), path: row.path() };
        let context = RequestContext::new(id.clone(), peer, place)
            .at_base(base)
            .under_notice(shared.notice.clone());
        let answered = context.scope(answering.map(|routed| {
            let mut response = routed.unwrap_or_else(|panic| failed(panic.as_ref(), manners));
            finish_headers(response.headers_mut(), id.header(), caching, row);
            if shared.state.request_limits.is_on()
                && let Some(allowance) = request_context::allowance()
            {
                respond::tell_allowance(response.headers_mut(), allowance);
            }
            tell(&method, row, response.status(), started.elapsed());
            (response, request_context::learned())
        }));
        let (response, learned) = answered.await;
        let response = if method == Method::HEAD { without_body(response) } else { response };
        (response, learned)
    }

    /// Gives an answer that was made in the server's place what every answer to such a request has.
    /// An `X-Request-Id` that it has already stays.
    pub fn finish<B>(&self, mut request: Request<B>, mut response: Response) -> Response {
        let Self(shared) = self;
        let caching = Caching::of(request.uri().path());
        let id = response.headers().get(REQUEST_ID).cloned();
        let id = id.unwrap_or_else(|| shared.request_ids.of(request.headers()).header());
        let row = shared.routes.find(&mut request).map_or(&shared.unmatched, Route::row);
        finish_headers(response.headers_mut(), id, caching, row);
        response
    }
}

impl Shared {
    async fn routed<B: Sent>(&self, request: Request<B>, route: Option<&Route>) -> Response {
        let limits = &self.state.config.limits;
        if target_length(request.uri()) > limits.url_max {
            return StatusCode::URI_TOO_LONG.into_response();
        }
        match route {
            Some(route) => {
                let request = request.map(|body| with_deadline(body, limits.request_timeout));
                route.answer(request, &self.state).await
            }
            None => routes::not_found(request.uri().path()),
        }
    }
}

/// To HEAD everything is said but the body, and how long that would be (RFC 9110 §9.3.2).
fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|_| !response.headers().contains_key(CONTENT_LENGTH)) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response.map(|_| Body::empty())
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
    fn of(&self, headers: &HeaderMap) -> RequestId {
        let harmless = |value: &&HeaderValue| {
            (1..=REQUEST_ID_MAX).contains(&value.len())
                && value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
                && value.to_str().is_ok_and(|text| redacted(text) == text)
        };
        match headers.get(REQUEST_ID).filter(harmless) {
            Some(id) => RequestId::Given(id.clone()),
            None => RequestId::Ours(self.process, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }
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
struct DeadlineBody<B> {
    inner: B,
    limit: Duration,
    /// Runs from the first time that more of the body had to be waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

fn with_deadline<B: Sent>(body: B, limit: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(DeadlineBody { inner: body, limit, deadline: None })
}

impl<B: Sent> HttpBody for DeadlineBody<B> {
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
