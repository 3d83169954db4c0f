//! Every rule of the decisions, as a table row or a property.
//!
//! The files mirror `src/`. A test is a sentence that states a rule; its comment names the section
//! that asks for it. "docs: grants" is the reference of the grant endpoints.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

mod api_token;
mod api_token_creation;
mod authorization;
mod client;
mod client_authentication;
mod client_reach;
mod client_registration;
mod early_expiry;
mod grant;
mod grant_types;
mod impersonation;
mod introspection;
mod jwt_access_token;
mod policy;
mod record_access;
mod refusal;
mod rejection;
mod revision;
mod revocation;
mod sign_in_session;
mod standing;
mod support;
mod token_creation;
mod user;
