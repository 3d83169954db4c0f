//! A real server, and clients of it.

mod server;

pub(crate) use server::TestServer;
