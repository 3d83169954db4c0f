//! PostgreSQL for tests: a server of a test's own, in a temporary folder and on a port of its own.
//!
//! * [`schema`] gives an empty schema in the server that all tests of a process share ([`shared`]),
//!   which starts with the first of them.
//! * [`Server`] is for tests that stop, freeze or starve it.
//! * [`Server::start_kept`] has a folder that stays, for benchmarks with tables that take long to
//!   fill.
//!
//! A server ends with the process that started it, however that ends: a shell waits beside it for
//! the pipe to its parent to close (`watchdog`). Where PostgreSQL is not installed tests fail and
//! say how to get it; none is skipped.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is for tests: what does not work must stop them"
)]

mod kept;
mod programs;
mod server;
mod watchdog;

use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

pub use self::server::{Held, Server};

/// The folder with PostgreSQL's programs, if it is installed.
pub fn programs() -> Option<PathBuf> {
    programs::find()
}

/// The server that all tests of a process share.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

/// The address of a schema in it that nobody else uses, without tables.
pub fn schema() -> String {
    shared().schema()
}

/// The variable that says on which engine a whole set of tests runs: `postgres`, or else the
/// embedded one.
pub const ENGINE: &str = "TOKENRY_TEST_STORE";

/// A schema as [`schema`] gives it, where the set runs on PostgreSQL.
pub fn schema_if_chosen() -> Option<String> {
    std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres").then(schema)
}

/// The next name of a schema.
fn next_schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("s{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
