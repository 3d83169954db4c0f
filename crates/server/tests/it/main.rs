//! The server through its router. The folders mirror `src`; each test has a store of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]
#![expect(unreachable_pub, reason = "nobody depends on tests, and `pub` is shorter")]

mod accounts;
mod api;
mod attacks;
mod contract;
mod endpoints;
mod envelope;
mod on_behalf_of;
mod pages;
mod refusals;
mod request_limits;
mod routes;
mod support;
mod verify;
