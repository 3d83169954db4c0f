//! Removes what is over, in bounded steps, so that the database does not grow for ever.
//!
//! 1. A step looks at some hundred rows and removes those that are over ([`Store::purge`]).
//! 2. A step over tokens also says when the next of them will be over. Until then its range of ids
//!    is passed over ([`Ranges`]), so that a sweep costs what there is to remove, however large
//!    the table is.
//! 3. Steps that find nothing give way: they take a twentieth of the time.
//!
//! One node does it for all, by lease. Two that do it at once for a moment do no harm: what a step
//! removes it looks at again as it does, so the second finds it gone.
//!
//! [`Store::purge`]: tokenry_store::Store::purge

mod ranges;

use std::time::{Duration, Instant};

use tokenry_protocol::time::Seconds;
use tokenry_store::{PurgeRequest, PurgeStep, PurgeSubject, Result};

use self::ranges::Ranges;
use super::lease::Leave;
use crate::{state::AppState, telemetry::log_store_error};

/// Between steps, so that requests always come first.
const BREATH: Duration = Duration::from_millis(5);
/// How many times longer than a step that found nothing the pause after it is.
const REST: u32 = 19;
/// Every process looks for changes ten times a second and so never falls this far behind.
const CHANGES_KEPT: u64 = 100_000;

/// Runs until the leave to do it ends. Whoever has it next begins with an empty memory.
pub(super) async fn run(state: AppState, mut leave: Leave) {
    let mut purge = Purge::default();
    while leave.sleep(state.config.purge.interval).await {
        if let Err(error) = purge.sweep_until(&state, Some(&mut leave), |_, _| ()).await {
            log_store_error(&error);
        }
    }
}

/// What is removed, and where there was nothing to remove the last time.
#[derive(Debug, Default)]
pub struct Purge {
    tokens: Ranges,
}

impl Purge {
    /// One sweep over everything that may be over, without pauses. Says how many rows it removed.
    pub async fn sweep(&mut self, state: &AppState) -> Result<u64> {
        self.sweep_until(state, None, |_, _| ()).await
    }

    /// The same, and tells what each step did.
    pub async fn sweep_telling(
        &mut self,
        state: &AppState,
        tell: impl FnMut(PurgeSubject, PurgeStep) + Send,
    ) -> Result<u64> {
        self.sweep_until(state, None, tell).await
    }

    /// The same, with pauses and no further than the leave, if it has one.
    async fn sweep_until(
        &mut self,
        state: &AppState,
        mut leave: Option<&mut Leave>,
        mut tell: impl FnMut(PurgeSubject, PurgeStep) + Send,
    ) -> Result<u64> {
        let settings = &state.config.purge;
        let kept = u32::try_from(settings.expired_grants_kept.as_secs()).unwrap_or(u32::MAX);
        let events_kept = u64::try_from(settings.events_kept).unwrap_or(u64::MAX);
        let refusals_kept = u64::try_from(settings.refusals_kept).unwrap_or(u64::MAX);
        let limit = u32::try_from(settings.rows_per_step).unwrap_or(u32::MAX);
        let mut removed = 0;
        for subject in [
            PurgeSubject::Tokens { grants_kept: Seconds(kept) },
            PurgeSubject::SignInSessions,
            PurgeSubject::Events { kept: events_kept },
            PurgeSubject::Refusals { kept: refusals_kept },
            PurgeSubject::Changes { kept: CHANGES_KEPT },
            PurgeSubject::Clients,
            PurgeSubject::Users,
        ] {
            let mut everything = Ranges::default();
            let ranges = match subject {
                PurgeSubject::Tokens { .. } => &mut self.tokens,
                // Their tables are small, or are read from one end.
                _ => &mut everything,
            };
            let mut position = Some(0);
            while let Some(after) = position {
                if leave.as_ref().is_some_and(|leave| !leave.holds()) {
                    return Ok(removed);
                }
                let now = state.now();
                let after = ranges.pass_over(after, now);
                let began = Instant::now();
                let step = state.store.purge(PurgeRequest { subject, after, limit, now }).await?;
                ranges.note(after, step, now);
                tell(subject, step);
                if step.removed > 0 {
                    metrics::counter!("tokenry_purged_rows_total").increment(step.removed.into());
                }
                removed += u64::from(step.removed);
                position = step.next;
                if let Some(leave) = leave.as_deref_mut()
                    && position.is_some()
                {
                    leave.sleep(pause(step.removed, began.elapsed())).await;
                }
            }
        }
        tracing::debug!(removed, "purged");
        Ok(removed)
    }
}

/// Removing must keep up with issuing, and looking need not hurry.
fn pause(removed: u32, step: Duration) -> Duration {
    if removed > 0 { BREATH } else { BREATH.max(step * REST) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokenry_core::{
        credentials::Key,
        sign_in_session::SignInSession,
        user::{Role, User},
    };
    use tokenry_protocol::{ids::SignInSessionId, secret::SecretHash, time::Timestamp};
    use tokenry_store::{Insertion, Store as _, sqlite::SqliteStore};

    use super::*;
    use crate::{
        config::{BaseUrl, Config},
        environment::Environment,
        state::Parts,
        stop_signal::StopSignal,
    };

    const LONG_AGO: Timestamp = Timestamp::from_seconds(1_000_000);

    /// A server with a session that is over.
    async fn server() -> AppState {
        let store = Arc::new(SqliteStore::in_memory().unwrap());
        let user = User {
            id: 1_u64.try_into().unwrap(),
            email: "ada@acme.test".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Admin,
            password_hash: None,
            verified: true,
            suspended: false,
            password_epoch: 0,
            created_at: LONG_AGO,
            updated_at: LONG_AGO,
        };
        let session = SignInSession {
            id: SignInSessionId::new(1).unwrap(),
            hash: SecretHash::from_bytes([0; 32]),
            user_id: user.id,
            password_epoch: 0,
            created_at: LONG_AGO,
            expires_at: LONG_AGO,
        };
        assert_eq!(store.insert_user(user).await.unwrap(), Insertion::Done);
        store.insert_sign_in_session(session).await.unwrap();
        let parts = Parts {
            config: Config::default(),
            base: BaseUrl::at(([127, 0, 0, 1], 4_000).into()).unwrap(),
            environment: Environment::system(),
            store,
            root_key: Key::new([7; 32]),
        };
        AppState::new(parts).await.unwrap()
    }

    #[tokio::test]
    async fn without_leave_no_step_is_done_and_with_it_the_sweep_goes_to_its_end() {
        let state = server().await;
        let now = tokio::time::Instant::now();
        let (over, signal) = StopSignal::new();
        let mut lapsed = Leave::until(now, signal.clone());
        let removed = Purge::default().sweep_until(&state, Some(&mut lapsed), |_, _| ()).await;
        assert_eq!(removed.unwrap(), 0);
        let mut leave = Leave::until(now + Duration::from_secs(300), signal);
        let removed = Purge::default().sweep_until(&state, Some(&mut leave), |_, _| ()).await;
        assert_eq!(removed.unwrap(), 1);
        over.send(true).unwrap();
        assert!(!leave.holds());
    }

    #[test]
    fn a_step_that_finds_nothing_takes_a_twentieth_of_the_time() {
        assert_eq!(pause(0, Duration::from_millis(3)), Duration::from_millis(57));
        assert_eq!(pause(0, Duration::from_micros(10)), BREATH);
        assert_eq!(pause(1, Duration::from_secs(1)), BREATH);
    }
}
