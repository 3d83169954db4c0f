//! Takes a renewed certificate into use.

use std::{sync::Arc, time::Duration};

use crate::{stop_signal::StopSignal, tls::Tls};

const PERIOD: Duration = Duration::from_secs(5);

/// Runs until the server stops.
pub(super) async fn run(tls: Arc<Tls>, mut stop: StopSignal) {
    let mut told = None;
    while stop.sleep(PERIOD).await {
        let files = Arc::clone(&tls);
        let Ok(reloaded) = tokio::task::spawn_blocking(move || files.reload()).await else {
            continue;
        };
        let problem = match reloaded {
            Ok(is_new) => {
                if is_new {
                    tracing::info!("a new certificate is in use");
                }
                None
            }
            Err(error) => Some(error.to_string()),
        };
        // Once for each problem: files are written one after the other, and some stay broken.
        if let Some(error) = problem.as_ref().filter(|_| problem != told) {
            tracing::warn!(error, "the certificate cannot be renewed; the old one stays in use");
        }
        told = problem;
    }
}
