//! The words: every type that goes over the wire, and the rules of its text.
//!
//! Pure: no I/O, no clock, no randomness, no async runtime. Shared by the server and by everything
//! that speaks to it.
//!
//! * [`api`]: the record API (`/api/v2/…`), `OAuthTokenResponse` first of all.
//! * [`oauth`]: the standards' requests and answers (RFC 6749, 7009, 7662, 8414).
//! * The rest: ids, times, credentials, scopes, PKCE, redirect addresses and the strict reading of
//!   JSON, which both use.
//!
//! # Features
//!
//! Without any feature there are the types of answers and of record requests, which need nothing
//! but `serde` and its `serde_json`.
//!
//! | feature | adds |
//! |---|---|
//! | `credentials` | `secret`, `scope`, `pkce`: what credentials look like and are compared by |
//! | `requests` | the reading of queries, forms and token requests, `redirect_uri` |

pub mod api;
pub mod ids;
pub mod json;
pub mod oauth;
#[cfg(feature = "credentials")]
pub mod pkce;
#[cfg(feature = "requests")]
pub mod redirect_uri;
#[cfg(feature = "credentials")]
pub mod scope;
#[cfg(feature = "credentials")]
pub mod secret;
pub mod time;
