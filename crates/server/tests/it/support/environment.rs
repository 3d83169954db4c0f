//! Time and randomness that tests decide about.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use tokenry_core::Entropy;
use tokenry_protocol::time::Timestamp;
use tokenry_server::environment::Clock;

/// A clock that stands still until a test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn at(time: &str) -> Self {
        let clock = Self(AtomicI64::new(0));
        clock.set(time);
        clock
    }

    /// Puts the clock to an RFC 3339 time.
    pub fn set(&self, time: &str) {
        let time = Timestamp::parse(time).expect("a time in RFC 3339");
        self.0.store(time.as_millis(), Ordering::SeqCst);
    }

    /// Moves the clock on, or back.
    pub fn advance(&self, seconds: i64) {
        self.advance_millis(seconds * 1_000);
    }

    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes in every run, never twice in one.
#[derive(Default)]
pub struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::digest(count.to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
