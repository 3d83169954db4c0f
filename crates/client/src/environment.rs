//! Time and randomness, real here and injected in tests.

use std::time::Duration;

use tokenry_protocol::time::Timestamp;

use crate::credentials::BoxFuture;

/// Where a client takes time and randomness from.
pub trait Environment: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()>;

    /// Fills with random bytes, or tells why it cannot.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// The operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    #[expect(clippy::disallowed_methods, reason = "the one place where real time comes in")]
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where randomness comes in")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        getrandom::fill(bytes).map_err(|error| error.to_string())
    }
}
