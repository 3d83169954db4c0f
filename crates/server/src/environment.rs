//! Time and randomness, real here and injected in tests.

use std::sync::{Arc, Mutex, PoisonError};

use tokenry_core::Entropy;
use tokenry_protocol::time::Timestamp;
use zeroize::Zeroizing;

/// The time of day.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where real time comes in")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since_epoch.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness, fetched many draws at a time: of what a small one costs,
/// asking for it is nearly all.
#[derive(Default)]
pub struct SystemEntropy(Mutex<Pool>);

/// Bytes that nobody has been given yet.
struct Pool {
    bytes: Zeroizing<[u8; POOL_SIZE]>,
    /// How many of them, from the front, are left.
    left: usize,
}

const POOL_SIZE: usize = 1_024;

impl Default for Pool {
    fn default() -> Self {
        Self { bytes: Zeroizing::new([0; POOL_SIZE]), left: 0 }
    }
}

impl Pool {
    /// Takes as many bytes off the end as `wanted` has room for, and leaves nothing of them there.
    fn take(&mut self, wanted: &mut [u8]) {
        if self.left < wanted.len() {
            ask_system(&mut *self.bytes);
            self.left = POOL_SIZE;
        }
        let rest = self.left.saturating_sub(wanted.len());
        for (slot, byte) in wanted.iter_mut().zip(self.bytes.iter_mut().skip(rest)) {
            *slot = std::mem::take(byte);
        }
        self.left = rest;
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > POOL_SIZE {
            return ask_system(bytes);
        }
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where real randomness comes in")]
fn ask_system(bytes: &mut [u8]) {
    // Without randomness no credential may be minted, and there is nothing to fall back on.
    if let Err(error) = getrandom::fill(bytes) {
        tracing::error!(%error, "the operating system gives no randomness; stopping");
        std::process::abort();
    }
}

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Environment {
    /// The real ones.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy::default()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_twice_and_nothing_given_is_kept() {
        let entropy = SystemEntropy::default();
        let drawn: HashSet<[u8; 16]> = (0..1_000).map(|_| entropy.secret()).collect();
        assert_eq!(drawn.len(), 1_000);
        let pool = entropy.0.lock().unwrap();
        assert!(pool.bytes[pool.left..].iter().all(|byte| *byte == 0));
        assert!(pool.bytes[..pool.left].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn any_number_of_bytes_can_be_drawn() {
        let entropy = SystemEntropy::default();
        for length in [0, 1, 1_023, 1_024, 1_025, 5_000, 3] {
            let mut bytes = vec![0; length];
            entropy.fill(&mut bytes);
            assert!(length < 32 || bytes.iter().any(|byte| *byte != 0), "{length}");
        }
    }
}
