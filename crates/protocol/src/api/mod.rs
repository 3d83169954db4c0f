//! The record API's own words: records, lists, requests, error bodies.
//!
//! Readers are lenient, because the same types read the answers of other servers of this API: every
//! field may be missing or `null`, and unknown fields are ignored. What the server writes is exact:
//! a field without a value is left out, save where a type says otherwise.
//!
//! Requests are read strictly ([`request`]).

pub mod api_tokens;
pub mod clients;
pub mod error;
pub mod global_clients;
pub mod pagination;
pub mod query;
pub mod request;
pub mod secret_text;
pub mod tokens;
pub mod users;
