//! Removes what is over, in bounded steps, so that the database does not grow for ever.

use std::time::Duration;

use tokenry_protocol::time::Seconds;
use tokenry_store::{PurgeRequest, PurgeSubject, Result};

use super::StopSignal;
use crate::{respond::log_store_error, state::AppState};

/// Between steps, so that requests always come first.
const BREATH: Duration = Duration::from_millis(5);
/// Every process looks for changes ten times a second and so never falls this far behind.
const CHANGES_KEPT: u64 = 100_000;

pub(super) async fn run(state: AppState, mut stop: StopSignal) {
    while stop.sleep(state.config.purge.interval).await {
        if let Err(error) = sweep(&state, BREATH, &mut stop).await {
            log_store_error(&error);
        }
    }
}

/// One sweep over everything, without pauses.
pub async fn purge_once(state: &AppState) -> Result<u64> {
    let (_sender, mut never) = StopSignal::new();
    sweep(state, Duration::ZERO, &mut never).await
}

async fn sweep(state: &AppState, breath: Duration, stop: &mut StopSignal) -> Result<u64> {
    let settings = &state.config.purge;
    let kept = u32::try_from(settings.expired_grants_kept.as_secs()).unwrap_or(u32::MAX);
    let events_kept = u64::try_from(settings.events_kept).unwrap_or(u64::MAX);
    let limit = u32::try_from(settings.rows_per_step).unwrap_or(u32::MAX);
    let mut removed = 0;
    for subject in [
        PurgeSubject::Tokens { grants_kept: Seconds(kept) },
        PurgeSubject::SignInSessions,
        PurgeSubject::Events { kept: events_kept },
        PurgeSubject::Changes { kept: CHANGES_KEPT },
        PurgeSubject::Clients,
        PurgeSubject::Users,
    ] {
        let mut request = PurgeRequest { subject, after: 0, limit, now: state.now() };
        loop {
            let purged = state.store.purge(request).await?;
            removed += u64::from(purged.removed);
            let Some(next) = purged.next else { break };
            request.after = next;
            if !breath.is_zero() && !stop.sleep(breath).await {
                return Ok(removed);
            }
        }
    }
    if removed > 0 {
        tracing::debug!(removed, "purged");
        metrics::counter!("tokenry_purged_rows_total").increment(removed);
    }
    Ok(removed)
}
