//! Refresh token grant (RFC 6749 §6) with rotation in place (RFC 9700 §4.14.2).
//!
//! The record keeps its id; both tokens are replaced by a pair derived from the token presented, so
//! a repeat after a lost answer can be given the same pair although only hashes are at rest.
//!
//! 1. The record exists and belongs to the client: before that, nothing can be harmed.
//! 2. The present refresh token: rotate.
//! 3. The one before it: the same answer again, if that harms nobody (a *repeat*), else a *replay*.
//! 4. Any older one of ours: a replay. A replay ends the grant.
//! 5. Anything else was made up: refused, and the grant lives on.
//!
//! Where the policy says [`Rotation::SingleUse`], steps 3 and 4 refuse and do nothing else.
//!
//! A repeat is answered while the new refresh token is unused, which step 3 implies, and either
//!
//! * **parallel**: the window since the rotation is not over, whatever the new access token did; or
//! * **lost**: the new access token was never used either, however long ago the rotation was. Past
//!   half the window both lifetimes and the window start anew.
//!
//! Half, because a client uses what it is given while another copy of its request may still be
//! under way: whenever an unused pair is given, that copy has at least half a window to arrive in.
//! In the first half there is that much left without a write.

use tokenry_protocol::{
    ids::{TokenId, UserId},
    oauth::token::Wishes,
    secret::{Credential, Kind, ROTATION_MAX},
    time::{Seconds, Timestamp},
};

use super::{
    Circumstances, GrantLife, Terms, check_user, owned, refresh_expiry, terms, without_unapproved,
};
use crate::{
    client::Client,
    client_authentication::AuthenticatedClient,
    credentials::{Mint, Successor, TokenKeys},
    event::{Actor, EventKind},
    grant::{AccessToken, Issued, Previous, RefreshToken, Stage, Token},
    issue::IssuedTokens,
    policy::{Policy, Rotation},
    rejection::Rejection,
    revocation::GrantEnd,
    user::User,
};

/// What is to be done.
#[derive(Debug)]
pub enum Refresh {
    /// Write, and if the write still finds the same rotation, answer.
    Rotate {
        /// For the store.
        write: TokenRotation,
        /// For the client.
        answer: IssuedTokens,
    },
    /// Answer the same again; nothing is written.
    Repeat(IssuedTokens),
    /// Write new lifetimes, and if the write still finds the pair unused, answer the same again.
    Renew {
        /// For the store.
        write: RepeatRenewal,
        /// For the client.
        answer: IssuedTokens,
    },
    /// An old refresh token came back: end the grant, then refuse.
    Replay(GrantEnd),
    /// Refuse; nothing is written.
    Refuse(Rejection),
}

/// The successor pair for a record that is still at the rotation before.
#[derive(Debug, Clone)]
pub struct TokenRotation {
    id: TokenId,
    issued: Issued,
}

impl TokenRotation {
    /// The record.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// The rotation that the write must still find.
    pub const fn from_rotation(&self) -> u32 {
        self.issued.rotation.saturating_sub(1)
    }

    /// What the record holds from now on.
    pub const fn issued(&self) -> &Issued {
        &self.issued
    }

    /// The record as the write leaves it, if it was `before` until then.
    pub fn after(&self, before: &Token) -> Token {
        Token { stage: Stage::Issued(self.issued.clone()), ..before.clone() }
    }
}

/// New lifetimes for a pair of which nothing was ever used.
#[derive(Debug, Clone)]
pub struct RepeatRenewal {
    id: TokenId,
    issued: Issued,
}

impl RepeatRenewal {
    /// The record.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// What the record holds from now on. The write must still find this `rotation` and this
    /// `used_rotation`.
    pub const fn issued(&self) -> &Issued {
        &self.issued
    }
}

/// Decides on a request to refresh. `token` must have unflushed uses laid over it.
pub fn refresh(
    client: &AuthenticatedClient,
    token: Option<&Token>,
    user: Option<&User>,
    presented: (&Credential, &Wishes),
    circumstances: &Circumstances<'_>,
) -> Refresh {
    let (presented, wishes) = presented;
    let request = Request { client: client.client(), presented, wishes };
    match check(&request, token, user, circumstances) {
        Ok(refresh) => refresh,
        Err(rejection) => Refresh::Refuse(rejection),
    }
}

struct Request<'a> {
    client: &'a Client,
    presented: &'a Credential,
    wishes: &'a Wishes,
}

/// A record whose refresh token is in question.
struct Grant<'a> {
    token: &'a Token,
    issued: &'a Issued,
    refresh: &'a RefreshToken,
}

fn check(
    request: &Request<'_>,
    token: Option<&Token>,
    user: Option<&User>,
    circumstances: &Circumstances<'_>,
) -> Result<Refresh, Rejection> {
    let now = circumstances.now;
    let presented = (request.presented, Kind::RefreshToken);
    let token = owned(token, presented, request.client)?;
    let issued = token.issued().ok_or(Rejection::CredentialForged)?;
    let refresh = issued.refresh.as_ref().ok_or(Rejection::CredentialForged)?;
    let grant = Grant { token, issued, refresh };

    let hash = request.presented.hash();
    let previous = refresh.previous.filter(|previous| previous.hash.matches(&hash));
    let is_present = refresh.hash.matches(&hash);
    if !is_present && previous.is_none() {
        return older(&grant, request, circumstances);
    }
    if previous.is_some() && circumstances.policy.rotation == Rotation::SingleUse {
        return Err(Rejection::RotatedAway);
    }
    if refresh.is_expired(now) {
        return Err(Rejection::CredentialExpired);
    }
    check_user(user)?;
    match previous {
        None => rotate(&grant, request, circumstances),
        Some(previous) => repeat(&grant, previous, request, circumstances),
    }
}

/// Neither the present token nor the one before: by its tag we know whether it ever was one.
fn older(
    grant: &Grant<'_>,
    request: &Request<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Refresh, Rejection> {
    let is_ours = circumstances.keys.recognise(request.presented) == Mint::Ours;
    if !is_ours || request.presented.parts().rotation >= grant.issued.rotation {
        return Err(Rejection::CredentialForged);
    }
    match circumstances.policy.rotation {
        Rotation::Forgiving => Ok(replay(grant, request, circumstances.now)),
        Rotation::SingleUse => Err(Rejection::RotatedAway),
    }
}

fn replay(grant: &Grant<'_>, request: &Request<'_>, now: Timestamp) -> Refresh {
    let actor = Actor::Client(request.client.id);
    Refresh::Replay(GrantEnd::new(grant.token, EventKind::RefreshTokenReplayed, actor, now))
}

fn rotate(
    grant: &Grant<'_>,
    request: &Request<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Refresh, Rejection> {
    let Circumstances { keys, entropy, now, .. } = *circumstances;
    let Request { client, presented, wishes } = *request;
    if grant.issued.rotation >= ROTATION_MAX {
        return Err(Rejection::RotationsSpent);
    }
    let Terms { scope, access_lifetime, refresh_lifetime, refresh_expires_at: expires_at } =
        terms(client, grant.token, wishes, circumstances)?;

    let rotation = grant.issued.rotation + 1;
    let salt = entropy.secret();
    let key_number = keys.current_number();
    let successor = Successor {
        old_secret: presented.parts().secret,
        id: grant.token.id.get(),
        rotation,
        salt,
        key_number,
    };
    let (access_token, refresh_token) = derive_pair(keys, &successor)?;

    let previous = Previous { hash: grant.refresh.hash, rotated_at: now, salt, key_number };
    let issued = Issued {
        rotation,
        scope: scope.clone(),
        access: AccessToken {
            hash: access_token.hash(),
            issued_at: now,
            lifetime: access_lifetime,
        },
        refresh: Some(RefreshToken {
            hash: refresh_token.hash(),
            expires_at,
            lifetime: refresh_lifetime,
            previous: Some(previous),
        }),
        used_at: grant.issued.used_at,
        used_rotation: grant.issued.used_rotation,
    };
    let answer = IssuedTokens {
        access_token,
        access: issued.access,
        user_id: grant.token.user_id,
        scope,
        access_token_lifetime: access_lifetime,
        refresh_token: Some((refresh_token, expires_at.seconds_left(now))),
    };
    Ok(Refresh::Rotate { write: TokenRotation { id: grant.token.id, issued }, answer })
}

fn repeat(
    grant: &Grant<'_>,
    previous: Previous,
    request: &Request<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Refresh, Rejection> {
    let Circumstances { policy, keys, now, .. } = *circumstances;
    let (issued, refresh) = (grant.issued, grant.refresh);
    let successor = Successor {
        old_secret: request.presented.parts().secret,
        id: grant.token.id.get(),
        rotation: issued.rotation,
        salt: previous.salt,
        key_number: previous.key_number,
    };
    let pair = derive_pair(keys, &successor)?;

    let window = policy.retry_window(request.client);
    let elapsed = now.millis_since(previous.rotated_at);
    let is_unused = issued.used_rotation < issued.rotation;
    let is_parallel = window > Seconds(0) && elapsed <= window.as_millis();
    if !is_parallel && !is_unused {
        return Ok(replay(grant, request, now));
    }
    check_same_wishes(grant, request, policy)?;
    let is_early = elapsed <= window.as_millis() / 2;
    if is_parallel && (is_early || !is_unused) {
        let answer = answer_again(pair, grant.token.user_id, issued, refresh.expires_at, now);
        return Ok(Refresh::Repeat(answer));
    }
    let (renewed, expires_at) = renew(grant, previous, request.client, circumstances)?;
    let answer = answer_again(pair, grant.token.user_id, &renewed, expires_at, now);
    Ok(Refresh::Renew { write: RepeatRenewal { id: grant.token.id, issued: renewed }, answer })
}

/// Without the key of that rotation nothing can be given again, and nothing is proved either.
fn derive_pair(
    keys: &TokenKeys,
    successor: &Successor,
) -> Result<(Credential, Credential), Rejection> {
    keys.derive(successor, Kind::AccessToken)
        .zip(keys.derive(successor, Kind::RefreshToken))
        .ok_or(Rejection::CredentialUnknown)
}

/// The same pair, with what is left of its lifetimes.
fn answer_again(
    pair: (Credential, Credential),
    user_id: UserId,
    issued: &Issued,
    refresh_expires_at: Timestamp,
    now: Timestamp,
) -> IssuedTokens {
    let (access_token, refresh_token) = pair;
    let access_expires_at = issued.access.expires_at();
    IssuedTokens {
        access_token,
        access: issued.access,
        user_id,
        scope: issued.scope.clone(),
        access_token_lifetime: access_expires_at.map(|expiry| expiry.seconds_left(now)),
        refresh_token: Some((refresh_token, refresh_expires_at.seconds_left(now))),
    }
}

/// The record with lifetimes and window from now, no longer than the client may have today, and
/// when the refresh token expires.
fn renew(
    grant: &Grant<'_>,
    previous: Previous,
    client: &Client,
    circumstances: &Circumstances<'_>,
) -> Result<(Issued, Timestamp), Rejection> {
    let Circumstances { policy, now, .. } = *circumstances;
    let (issued, refresh) = (grant.issued, grant.refresh);
    let refresh_lifetime = policy.refresh_lifetime(client, Some(refresh.lifetime));
    let expires_at = refresh_expiry(policy, now, refresh_lifetime, grant.token.created_at)?;
    let life = GrantLife { granted_at: grant.token.created_at, refresh_expires_at: expires_at };
    let before = life.inherited(&issued.access, policy);
    let access_lifetime = policy.access_lifetime(client, None, before);
    let renewed = Issued {
        access: AccessToken {
            hash: issued.access.hash,
            issued_at: now,
            lifetime: life.cut(access_lifetime, now, policy),
        },
        refresh: Some(RefreshToken {
            hash: refresh.hash,
            expires_at,
            lifetime: refresh_lifetime,
            previous: Some(Previous { rotated_at: now, ..previous }),
        }),
        ..issued.clone()
    };
    Ok((renewed, expires_at))
}

/// A parameter left out of a repeat matches; one that is sent must come to what the record has.
fn check_same_wishes(
    grant: &Grant<'_>,
    request: &Request<'_>,
    policy: &Policy,
) -> Result<(), Rejection> {
    let Request { client, wishes, .. } = *request;
    let same_scope = wishes.scope.as_ref().is_none_or(|asked| {
        let scope = without_unapproved(asked, &grant.token.granted, policy);
        let held = grant.issued.scope.tokens();
        scope.tokens().len() == held.len() && scope.tokens().iter().all(|name| held.contains(name))
    });
    let access = &grant.issued.access;
    let (granted_at, refresh_expires_at) = (grant.token.created_at, grant.refresh.expires_at);
    let life = GrantLife { granted_at, refresh_expires_at };
    let same_access = wishes.access_token_lifetime.is_none_or(|asked| {
        let lowered = policy.access_lifetime(client, Some(asked), None);
        life.cut(lowered, access.issued_at, policy) == access.lifetime
    });
    let same_refresh = wishes
        .refresh_token_lifetime
        .is_none_or(|asked| policy.refresh_lifetime(client, Some(asked)) == grant.refresh.lifetime);
    if same_scope && same_access && same_refresh { Ok(()) } else { Err(Rejection::RepeatDiffers) }
}
