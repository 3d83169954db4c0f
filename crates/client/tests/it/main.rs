//! The client against the real server, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blocking;
#[path = "../../examples/operations/oauth_tokens.rs"]
mod example_oauth_tokens;
mod oauth_tokens;
mod support;
