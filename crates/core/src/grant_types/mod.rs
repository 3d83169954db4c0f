//! One decision a grant type.

pub mod authorization_code;
pub mod client_credentials;
pub mod refresh_token;

use tokenry_protocol::{
    oauth::token::Wishes,
    scope::{Scope, ScopeToken},
    secret::{Credential, Kind},
    time::{Seconds, Timestamp},
};

use crate::{
    client::Client,
    credentials::{Entropy, TokenKeys},
    early_expiry::ENDED_EARLY,
    grant::{AccessToken, Token},
    policy::{Policy, shorter},
    rejection::Rejection,
    scope::check_scope,
    user::User,
};

/// What the rules need besides the request.
pub struct Circumstances<'a> {
    /// Lifetimes and scopes.
    pub policy: &'a Policy,
    /// The mint.
    pub keys: &'a TokenKeys,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The time.
    pub now: Timestamp,
}

/// The record that `presented` names, if it is of this kind and the record is the client's: before
/// that, nothing can be harmed. The kind matters to tags, which any credential of ours carries.
pub(crate) fn owned<'a>(
    token: Option<&'a Token>,
    presented: (&Credential, Kind),
    client: &Client,
) -> Result<&'a Token, Rejection> {
    let (presented, kind) = presented;
    let parts = presented.parts();
    let token = token
        .filter(|token| parts.kind == kind && parts.id == token.id.get())
        .ok_or(Rejection::CredentialUnknown)?;
    if token.client_id == client.id { Ok(token) } else { Err(Rejection::ForeignClient) }
}

/// The user whom tokens will act for must be there.
pub(crate) fn check_user(user: Option<&User>) -> Result<(), Rejection> {
    if user.is_none_or(|user| user.suspended) { Err(Rejection::UserGone) } else { Ok(()) }
}

/// What the tokens of a grant carry and how long they live, if they are issued now.
pub(crate) struct Terms {
    pub(crate) scope: Scope,
    /// `None` is for ever.
    pub(crate) access_lifetime: Option<Seconds>,
    pub(crate) refresh_lifetime: Seconds,
    pub(crate) refresh_expires_at: Timestamp,
}

/// What is wished for, within what was approved and what the client may have today.
pub(crate) fn terms(
    client: &Client,
    token: &Token,
    wishes: &Wishes,
    circumstances: &Circumstances<'_>,
) -> Result<Terms, Rejection> {
    let Circumstances { policy, now, .. } = *circumstances;
    let scope = scope_within_grant(wishes.scope.as_ref(), &token.granted, client, policy)?;
    let refresh_lifetime = policy.refresh_lifetime(client, wishes.refresh_token_lifetime);
    let refresh_expires_at = refresh_expiry(policy, now, refresh_lifetime, token.created_at)?;
    let grant = GrantLife { granted_at: token.created_at, refresh_expires_at };
    let before = token.issued().and_then(|issued| grant.inherited(&issued.access, policy));
    let access_lifetime = policy.access_lifetime(client, wishes.access_token_lifetime, before);
    let access_lifetime = grant.cut(access_lifetime, now, policy);
    Ok(Terms { scope, access_lifetime, refresh_lifetime, refresh_expires_at })
}

/// When a refresh token that is issued now expires. Past the grant's own end there is none.
pub(crate) fn refresh_expiry(
    policy: &Policy,
    now: Timestamp,
    lifetime: Seconds,
    granted_at: Timestamp,
) -> Result<Timestamp, Rejection> {
    let expires_at = policy.refresh_expiry(now, lifetime, granted_at);
    if expires_at <= now {
        return Err(Rejection::CredentialExpired);
    }
    Ok(expires_at)
}

/// What the life of an access token is held against.
pub(crate) struct GrantLife {
    pub(crate) granted_at: Timestamp,
    pub(crate) refresh_expires_at: Timestamp,
}

impl GrantLife {
    /// The lifetime that the pair `before` hands on. One without expiry that only ended with the
    /// grant, or that was ended early, hands on none.
    pub(crate) fn inherited(&self, before: &AccessToken, policy: &Policy) -> Option<Seconds> {
        let is_endless = policy.access_token_lifetime.is_none()
            && before.lifetime == self.cut(None, before.issued_at, policy);
        before.lifetime.filter(|lifetime| !is_endless && *lifetime != ENDED_EARLY)
    }

    /// No access token that expires outlives the refresh token beside it. One that does not expire
    /// needs no refresh, and ends with the grant if that has an end.
    pub(crate) fn cut(
        &self,
        lifetime: Option<Seconds>,
        issued_at: Timestamp,
        policy: &Policy,
    ) -> Option<Seconds> {
        let end = match lifetime {
            Some(_) => Some(self.refresh_expires_at),
            None => policy.grant_end(self.granted_at),
        };
        shorter(lifetime, end.map(|end| end.seconds_left(issued_at)))
    }
}

/// A name that means nothing today is a right once a resource of that name is added, so the grant's
/// tokens carry it only if the user approved it.
pub(crate) fn without_unapproved(asked: &Scope, granted: &Scope, policy: &Policy) -> Scope {
    let unknown = policy.scopes.unknown(asked);
    if unknown.is_empty() {
        return asked.clone();
    }
    let is_approved =
        |token: &&ScopeToken| !unknown.contains(token) || granted.tokens().contains(token);
    let kept = asked.tokens().iter().filter(is_approved).cloned();
    Scope::from_tokens(kept).unwrap_or_else(|_| Scope::not_approved())
}

/// What a new access token of a grant carries: what is asked for within what was approved, or all
/// of it, cut to what the client may have today.
pub(crate) fn scope_within_grant(
    asked: Option<&Scope>,
    granted: &Scope,
    client: &Client,
    policy: &Policy,
) -> Result<Scope, Rejection> {
    let Some(asked) = asked else {
        let Some(allowed) = &client.allowed_scope else {
            return Ok(granted.clone());
        };
        let nothing_left = || Rejection::ScopeNotAllowed(granted.tokens().to_vec());
        return granted.within(allowed, &policy.scopes).ok_or_else(nothing_left);
    };
    check_scope(asked, client, policy)?;
    // What grants nothing widens nothing; whether it may be asked for is decided above.
    let mut wider = asked.beyond(granted, &policy.scopes);
    wider.retain(|token| policy.scopes.knows(token));
    match wider {
        wider if wider.is_empty() => Ok(without_unapproved(asked, granted, policy)),
        wider => Err(Rejection::ScopeWider(wider.into_iter().cloned().collect())),
    }
}
