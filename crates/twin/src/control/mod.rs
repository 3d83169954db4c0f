//! What tests turn: everything under `/twin`, and the page at `/`. [`addresses`] has all of it in one
//! table, for the router and for the reference.

pub mod addresses;
mod clock;
mod faults;
mod journal;
mod page;
mod reset;
mod scenarios;
mod snapshots;
mod state;
mod tokens;
mod wire;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, HOST, ORIGIN},
};
use tokenry_server::{
    listen::{Answer as _, Sent},
    respond,
};

use self::wire::ControlError;
use crate::double::Double;

/// Answers every address of the table.
pub(crate) fn router(double: Arc<Double>) -> Router {
    let addresses = addresses::ALL.iter();
    addresses
        .fold(Router::new(), |router, address| router.route(address.path, (address.handler)()))
        .fallback(async || ControlError::NotFound)
        .method_not_allowed_fallback(async || ControlError::MethodNotAllowed)
        .layer(middleware::from_fn(own_pages_only))
        .with_state(double)
}

/// Whether an address is the control's and not the server's.
pub(crate) fn is_at(path: &str) -> bool {
    path == "/" || path == "/twin" || path.starts_with("/twin/")
}

/// Answers a call to the control.
pub(crate) async fn answer<B: Sent>(
    router: Router,
    request: http::Request<B>,
    peer: SocketAddr,
) -> Response {
    let response = router.answer(request, peer).await;
    respond::with(response, CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// A page of somebody else's in the developer's browser must not turn a twin: browsers name the
/// page that sends a request which changes something.
async fn own_pages_only(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    let is_own = origin.is_none_or(|origin| {
        let named = origin.splitn(2, |byte| *byte == b'/').nth(1);
        let named = named.and_then(|rest| rest.strip_prefix(b"/"));
        named.is_some() && named == host
    });
    if is_safe || is_own {
        next.run(request).await
    } else {
        let body = wire::error("forbidden", "Another site's page may not turn this twin.");
        respond::json(StatusCode::FORBIDDEN, &body)
    }
}
