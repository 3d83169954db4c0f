//! Time that does not pass, and chance that is always the same.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokenry_client::{BoxFuture, Environment, SystemEnvironment, models::Timestamp};

/// Notes how long it would have waited. The longest wait is always drawn.
#[derive(Clone, Default)]
pub(crate) struct StillEnvironment {
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl StillEnvironment {
    /// What was waited since the last time.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.waits.lock().unwrap())
    }
}

impl Environment for StillEnvironment {
    fn now(&self) -> Timestamp {
        SystemEnvironment.now()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        self.waits.lock().unwrap().push(span);
        Box::pin(std::future::ready(()))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        // The first two bytes are the draw.
        for (pair, byte) in bytes.chunks_mut(2).zip((0..=u8::MAX).rev().cycle()) {
            pair.fill(byte);
        }
        Ok(())
    }
}
