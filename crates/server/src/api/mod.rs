//! The record API: `/api/v2/…`.
//!
//! Every handler checks in the same order, so that nobody learns more than they may: who calls (the
//! [`Caller`](crate::extract::caller::Caller) extractor), scope, role, the id in the path, the
//! query, the body, the record.

pub mod api_tokens;
pub mod body;
pub mod clients;
pub mod global_clients;
pub mod pagination;
mod revision;
pub mod tokens;
pub mod users;

use tokenry_core::minting::Minting;
use tokenry_protocol::{
    scope::{Access, Requirement, ScopeToken},
    time::Timestamp,
};

use crate::{
    extract::caller::{OAUTH, USERS},
    keyring::Keys,
    respond::ApiError,
    state::AppState,
};

/// What reading records takes of a bearer token.
const READ: Requirement = Requirement { resource: OAUTH, access: Access::Read };
/// What writing records takes of a bearer token.
const WRITE: Requirement = Requirement { resource: OAUTH, access: Access::Write };

/// The resource whose scope a handler of this API asks of a bearer token, by the handler's name in
/// the table of routes; `None` of what is open to every scope, or asks for no token.
pub fn resource_of(handler: &str) -> Option<&'static str> {
    match handler.strip_prefix("api::")? {
        "tokens::current" | "tokens::revoke_current" => None,
        handler if handler.starts_with("users::") => Some(USERS),
        _ => Some(OAUTH),
    }
}

/// What decisions mint with.
fn minting<'a>(state: &'a AppState, keys: &'a Keys, now: Timestamp) -> Minting<'a> {
    Minting { now, keys: &keys.token, entropy: state.environment.entropy.as_ref() }
}

/// Refuses a bearer token that lacks any of these.
fn refuse_missing(missing: &[ScopeToken]) -> Result<(), ApiError> {
    if missing.is_empty() {
        return Ok(());
    }
    Err(ApiError::MissingScopes(missing.iter().map(ToString::to_string).collect()))
}
