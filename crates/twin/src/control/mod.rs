//! What tests turn: everything under `/twin`, and the page at `/`. [`addresses`] has all of it in
//! one table, for the router and for the reference.

pub mod addresses;
mod clock;
mod faults;
mod gate;
mod journal;
mod page;
mod reset;
mod scenarios;
mod snapshots;
mod state;
mod tokens;
mod wire;

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, middleware, response::Response};
use http::{HeaderValue, header::CACHE_CONTROL};
use tokenry_server::{
    listen::{Answer as _, Sent},
    respond,
};

use self::wire::ControlError;
use crate::double::Double;

/// Answers every address of the table.
pub(crate) fn router(double: Arc<Double>) -> Router {
    let addresses = addresses::ALL.iter();
    let gate = middleware::from_fn_with_state(Arc::clone(&double), gate::own_pages_only);
    addresses
        .fold(Router::new(), |router, address| router.route(address.path, (address.handler)()))
        .fallback(async || ControlError::NotFound)
        .method_not_allowed_fallback(async || ControlError::MethodNotAllowed)
        .layer(gate)
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
