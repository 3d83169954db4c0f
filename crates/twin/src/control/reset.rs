//! `/twin/reset`: everything as it was at the start.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use tokenry_server::respond;

use super::wire::{ControlError, Json};
use crate::{double::Double, profile::Profile};

/// What is to be different from before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    profile: Option<Profile>,
}

/// `POST /twin/reset`
pub(super) async fn reset(
    State(double): State<Arc<Double>>,
    Json(reset): Json<Reset>,
) -> Result<Response, ControlError> {
    double.reset(reset.profile).await?;
    Ok(respond::no_content())
}
