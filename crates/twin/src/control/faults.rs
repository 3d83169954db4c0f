//! `/twin/faults`: what goes wrong from now on.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tokenry_server::respond;

use super::wire::{ControlError, Json};
use crate::{
    double::Double,
    faults::{InForce, Rule},
};

#[derive(Serialize)]
struct Listed {
    seed: u64,
    faults: Vec<InForce>,
}

/// `GET /twin/faults`
pub(super) async fn list(State(double): State<Arc<Double>>) -> Response {
    let listed = {
        let faults = &double.script().faults;
        Listed { seed: faults.seed(), faults: faults.list().to_vec() }
    };
    respond::json(StatusCode::OK, &listed)
}

/// `POST /twin/faults`
pub(super) async fn add(
    State(double): State<Arc<Double>>,
    Json(value): Json<Value>,
) -> Result<Response, ControlError> {
    let rule = read(value)?;
    let added = {
        let faults = &mut double.script().faults;
        let id = faults.add(rule);
        faults.list().iter().find(|rule| rule.id == id).cloned()
    };
    Ok(respond::json(StatusCode::CREATED, &added))
}

/// A rule as one text (`{"text": "lose-answer route=refresh"}`), or by its members.
fn read(value: Value) -> Result<Rule, ControlError> {
    let wrong = |error: &dyn std::fmt::Display| ControlError::Invalid(error.to_string());
    match value.get("text").and_then(Value::as_str) {
        Some(text) => text.parse().map_err(|error| wrong(&error)),
        None => serde_json::from_value(value).map_err(|error| wrong(&error)),
    }
}

/// `DELETE /twin/faults`
pub(super) async fn clear(State(double): State<Arc<Double>>) -> Response {
    double.script().faults.clear();
    respond::no_content()
}

/// `DELETE /twin/faults/{id}`
pub(super) async fn remove(
    State(double): State<Arc<Double>>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let removed = id.parse().ok().and_then(|id| double.script().faults.remove(id));
    removed.ok_or_else(|| ControlError::Missing(format!("there is no fault {id}")))?;
    Ok(respond::no_content())
}
