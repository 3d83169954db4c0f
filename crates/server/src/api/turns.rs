//! Records that are read whole, changed and written back: one change at a time, so that none undoes
//! another.
//!
//! The turn goes along with the write: a request that is dropped must not let the next change read
//! what is about to be replaced.

use tokio::sync::{Mutex, MutexGuard};

use crate::settle::to_its_end;

/// The turns of one kind of record.
pub(super) struct Turns(Mutex<()>);

/// Held from before the record is read until it is written, or refused.
pub(super) struct Turn(MutexGuard<'static, ()>);

impl Turns {
    pub(super) const fn new() -> Self {
        Self(Mutex::const_new(()))
    }

    /// Waits until no other change is under way.
    pub(super) async fn wait(&'static self) -> Turn {
        Turn(self.0.lock().await)
    }
}

impl Turn {
    /// Does the write of this turn to its end, and the turn is over with it.
    pub(super) async fn write<T: Send + 'static>(
        self,
        write: impl Future<Output = T> + Send + 'static,
    ) -> T {
        to_its_end(async move {
            let written = write.await;
            drop(self.0);
            written
        })
        .await
    }
}
