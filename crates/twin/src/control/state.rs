//! `/twin/state`: what a twin is like at this moment.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Serialize;
use tokenry_server::respond;

use crate::{
    account::Account, clock::ClockReading, double::Double, faults::InForce, profile::Profile,
};

/// What `GET /twin/state` answers, and what every turn of the control does.
#[derive(Debug, Serialize)]
pub(super) struct TwinState {
    /// Always: so that nobody takes it for Zendesk.
    double: bool,
    profile: Profile,
    base_url: String,
    subdomain: String,
    clock: ClockReading,
    fault_seed: u64,
    faults: Vec<InForce>,
    snapshots: Vec<String>,
    account: Account,
}

impl TwinState {
    fn of(double: &Double) -> Self {
        let (fault_seed, faults) = {
            let faults = &double.script().faults;
            (faults.seed(), faults.list().to_vec())
        };
        Self {
            double: true,
            profile: double.world().profile,
            base_url: double.base.as_str().to_owned(),
            subdomain: double.options.subdomain.clone(),
            clock: double.clock.read(),
            fault_seed,
            faults,
            snapshots: double.snapshot_names(),
            account: double.account(),
        }
    }
}

/// `GET /twin/state`
pub(super) async fn show(State(double): State<Arc<Double>>) -> Response {
    respond::json(StatusCode::OK, &TwinState::of(&double))
}
