//! Follows what other processes change in the same store, so that caches stay true.

use std::time::Duration;

use tokenry_store::{Change, ChangePosition, ChangedRecord};

use crate::{
    keyring::KeyringError, state::AppState, stop_signal::StopSignal, telemetry::log_store_error,
};

/// How late this process may learn of another's change.
const PERIOD: Duration = Duration::from_millis(100);

pub(super) async fn run(state: AppState, mut stop: StopSignal) {
    let last = state.store.last_change().await;
    // Requests are served already: what was cached before that look may have changed before it.
    forget_everything(&state);
    let mut is_away = last.is_err();
    // Without that look everything is followed from the beginning.
    let mut seen = last.unwrap_or(ChangePosition::START);
    while stop.sleep(PERIOD).await {
        match state.store.list_changes(&seen).await {
            Ok(changes) => {
                if std::mem::take(&mut is_away) {
                    forget_everything(&state);
                }
                for change in changes {
                    if let Err(error) = apply(&state, change).await {
                        // The same change is looked at again the next time.
                        tracing::error!(%error, "a change of another process cannot be followed");
                        break;
                    }
                    seen.advance(change.node, change.number);
                }
            }
            Err(error) => {
                log_store_error(&error);
                is_away = true;
            }
        }
    }
}

/// After a time without news nothing that is cached can be vouched for.
fn forget_everything(state: &AppState) {
    state.directory.clear();
    state.verifier.clear();
}

async fn apply(state: &AppState, change: Change) -> Result<(), KeyringError> {
    match change.record {
        ChangedRecord::Client(id) => state.directory.evict_client(id),
        ChangedRecord::User(id) => state.directory.evict_user(id),
        ChangedRecord::Token(id) => state.verifier.evict(id),
        // API tokens are looked up at every call.
        ChangedRecord::ApiToken(_) => {}
        ChangedRecord::Keys => {
            state.keyring.reload(state.store.as_ref(), &state.root_key).await?;
        }
    }
    Ok(())
}
