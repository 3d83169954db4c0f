//! The real binary under attack, over raw sockets: requests that nobody should send, password
//! guessing, and connections that are there to hurt.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

mod answer;
mod bad_input;
mod connections;
mod given;
mod guessing;
mod http2;
mod memory;
#[path = "../it/process.rs"]
#[expect(dead_code, reason = "shared with the tests of `it`, which need more of it")]
mod process;
mod row;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whoever measures time or memory holds it, so that no other attack is measured with it.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
