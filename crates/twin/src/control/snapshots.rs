//! `/twin/snapshots`: moments to come back to.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tokenry_server::respond;

use super::wire::ControlError;
use crate::double::Double;

const NAME_MAX: usize = 100;

#[derive(Serialize)]
struct Listed {
    snapshots: Vec<String>,
}

/// `GET /twin/snapshots`
pub(super) async fn list(State(double): State<Arc<Double>>) -> Response {
    respond::json(StatusCode::OK, &Listed { snapshots: double.snapshot_names() })
}

/// `POST /twin/snapshots/{name}`
pub(super) async fn take(
    State(double): State<Arc<Double>>,
    Path(name): Path<String>,
) -> Result<Response, ControlError> {
    if !(1..=NAME_MAX).contains(&name.chars().count()) {
        let told = format!("A snapshot's name has 1 to {NAME_MAX} characters.");
        return Err(ControlError::Invalid(told));
    }
    double.snapshot(&name).await?;
    Ok(respond::no_content())
}

/// `POST /twin/snapshots/{name}/restore`
pub(super) async fn restore(
    State(double): State<Arc<Double>>,
    Path(name): Path<String>,
) -> Result<Response, ControlError> {
    double.restore(&name).await?;
    Ok(respond::no_content())
}

/// `DELETE /twin/snapshots/{name}`
pub(super) async fn forget(
    State(double): State<Arc<Double>>,
    Path(name): Path<String>,
) -> Result<Response, ControlError> {
    double.forget(&name)?;
    Ok(respond::no_content())
}
