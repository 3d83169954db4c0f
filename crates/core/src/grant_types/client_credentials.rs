//! Client credentials (RFC 6749 §4.4): a client asks for itself, as the user who answers for it.

use tokenry_protocol::{oauth::token::Wishes, scope::Scope};

use super::check_user;
use crate::{
    client_authentication::AuthenticatedClient,
    grant::Origin,
    issue::{Issuance, IssuedTokens, NewToken},
    policy::Policy,
    rejection::Rejection,
    scope::check_scope,
    user::User,
};

/// Issues an access token without a refresh token (§4.4.3).
///
/// 1. The user who answers for the client must be there.
/// 2. The scope must be known and allowed to the client; none asked for is `read`.
pub fn issue(
    client: &AuthenticatedClient,
    user: Option<&User>,
    wishes: &Wishes,
    policy: &Policy,
    issuance: &Issuance<'_>,
) -> Result<(NewToken, IssuedTokens), Rejection> {
    let client = client.client();
    check_user(user)?;
    let scope = wishes.scope.clone().unwrap_or_else(Scope::read);
    check_scope(&scope, client, policy)?;
    let lifetime = policy.access_lifetime(client, wishes.access_token_lifetime, None);
    Ok(issuance.access_token_only(Origin::ClientCredentials, scope, lifetime))
}
