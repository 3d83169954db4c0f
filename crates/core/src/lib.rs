//! The decisions: what an authorization server must answer, as plain functions.
//!
//! Load → decide → commit. A decision takes loaded records, the time and randomness, and returns
//! what to write and what to answer. Nothing here does I/O, waits, or knows HTTP or SQL, so every
//! rule can be tested in a table.
//!
//! Writes are values whose fields are private: only a decision makes one, only the store takes one,
//! so no caller can skip the check that stands before it.

pub mod api_token;
pub mod api_token_creation;
pub mod authorization;
pub mod client;
pub mod client_authentication;
pub mod client_reach;
pub mod client_registration;
pub mod credentials;
pub mod early_expiry;
pub mod event;
mod field;
pub mod grant;
pub mod grant_types;
pub mod impersonation;
pub mod introspection;
pub mod issue;
pub mod jwt_access_token;
pub mod minting;
pub mod policy;
pub mod record_access;
pub mod refusal;
pub mod rejection;
pub mod revision;
pub mod revocation;
mod scope;
pub mod sign_in_session;
pub mod standing;
pub mod token_creation;
pub mod user;

pub use credentials::{Entropy, Mint, TokenKeys};
