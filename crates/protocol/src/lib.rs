//! The words: every type that goes over the wire, and the rules of its text.
//!
//! Pure: no I/O, no clock, no randomness, no async runtime. Shared by the server and by everything
//! that speaks to it.
//!
//! * [`api`]: the record API (`/api/v2/…`), `OAuthTokenResponse` first of all.
//! * [`oauth`]: the standards' requests and answers (RFC 6749, 7009, 7662, 8414).
//! * The rest: ids, times, credentials, scopes, PKCE, redirect addresses and the strict reading of
//!   JSON, which both use.

pub mod api;
pub mod ids;
pub mod json;
pub mod oauth;
pub mod pkce;
pub mod redirect_uri;
pub mod scope;
pub mod secret;
pub mod time;
