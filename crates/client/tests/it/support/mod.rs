//! A real server, a network before it that fails on demand, and clients of both.

mod browser;
mod doubtful;
mod environment;
mod relay;
mod server;

pub(crate) use browser::{Browser, Page, REDIRECT_URI, exchange, fetch, http};
pub(crate) use doubtful::{Clock, Counter, Failing, Network, relay};
pub(crate) use environment::StillEnvironment;
pub(crate) use relay::{Fault, Relay};
pub(crate) use server::{PASSWORD, TestServer};
