//! A real server, a network before it that fails on demand, and clients of both.

mod browser;
mod environment;
mod relay;
mod server;

pub(crate) use browser::{REDIRECT_URI, VERIFIER, http};
pub(crate) use environment::StillEnvironment;
pub(crate) use relay::{Fault, Relay};
pub(crate) use server::{PASSWORD, TestServer};
