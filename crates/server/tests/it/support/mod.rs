//! What tests of the server share: an app over its real router and a fresh store, with a clock that
//! stands still, seeded randomness and a store that can be sent away.

mod app;
mod authorization_request;
mod browser;
mod call;
mod cast;
mod doors;
mod environment;
mod faulty_store;
mod grants;

pub use app::{BASE, NOON, TestApp};
pub use authorization_request::{AUTHORIZATION, authorization_request, parameter};
pub use browser::{Browser, Form};
pub use call::{Answer, Call};
pub use cast::{PASSWORD, TestClient, TestUser};
pub use doors::Door;
pub use environment::{SeededEntropy, TestClock};
pub use faulty_store::FaultyStore;
pub use grants::{GrantSpec, IssuedGrant, VERIFIER};
