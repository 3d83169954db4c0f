//! `/twin/scenario`: a run of troubles, one that comes with the double or one's own.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tokenry_server::respond;

use super::wire::{ControlError, Json};
use crate::{
    double::Double,
    faults::{InForce, SHIPPED, Scenario},
    profile::Profile,
};

#[derive(Serialize)]
struct Listed {
    scenarios: Vec<Known>,
}

#[derive(Serialize)]
struct Known {
    name: String,
    about: String,
    profile: Option<Profile>,
}

#[derive(Serialize)]
struct Begun {
    #[serde(flatten)]
    known: Known,
    seed: u64,
    faults: Vec<InForce>,
}

impl From<Scenario> for Known {
    fn from(scenario: Scenario) -> Self {
        let Scenario { name, about, profile, .. } = scenario;
        Self { name, about, profile }
    }
}

/// `GET /twin/scenarios`
pub(super) async fn list() -> Response {
    let shipped = SHIPPED.iter().filter_map(|shipped| Scenario::read(shipped.text).ok());
    let scenarios = shipped.map(Known::from).collect();
    respond::json(StatusCode::OK, &Listed { scenarios })
}

/// `POST /twin/scenario`
pub(super) async fn begin(
    State(double): State<Arc<Double>>,
    Json(value): Json<Value>,
) -> Result<Response, ControlError> {
    let scenario = read(value)?;
    double.play(&scenario).await?;
    let (seed, faults) = {
        let faults = &double.script().faults;
        (faults.seed(), faults.list().to_vec())
    };
    let begun = Begun { known: scenario.into(), seed, faults };
    Ok(respond::json(StatusCode::OK, &begun))
}

/// One that comes with the double by its name alone (`{"name": "flaky-gateway"}`), or all of it.
fn read(value: Value) -> Result<Scenario, ControlError> {
    let members = value.as_object();
    let name = members.filter(|members| members.len() == 1).and_then(|it| it.get("name"));
    let Some(name) = name.and_then(Value::as_str) else {
        return serde_json::from_value(value)
            .map_err(|error| ControlError::Invalid(error.to_string()));
    };
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name).ok_or_else(|| {
        let names = SHIPPED.iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ");
        ControlError::Missing(format!("there is no scenario {name:?}: choose {names}"))
    })?;
    Scenario::read(shipped.text).map_err(|error| ControlError::Invalid(error.to_string()))
}
