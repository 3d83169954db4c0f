//! What whoever controls a client can reach through it, and what of that a change hands over.
//!
//! Client credentials give a token of the client's owner with all that the client may ask for
//! (RFC 6749 §4.4), and a client that a user consented to gets codes of that user without asking
//! again. So a bearer token that registers a client, widens it or takes it over has what the client
//! has from then on, and must have had it before:
//!
//! 1. A change that only takes away or describes hands nothing over.
//! 2. Otherwise the token must hold all that the client may ask for,
//! 3. and everything there is when that is in somebody else's name: the client has another owner,
//!    or codes of its users would be sent to an address that is new.
//!
//! Basic has no scope to exceed, and none of this is asked of it.

use tokenry_protocol::{
    ids::UserId,
    oauth::token::GrantType,
    scope::{Scope, ScopeCatalog, ScopeToken},
};

use crate::client::{Client, ClientRole, ClientSecret, ClientStatus};

/// What a bearer token lacks to write `after` in the place of `before`, which a new client does not
/// have. The bearer is its scope and whom it speaks for.
pub fn missing_scopes(
    (held, caller): (&Scope, UserId),
    before: Option<&Client>,
    after: &Client,
    catalog: &ScopeCatalog,
) -> Vec<ScopeToken> {
    if before.is_some_and(|before| !hands_over(before, after, catalog)) {
        return Vec::new();
    }
    // What users consented to before is known nowhere but in their grants, so every address that
    // is added to a client counts.
    let is_in_own_name =
        after.user_id == caller && before.is_none_or(|before| !has_new_address(before, after));
    let reach = match &after.allowed_scope {
        Some(allowed) if is_in_own_name => allowed.clone(),
        _ => Scope::everything(),
    };
    reach.beyond(held, catalog).into_iter().cloned().collect()
}

/// Whether somebody could do more with the client afterwards than before.
fn hands_over(before: &Client, after: &Client, catalog: &ScopeCatalog) -> bool {
    let is_new_grant = |grant_type| after.may_use(grant_type) && !before.may_use(grant_type);
    let is_wider = match (&before.allowed_scope, &after.allowed_scope) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => !after.beyond(before, catalog).is_empty(),
    };
    let is_enabled =
        (before.status, after.status) == (ClientStatus::Disabled, ClientStatus::Enabled);
    let sees_all = (before.role, after.role) == (ClientRole::Ordinary, ClientRole::ResourceServer);
    is_wider
        || is_enabled
        || sees_all
        || before.user_id != after.user_id
        || !is_same_proof(before.authentication, after.authentication)
        || has_new_address(before, after)
        || GrantType::ALL.into_iter().any(is_new_grant)
}

fn has_new_address(before: &Client, after: &Client) -> bool {
    after.redirect_uris.iter().any(|uri| !before.redirect_uris.contains(uri))
}

/// A new secret is in the hands of whoever asked for it, and none is in everybody's.
fn is_same_proof(before: ClientSecret, after: ClientSecret) -> bool {
    match (before, after) {
        (ClientSecret::Public, ClientSecret::Public) => true,
        (
            ClientSecret::Confidential { hash: before, .. },
            ClientSecret::Confidential { hash: after, .. },
        ) => before.matches(&after),
        _ => false,
    }
}
