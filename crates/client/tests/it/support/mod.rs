//! A real server, and clients of it.

mod browser;
mod server;

pub(crate) use browser::{REDIRECT_URI, VERIFIER};
pub(crate) use server::{PASSWORD, TestServer};
