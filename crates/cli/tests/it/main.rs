//! The real binary: its commands, and what it keeps when it is killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

mod browser;
mod client;
mod cluster;
mod commands;
mod durability;
mod failover;
mod process;
mod secrets;
