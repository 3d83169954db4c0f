//! The twin as its users meet it: over a socket, and by its control.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what does not hold must stop the test"
)]

mod addresses;
mod clock;
mod consistency;
mod faults;
mod grants;
mod https;
mod journal;
mod parallel;
mod profiles;
mod recipe;
mod reset;
mod restart;
mod support;
mod tokens;
