//! Nothing acknowledged is lost: not to `SIGKILL`, not to a power loss, not to a disk that is full,
//! slow or broken, not to a clock that is stepped.
//!
//! Workers use the real binary and keep a ledger of what they asked and what was answered
//! (`workers`, `ledger`). Then something happens to the process, its disk or its clock. Then the
//! oracle asks the server that came back, grant by grant, whether every answer still holds, and of
//! every call that had none whether it happened wholly or not at all (`oracle`).
//!
//! | what happens | tested in | needs |
//! |---|---|---|
//! | `SIGKILL` at random moments | `kill` | |
//! | `SIGKILL` before every single write and sync of a request | `every_point` | Linux |
//! | power loss, replayed from a journal of all writes | `power_loss` | Linux |
//! | power loss: an ext4 whose journal is cut off | `lost_file_system` | root, loop mounts |
//! | full disk | `disk_full` | Linux; also root, tmpfs |
//! | syncs that fail | `failing_sync` | Linux |
//! | syncs that hang or are slow | `slow_disk` | Linux |
//! | the clock stepped back and forward | `stepped_clock` | Linux |
//!
//! "Linux" is the library of the package `tokenry-faults`, preloaded into the server (`faults`). A
//! test that a machine cannot run says so by name on standard error.
//!
//! # The long form
//!
//! Every number of rounds is multiplied by `CRASH_ROUNDS_TIMES` (1), and `CRASH_SEED` gives other
//! random choices than those of the fixed seed; each run prints its own.
//!
//! ```text
//! export CRASH_ROUNDS_TIMES=50 CRASH_SEED=$RANDOM
//! cargo test -p tokenry-cli --test it durability -- --nocapture
//! ```

mod breakdown;
mod clean_stop;
pub(crate) mod dice;
mod disk_full;
mod every_point;
mod failing_sync;
mod faults;
mod kill;
pub(crate) mod ledger;
mod lost_file_system;
mod mounts;
pub(crate) mod oracle;
mod power_loss;
mod replay;
mod slow_disk;
mod stepped_clock;
pub(crate) mod workers;

use std::io::Write;

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::{App, Client},
    process::{self, Process},
};

/// A folder with an administrator and a client, and no server.
struct Site {
    folder: TempDir,
    admin: Value,
    app: App,
}

impl Site {
    fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    fn within(folder: TempDir) -> Self {
        let admin = process::init(folder.path());
        let server = Process::start(folder.path());
        let app = Client::new(&server.base).register(&admin);
        server.stop();
        Self { folder, admin, app }
    }
}

/// How many rounds, when `rounds` is what a short run has.
pub(crate) fn rounds(rounds: u64) -> u64 {
    rounds * from_environment("CRASH_ROUNDS_TIMES", 1)
}

/// The seed of a test, printed.
pub(crate) fn seed(test: &str) -> u64 {
    let seed = from_environment("CRASH_SEED", 0x9E37_79B9_7F4A_7C15);
    println!("{test}: CRASH_SEED={seed}");
    seed
}

fn from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number: {text}")),
        Err(_) => default,
    }
}

/// Says that a test did not run. Past the test runner, which hides what a passing test prints.
fn skip(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
