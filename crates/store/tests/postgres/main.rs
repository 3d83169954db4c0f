//! What only the PostgreSQL engine promises.
#![expect(clippy::unwrap_used, reason = "what does not hold must stop the test")]

mod batches;
mod conflicts;
mod hosts;
mod job_leases;
mod migrations;
mod nodes;
mod processes;
mod reconnecting;
mod standby;
mod support;
mod tls;
