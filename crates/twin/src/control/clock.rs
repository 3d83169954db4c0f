//! `/twin/clock`: what time it is.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use tokenry_protocol::time::Timestamp;
use tokenry_server::{config::parse_span, respond};

use super::wire::{ControlError, Json};
use crate::double::Double;

/// How the clock is turned, in this order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    /// To this time.
    set: Option<Timestamp>,
    /// On by so much, or back.
    advance: Option<Span>,
    /// Whether it stands still.
    frozen: Option<bool>,
}

/// Seconds, or text such as `31d`, `-90m`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Seconds(i64),
    Text(String),
}

impl Span {
    fn millis(&self) -> Result<i64, ControlError> {
        let wrong = |text: &str| {
            ControlError::Invalid(format!(
                "{text:?} is no span of time: write seconds as a number, or text such as \"31d\", \
                 \"90m\" or \"-1h\""
            ))
        };
        match self {
            Self::Seconds(seconds) => Ok(seconds.saturating_mul(1_000)),
            Self::Text(text) => {
                let (sign, span) = match text.strip_prefix('-') {
                    Some(span) => (-1, span),
                    None => (1, text.as_str()),
                };
                let span = parse_span(span).map_err(|_| wrong(text))?;
                let millis = i64::try_from(span.as_millis()).map_err(|_| wrong(text))?;
                Ok(sign * millis)
            }
        }
    }
}

/// `GET /twin/clock`
pub(super) async fn show(State(double): State<Arc<Double>>) -> Response {
    respond::json(StatusCode::OK, &double.clock.read())
}

/// `POST /twin/clock`
pub(super) async fn turn(
    State(double): State<Arc<Double>>,
    Json(turn): Json<Turn>,
) -> Result<Response, ControlError> {
    let advance = turn.advance.as_ref().map(Span::millis).transpose()?;
    if let Some(time) = turn.set {
        double.clock.set(time);
    }
    if let Some(millis) = advance {
        double.clock.advance_millis(millis);
    }
    match turn.frozen {
        Some(true) => double.clock.freeze(),
        Some(false) => double.clock.unfreeze(),
        None => {}
    }
    Ok(respond::json(StatusCode::OK, &double.clock.read()))
}
