//! The client against the real server, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api_tokens;
mod authorization_server;
mod blocking;
mod examples;
mod global_clients;
mod grant_type_tokens;
mod oauth_clients;
mod oauth_tokens;
mod support;
mod users;
