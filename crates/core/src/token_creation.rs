//! Tokens that an administrator creates through the record API.
//!
//! 1. The client must be one of ours, named by its resource id.
//! 2. The scope keeps to the grammar; names that mean nothing are kept and grant nothing.
//! 3. The client's `allowed_scopes` is a ceiling for every way to get a token.
//! 4. A bearer token may not mint more than it has itself.

use tokenry_protocol::{
    api::{
        error::FieldErrors,
        request::Sent,
        tokens::{ClientReference, CreateTokenRequest},
    },
    ids::ClientId,
    scope::{Scope, ScopeToken},
    time::Seconds,
};

use crate::{
    client::Client,
    field::{Flaw, blank, invalid, noted},
    grant::Origin,
    issue::{Issuance, IssuedTokens, NewToken},
    policy::{Policy, shorter},
    scope::{beyond_ceiling, read_scope},
};

/// Why a token is not created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreationRefused {
    /// The request is wrong.
    Invalid(FieldErrors),
    /// The caller's own token lacks these.
    MissingScopes(Vec<ScopeToken>),
}

/// A token that may be created. Only [`approve`] makes one.
#[derive(Debug)]
pub struct ApprovedCreation {
    client_id: ClientId,
    scope: Scope,
    lifetime: Option<Seconds>,
}

/// Judges a request. `client` is the client that it names, if there is one; `caller_scope` is the
/// scope of the caller's own token, if it is one that has any.
pub fn approve(
    request: CreateTokenRequest,
    client: Option<&Client>,
    caller_scope: Option<&Scope>,
    policy: &Policy,
) -> Result<ApprovedCreation, CreationRefused> {
    let mut errors = request.errors;
    let client = check_client(&request.client_id, client);
    let client = noted(&mut errors, "client_id", client).flatten();
    let scope = match request.scopes {
        Sent::Absent | Sent::Null => Ok(Some(Scope::read())),
        Sent::Mistyped => Ok(None),
        Sent::Value(names) => read_scope(names).map(Some),
    };
    let scope = noted(&mut errors, "scopes", scope).flatten();
    if let (Some(client), Some(scope)) = (client, &scope) {
        noted(&mut errors, "scopes", check_ceiling(scope, client, policy));
    }
    let (Some(client), Some(scope)) = (client, scope) else {
        return Err(CreationRefused::Invalid(errors));
    };
    errors.none_or(()).map_err(CreationRefused::Invalid)?;
    if let Some(held) = caller_scope {
        // Names that grant nothing add nothing to what the caller may do.
        let beyond = scope.beyond(held, &policy.scopes).into_iter();
        let missing: Vec<_> = beyond.filter(|token| policy.scopes.knows(token)).cloned().collect();
        if !missing.is_empty() {
            return Err(CreationRefused::MissingScopes(missing));
        }
    }
    let lifetime = shorter(policy.created_token_lifetime_max, client.access_token_lifetime_max);
    Ok(ApprovedCreation { client_id: client.id, scope, lifetime })
}

/// `None` when what is wrong was noted already.
fn check_client<'a>(
    named: &Sent<ClientReference>,
    found: Option<&'a Client>,
) -> Result<Option<&'a Client>, Flaw> {
    match named {
        Sent::Absent | Sent::Null => Err(blank()),
        Sent::Mistyped => Ok(None),
        Sent::Value(ClientReference::Text) => {
            Err(invalid("must be the numeric id, not the identifier"))
        }
        Sent::Value(ClientReference::NoId) => Err(invalid("no such client")),
        Sent::Value(ClientReference::Id(id)) => match found {
            Some(client) if client.id == *id => Ok(Some(client)),
            _ => Err(invalid("no such client")),
        },
    }
}

fn check_ceiling(scope: &Scope, client: &Client, policy: &Policy) -> Result<(), Flaw> {
    let beyond = beyond_ceiling(scope, client, policy);
    if beyond.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = beyond.into_iter().map(ScopeToken::as_str).collect();
    let names = names.join(", ");
    Err(invalid(format!("not allowed for this client: {names}")))
}

impl ApprovedCreation {
    /// Whose token it will be.
    pub const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// Mints it: an access token alone, which does not expire unless the configuration or the
    /// client's own policy caps it.
    pub fn issue(self, issuance: &Issuance<'_>) -> (NewToken, IssuedTokens) {
        issuance.access_token_only(Origin::Created, self.scope, self.lifetime)
    }
}
