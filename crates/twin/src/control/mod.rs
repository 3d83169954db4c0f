//! What tests turn: everything under `/twin`, and the page at `/`. Start at [`router`].

mod clock;
mod faults;
mod journal;
mod page;
mod reset;
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
    routing::{delete, get, post},
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

/// Every address of the control, in one place.
pub(crate) fn router(double: Arc<Double>) -> Router {
    Router::new()
        .route("/", get(page::home))
        .route("/twin", get(page::to_home))
        .route("/twin/connect", get(page::connect))
        .route("/twin/connect.env", get(page::exports))
        .route("/twin/assets/{file}", get(page::asset))
        .route("/twin/state", get(state::show))
        .route("/twin/reset", post(reset::reset))
        .route("/twin/clock", get(clock::show).post(clock::turn))
        .route("/twin/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/twin/faults/{id}", delete(faults::remove))
        .route("/twin/journal", get(journal::show).delete(journal::clear))
        .route("/twin/journal.json", get(journal::entries))
        .route("/twin/snapshots", get(snapshots::list))
        .route("/twin/snapshots/{name}", post(snapshots::take).delete(snapshots::forget))
        .route("/twin/snapshots/{name}/restore", post(snapshots::restore))
        .route("/twin/tokens/{id}/expire", post(tokens::expire))
        .route("/twin/tokens/{id}/revoke", post(tokens::revoke))
        .route("/twin/tokens/{id}/rotate", post(tokens::rotate))
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
