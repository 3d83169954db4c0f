//! A double of Zendesk's OAuth token API, for the tests of whoever calls it: in memory, with a
//! seeded account, every trouble of production on demand, and a clock to turn.
//!
//! ```no_run
//! # async fn example() -> Result<(), tokenry_twin::TwinError> {
//! use tokenry_twin::{Fault, Rule, Twin};
//!
//! let twin = Twin::start().await?;
//! twin.add_fault(Rule::once(Fault::LoseAnswer));
//! // … the code under test talks to `twin.base_url()` …
//! twin.reset().await?;
//! # Ok(()) }
//! ```
//!
//! Start at [`Twin`]. Calls go through `service.rs` to a server of the ordinary kind (`world.rs`),
//! which knows nothing of doubles; what tests turn is in `control/`.

pub mod account;
mod call;
mod clock;
pub mod connect;
pub mod control;
mod double;
mod entropy;
mod error;
pub mod faults;
mod https;
pub mod journal;
mod kept;
mod known;
mod options;
mod profile;
mod script;
pub mod seed;
mod service;
pub mod span;
mod stored;
mod strike;
#[cfg(test)]
mod testing;
mod tokens;
mod twin;
pub mod views;
mod world;

pub use crate::{
    account::Account,
    clock::{ClockReading, TwinClock},
    error::TwinError,
    faults::{Fault, Rule},
    options::{Expiry, Options, Rotation},
    profile::{Profile, UnknownProfile},
    seed::{Authorization, Authorize, IssueToken, Means, Seed},
    twin::{Bound, Twin},
};
