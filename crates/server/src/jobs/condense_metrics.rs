//! Puts measured times into their buckets every few seconds.
//!
//! Until somebody does, the recorder keeps every one of them: at the pace of a busy server a
//! megabyte each second that nobody looks at the metrics.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::stop_signal::StopSignal;

const PERIOD: Duration = Duration::from_secs(2);

/// Runs until the server stops.
pub(super) async fn run(metrics: PrometheusHandle, mut stop: StopSignal) {
    while stop.sleep(PERIOD).await {
        metrics.run_upkeep();
    }
}
