//! The rules of scopes that several decisions share: how the names in a record are read, and what a
//! client may be given.

use tokenry_protocol::{
    api::error::FieldErrorCode::{InvalidValue, TooLong, TooManyValues},
    scope::{InvalidScope, LENGTH_MAX, NOT_A_STRING, Scope, ScopeToken, TOKENS_MAX},
};

use crate::{
    client::Client,
    field::{Flaw, blank, invalid},
    policy::{Policy, UnknownScopes},
    rejection::Rejection,
};

/// Reads names within the grammar and the bounds of a scope.
pub(crate) fn read_scope(names: Vec<String>) -> Result<Scope, Flaw> {
    let mut tokens: Vec<ScopeToken> = Vec::new();
    for name in names {
        let token = ScopeToken::parse(&name).map_err(|error| invalid(error.to_string()))?;
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    if tokens.len() > TOKENS_MAX {
        return Err((TooManyValues, format!("has at most {TOKENS_MAX} names")));
    }
    Scope::from_tokens(tokens).map_err(|error| match error {
        InvalidScope::Empty => blank(),
        InvalidScope::TooLong => (TooLong, format!("has at most {LENGTH_MAX} characters")),
        InvalidScope::Token(_) => (InvalidValue, error.to_string()),
    })
}

/// The checks that every asked scope passes, whatever the grant: known, and allowed to the client.
pub(crate) fn check_scope(
    scope: &Scope,
    client: &Client,
    policy: &Policy,
) -> Result<(), Rejection> {
    let unknown = policy.scopes.unknown(scope);
    if policy.unknown_scopes == UnknownScopes::Refuse && !unknown.is_empty() {
        return Err(Rejection::ScopeUnknown(unknown.into_iter().cloned().collect()));
    }
    let mut beyond = beyond_ceiling(scope, client, policy);
    if policy.unknown_scopes == UnknownScopes::Accept {
        // A list in place of a string gets a token that may do nothing, whatever the client may.
        beyond.retain(|token| token.as_str() != NOT_A_STRING);
    }
    match beyond {
        beyond if beyond.is_empty() => Ok(()),
        beyond => Err(Rejection::ScopeNotAllowed(beyond.into_iter().cloned().collect())),
    }
}

/// What is asked for beyond the client's `allowed_scopes`, the ceiling of every way to get a token.
pub(crate) fn beyond_ceiling<'a>(
    scope: &'a Scope,
    client: &Client,
    policy: &Policy,
) -> Vec<&'a ScopeToken> {
    let allowed = client.allowed_scope.as_ref();
    allowed.map_or_else(Vec::new, |allowed| scope.beyond(allowed, &policy.scopes))
}
