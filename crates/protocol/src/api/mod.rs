//! The record API's own words: records, lists, requests, error bodies.
//!
//! Readers are lenient, because the same types read the answers of other servers of this API: every
//! field may be missing or `null`, unknown fields are kept ([`extra`]) and unknown words too
//! ([`open`]). What the server writes is exact: a field without a value is left out, save where a
//! type says otherwise.
//!
//! Requests are read strictly, and written by clients of the same types ([`request`]).

pub mod api_tokens;
pub mod clients;
pub mod error;
pub mod extra;
pub mod global_clients;
pub mod open;
pub mod pagination;
#[cfg(feature = "requests")]
pub mod query;
pub mod request;
pub mod secret_text;
pub mod tokens;
pub mod users;
