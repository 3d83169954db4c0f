//! What only the `SQLite` engine promises.
#![expect(clippy::unwrap_used, reason = "what does not hold must stop the test")]

mod batches;
mod growth;
mod images;
mod migrations;
mod processes;
mod reopening;
mod support;
