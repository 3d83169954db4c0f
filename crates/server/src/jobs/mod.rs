//! What runs beside requests, until the server stops.

mod condense_metrics;
mod flush_uses;
mod follow_changes;
mod purge;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{sync::watch, task::JoinSet};

use crate::state::AppState;

pub use flush_uses::flush;
pub use purge::Purge;

/// Tells jobs that the server stops.
#[derive(Clone)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// A signal, and what gives it.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Done once the signal is given, or nobody is left to give it.
    pub async fn given(&mut self) {
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Waits for `period`; `false` when the signal came first.
    async fn sleep(&mut self, period: std::time::Duration) -> bool {
        tokio::select! {
            () = self.given() => false,
            () = tokio::time::sleep(period) => true,
        }
    }
}

/// Starts every job.
pub fn start(
    state: &AppState,
    metrics: Option<PrometheusHandle>,
    stop: &StopSignal,
) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    if let Some(metrics) = metrics {
        jobs.spawn(condense_metrics::run(metrics, stop.clone()));
    }
    jobs.spawn(flush_uses::run(state.clone(), stop.clone()));
    jobs.spawn(follow_changes::run(state.clone(), stop.clone()));
    if state.config.purge.enabled {
        jobs.spawn(purge::run(state.clone(), stop.clone()));
    }
    jobs
}
