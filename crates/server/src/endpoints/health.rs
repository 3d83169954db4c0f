//! Whether the process is up, and whether it can do its work.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::json;

use crate::{
    respond::{self, ApiError},
    state::AppState,
};

/// `GET /healthz`: the process is up.
pub async fn healthz() -> Response {
    respond::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// `GET /readyz`: the store answers reads and takes writes.
pub async fn readyz(State(state): State<AppState>) -> Result<Response, ApiError> {
    state.store.check().await?;
    Ok(healthz().await)
}
