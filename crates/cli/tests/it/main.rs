//! The real binary: its commands, and what it keeps when it is killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

mod backup;
mod browser;
mod cli;
mod client;
mod cluster;
mod cluster_jobs;
mod commands;
mod decode;
mod durability;
mod export;
mod first_schema;
mod home;
mod pages;
mod process;
mod purge;
mod restore;
#[cfg(feature = "rolling-upgrade")]
mod rolling_upgrade;
mod scope;
mod secrets;
mod shared_database;
mod store_copy;
mod twin_check;
mod why;
