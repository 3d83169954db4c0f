//! The long simulations: the real server in this process, time and randomness injected.
//!
//! * [`fleet`]: no honest client is ever logged out, and every thief is caught.
//! * [`growth`]: the file does not grow, and no live grant is purged.
//!
//! `cargo xtask soak` runs both at length, the tests of this crate for a moment.

pub mod cast;
pub mod environment;
pub mod fleet;
pub mod growth;
pub mod http;
pub mod progress;
pub mod server;
