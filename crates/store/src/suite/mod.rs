//! The suite that every engine must pass: plain functions, one rule each, over a fresh store.
//!
//! Mount it with [`for_each_rule`](crate::for_each_rule), which hands every rule, once, to a macro of
//! the engine's tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "these are tests: what does not hold must stop them"
)]

pub mod api_tokens;
pub mod changes;
pub mod clients;
pub mod events;
pub mod ids;
pub mod keys;
pub mod purge;
pub mod refresh;
pub mod sign_in_sessions;
pub mod support;
pub mod token_lists;
pub mod tokens;
pub mod users;

/// Calls `$mount! { file: rule, rule, …; … }` with every rule of the suite.
#[macro_export]
macro_rules! for_each_rule {
    ($mount:ident) => {
        $mount! {
RULES
        }
    };
}
