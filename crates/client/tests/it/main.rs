//! The client against the real server, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api_tokens;
mod authorization_code;
mod authorization_server;
mod blocking;
mod client;
mod comparison;
mod errors;
mod examples;
mod global_clients;
mod grant_type_tokens;
mod loopback;
mod models;
mod oauth_clients;
mod oauth_tokens;
mod pagination;
mod retry;
mod support;
mod token_source;
mod tracing;
mod users;
