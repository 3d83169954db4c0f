//! Follows what other processes and nodes change in the same store, so that caches stay true.
//!
//! Once all that is new is applied, the moment at which the look began is confirmed: until then
//! everything that others have changed is known ([`crate::freshness`]).

use std::time::{Duration, Instant};

use tokenry_store::{Change, ChangePosition, ChangedRecord, StoreError};

use crate::{
    keyring::KeyringError, state::AppState, stop_signal::StopSignal, telemetry::log_store_error,
};

/// How late this process learns of a change, where others are commands beside the one server.
const PERIOD_EMBEDDED: Duration = Duration::from_millis(100);
/// The same where others are nodes that serve as well.
const PERIOD_SHARED: Duration = Duration::from_millis(20);
/// As many changes as are listed at once: behind fewer there is nothing more.
const CHANGES_LISTED: usize = 1_000;

/// Runs until the server stops.
pub(super) async fn run(state: AppState, mut stop: StopSignal) {
    let period = if state.config.store.is_some() { PERIOD_SHARED } else { PERIOD_EMBEDDED };
    let mut follower = Follower::begin(&state).await;
    loop {
        if let Err(error) = follower.look(&state).await {
            match error {
                FollowError::Store(error) => log_store_error(&error),
                FollowError::Keys(error) => {
                    // The same change is looked at again the next time.
                    tracing::error!(%error, "a change of another process cannot be followed");
                }
            }
        }
        if !stop.sleep(period).await {
            break;
        }
    }
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The changes cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys have changed, and cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyringError),
}

/// How far the changes are known.
pub struct Follower {
    seen: ChangePosition,
    /// Changes may have been missed: they are not kept for ever.
    is_away: bool,
}

impl Follower {
    /// Begins with what is cached now.
    pub async fn begin(state: &AppState) -> Self {
        let last = state.store.last_change().await;
        // Requests are served already: what was cached before that look may have changed before it.
        forget_everything(state);
        // Without that look everything is followed from the beginning.
        Self { is_away: last.is_err(), seen: last.unwrap_or(ChangePosition::START) }
    }

    /// Applies all that is new.
    pub async fn look(&mut self, state: &AppState) -> Result<(), FollowError> {
        let began = Instant::now();
        self.is_away |= state.freshness.has_lapsed();
        loop {
            let changes = state.store.list_changes(&self.seen).await;
            let changes = changes.inspect_err(|_| self.is_away = true)?;
            if std::mem::take(&mut self.is_away) {
                forget_everything(state);
            }
            let is_all = changes.len() < CHANGES_LISTED;
            for change in changes {
                apply(state, &change).await?;
                if let Some(age) = change.age {
                    metrics::histogram!("tokenry_change_delay_seconds").record(age);
                }
                self.seen.follow(&change);
            }
            if is_all {
                break;
            }
        }
        state.freshness.confirm(began);
        Ok(())
    }
}

/// After a time without news nothing that is cached can be vouched for.
fn forget_everything(state: &AppState) {
    state.directory.clear();
    state.verifier.clear();
}

async fn apply(state: &AppState, change: &Change) -> Result<(), KeyringError> {
    match change.record {
        ChangedRecord::Client(id) => state.directory.evict_client(id),
        ChangedRecord::User(id) => state.directory.evict_user(id),
        ChangedRecord::Token(id) => state.verifier.evict(id),
        // API tokens are looked up at every call.
        ChangedRecord::ApiToken(_) => {}
        ChangedRecord::Keys => {
            state.keyring.reload(state.store.as_ref(), &state.root_key).await?;
        }
        ChangedRecord::Everything => {
            tracing::warn!("the database is older than it was: everything is read anew");
            forget_everything(state);
            state.keyring.reload(state.store.as_ref(), &state.root_key).await?;
        }
    }
    Ok(())
}
