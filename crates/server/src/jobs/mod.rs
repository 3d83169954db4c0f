//! What runs beside requests, until the server stops.

mod condense_metrics;
mod flush_uses;
mod follow_changes;
mod purge;
mod reload_certificate;

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinSet;

use crate::{state::AppState, stop_signal::StopSignal, tls::Tls};

pub use flush_uses::flush;
pub use follow_changes::{FollowError, Follower};
pub use purge::Purge;

/// Starts every job.
pub fn start(
    state: &AppState,
    metrics: Option<PrometheusHandle>,
    tls: Option<Arc<Tls>>,
    stop: &StopSignal,
) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    if let Some(metrics) = metrics {
        jobs.spawn(condense_metrics::run(metrics, stop.clone()));
    }
    if let Some(tls) = tls {
        jobs.spawn(reload_certificate::run(tls, stop.clone()));
    }
    jobs.spawn(flush_uses::run(state.clone(), stop.clone()));
    jobs.spawn(follow_changes::run(state.clone(), stop.clone()));
    if state.config.purge.enabled {
        jobs.spawn(purge::run(state.clone(), stop.clone()));
    }
    jobs
}
