//! What runs beside requests, until the server stops.
//!
//! * `purge` is one node's for all, by lease ([`lease`]).
//! * `flush_uses` is each node's own: the uses and refusals that it has noted are in its memory
//!   and nowhere else, so no other could write them for it.
//! * `follow_changes` is each node's own: what it evicts is in its memory.
//! * `condense_metrics` and `reload_certificate` are each node's own: its counts, and its files.
//!
//! Keys are rotated by whoever says so (`tokenry key rotate`), and never by the time: there is no
//! job for it.

mod condense_metrics;
mod flush_uses;
mod follow_changes;
mod lease;
mod purge;
mod reload_certificate;

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokenry_store::Job;
use tokio::task::JoinSet;

use self::lease::Leases;
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
        let leases = Leases::new(
            Arc::clone(&state.store),
            state.environment.entropy.as_ref(),
            state.config.cluster.job_lease_lifetime,
        );
        let state = state.clone();
        let purge = move |leave| purge::run(state.clone(), leave);
        jobs.spawn(leases.while_held(Job::Purge, stop.clone(), purge));
    }
    jobs
}
