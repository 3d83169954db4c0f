//! Writes the uses and the refusals of tokens once a second.

use std::time::Duration;

use tokenry_store::Result;

use crate::{state::AppState, stop_signal::StopSignal, telemetry::log_store_error};

/// What a crash may lose of `used_at` and of refusals.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(state: AppState, mut stop: StopSignal) {
    while stop.sleep(PERIOD).await {
        if let Err(error) = flush(&state).await {
            log_store_error(&error);
        }
    }
}

/// Writes the uses and refusals noted so far; also the last thing before the store is closed.
pub async fn flush(state: &AppState) -> Result<()> {
    state.verifier.flush().await?;
    state.api_token_uses.flush(&state.store).await?;
    state.refusals.flush(&state.store).await
}
