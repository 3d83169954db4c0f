//! Follows what other processes change in the same store, so that caches stay true.

use std::time::Duration;

use tokenry_store::{Change, ChangedRecord};

use super::StopSignal;
use crate::{respond::log_store_error, state::AppState};

/// How late this process may learn of another's change.
const PERIOD: Duration = Duration::from_millis(100);

pub(super) async fn run(state: AppState, mut stop: StopSignal) {
    // What changed before this is in no cache, because every cache was empty then.
    let mut seen = state.store.last_change().await.ok();
    let mut is_away = seen.is_none();
    while stop.sleep(PERIOD).await {
        match state.store.list_changes(seen.unwrap_or(0)).await {
            Ok(changes) => {
                if std::mem::take(&mut is_away) {
                    forget_everything(&state);
                }
                for change in changes {
                    seen = Some(change.number);
                    apply(&state, change).await;
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

async fn apply(state: &AppState, change: Change) {
    match change.record {
        ChangedRecord::Client(id) => state.directory.evict_client(id),
        ChangedRecord::User(id) => state.directory.evict_user(id),
        ChangedRecord::Token(id) => state.verifier.evict(id),
        // API tokens are looked up at every call.
        ChangedRecord::ApiToken(_) => {}
        ChangedRecord::Keys => {
            if let Err(error) = state.keyring.reload(state.store.as_ref(), &state.root_key).await {
                tracing::error!(%error, "the keys changed and cannot be read");
            }
        }
    }
}
