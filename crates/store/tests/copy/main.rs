//! Copying an installation from one database into another.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what does not hold must stop the test"
)]

mod again;
mod backup;
mod export;
mod refusals;
mod restore;
mod round_trip;
mod schema;
mod support;
