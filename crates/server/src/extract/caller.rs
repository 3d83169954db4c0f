//! Who calls the record API: a bearer token, or a user by Basic.
//!
//! One form a request. Every form speaks for one user, who must not be suspended. Basic has the
//! user's full rights; a bearer token has its scope.

use std::{net::IpAddr, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokenry_core::{
    api_token::{UnboundApiTokens, user_of},
    user::{Role, User, fold_email},
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    scope::{Requirement, Scope},
    secret::{Credential, Kind},
    time::Timestamp,
};

use super::{
    authorization_header::{Authorization, Basic, authorization},
    client_ip::client_ip,
    on_behalf_of::{Naming, naming, run_as},
};
use crate::{
    failure_limits::Subject,
    request_context, request_limits,
    request_path::without_json,
    respond::ApiError,
    state::AppState,
    verify::{self, VerifiedToken, VerifyError},
};

/// Who calls, and with what rights.
pub struct Caller {
    /// The user whom the call runs as.
    pub user: Arc<User>,
    /// Who proved to be calling: another than `user` if the call runs on behalf of an end user.
    pub actor: UserId,
    /// The bearer token; `None` by Basic, which has no scope to check.
    pub token: Option<VerifiedToken>,
}

/// The record API's own resource in scopes.
pub const OAUTH: &str = "oauth";
/// The users' resource in scopes.
pub const USERS: &str = "users";
const CURRENT: &str = "/api/v2/oauth/tokens/current";

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let now = state.now();
        let ip = client_ip(&parts.headers, &state.config.proxy);
        let in_query = token_in_query(parts, state)?;
        let caller = match (authorization(&parts.headers), in_query) {
            (Authorization::None, None) => Err(ApiError::NoCredentials),
            (Authorization::Bearer(token), None) => bearer(token, ip, state, now).await,
            (Authorization::None, Some(token)) => bearer(&token, ip, state, now).await,
            (Authorization::Several, _) | (_, Some(_)) => Err(ApiError::TwoForms),
            (Authorization::MalformedBasic, None) => Err(ApiError::WrongBasic),
            (Authorization::Basic(basic), None) => {
                Box::pin(basic_user(basic, ip, state, now)).await
            }
        }?;
        request_context::note_user(caller.user.id);
        if state.request_limits.is_on() && !is_current(parts) {
            count_request(caller.user.id, state, now)?;
        }
        match naming(parts) {
            Naming::Nobody => Ok(caller),
            Naming::One(name) => Box::pin(run_as(caller, Some(name), state)).await,
            Naming::Unclear => Box::pin(run_as(caller, None, state)).await,
        }
    }
}

/// Whoever acts for others spends what is their own.
fn count_request(caller: UserId, state: &AppState, now: Timestamp) -> Result<(), ApiError> {
    let counted = state.request_limits.take(request_limits::Caller::User(caller), now);
    if let Ok(Some(allowance)) | Err(allowance) = counted {
        request_context::note_allowance(allowance);
    }
    match counted {
        Ok(_) => Ok(()),
        Err(allowance) => Err(ApiError::RateLimited(allowance.reset)),
    }
}

/// Whether a request goes where a token looks at itself.
pub fn is_current(parts: &Parts) -> bool {
    without_json(parts.uri.path()) == CURRENT
}

/// RFC 6750 §2.3, off unless configured: addresses end up in logs.
fn token_in_query(parts: &Parts, state: &AppState) -> Result<Option<String>, ApiError> {
    if !state.config.record_api.token_in_query {
        return Ok(None);
    }
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let mut tokens = form_urlencoded::parse(query).filter(|(name, _)| name == "access_token");
    match (tokens.next(), tokens.next()) {
        (_, Some(_)) => Err(ApiError::TwoForms),
        (first, None) => Ok(first.map(|(_, token)| token.into_owned())),
    }
}

/// Failures count only where a limit for them is set.
async fn bearer(
    token: &str,
    ip: IpAddr,
    state: &AppState,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    let attempt = state.failures.begin_bearer(ip, now)?;
    let verified = match verify::read(token, &state.keyring) {
        Ok(token) => state.verifier.verify(&token, &state.keyring, &state.directory, now).await,
        Err(error) => Err(error),
    };
    match verified {
        Ok(verified) => {
            state.failures.forgive(attempt);
            state.verifier.note_use(&verified, now);
            Ok(Caller::new(Arc::clone(verified.user()), Some(verified)))
        }
        Err(error @ VerifyError::Invalid(reason)) => {
            note_refused(reason);
            state.note_refused_text(token, reason);
            Err(error.into())
        }
        Err(error @ VerifyError::Store(_)) => {
            state.failures.forgive(attempt);
            Err(error.into())
        }
    }
}

/// The wire has one sentence for every reason; whoever runs the server may know which it was.
fn note_refused(reason: &'static str) {
    tracing::debug!(reason, "a bearer token was refused");
    metrics::counter!("tokenry_refused_bearers_total", "reason" => reason).increment(1);
}

/// `email/token:api_token`, or `email:password` where that is switched on. Every failure is the
/// same answer after the same work.
async fn basic_user(
    basic: Basic,
    ip: IpAddr,
    state: &AppState,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    let (email, by_token) = match basic.user().strip_suffix("/token") {
        Some(email) => (email, true),
        None => (basic.user(), false),
    };
    let email = fold_email(email);
    let subjects = || vec![Subject::account(&email), Subject::address(ip)];
    if by_token {
        let found = user_by_api_token(&email, basic.password(), state).await?;
        let judged = || found.ok_or(ApiError::WrongBasic);
        let (id, user) = state.failures.judge(subjects, now, judged)?;
        state.api_token_uses.note(id, now);
        return Ok(Caller::new(user, None));
    }
    let attempt = state.failures.begin(subjects(), now)?;
    match user_by_password(&email, basic.password().to_owned(), state).await {
        Ok(Some(user)) => {
            state.failures.forgive(attempt);
            Ok(Caller::new(user, None))
        }
        Ok(None) => Err(ApiError::WrongBasic),
        Err(error) => {
            state.failures.forgive(attempt);
            Err(error)
        }
    }
}

/// An API token works with the address of the user it is bound to, and with no other. One that is
/// bound to nobody works with every user's, where such tokens work at all.
async fn user_by_api_token(
    email: &str,
    presented: &str,
    state: &AppState,
) -> Result<Option<(ApiTokenId, Arc<User>)>, ApiError> {
    let settings = &state.config.api_tokens;
    if !settings.enabled {
        state.note_refused_text(presented, "API tokens are off");
        return Ok(None);
    }
    let Ok(credential) = Credential::parse(presented) else {
        return Ok(None);
    };
    let parts = credential.parts();
    let Some(id) = ApiTokenId::new(parts.id).ok().filter(|_| parts.kind == Kind::ApiToken) else {
        return Ok(None);
    };
    let judged = match state.store.find_api_token(id).await? {
        None => Err("unknown"),
        Some(token) if !token.hash.matches(&credential.hash()) => Err("other secret"),
        Some(token) => {
            let user = match (token.assigned_user_id, settings.unbound()) {
                (Some(id), _) => state.directory.find_user(id).await?,
                (None, UnboundApiTokens::AccountWide) => {
                    state.store.find_user_by_email(email).await?.map(Arc::new)
                }
                (None, UnboundApiTokens::Refused) => None,
            };
            user_of(&token, user, email, settings.unbound())
        }
    };
    Ok(match judged {
        Ok(user) => Some((id, user)),
        Err(reason) => {
            state.note_refusal(&credential, reason);
            None
        }
    })
}

async fn user_by_password(
    email: &str,
    password: String,
    state: &AppState,
) -> Result<Option<Arc<User>>, ApiError> {
    if !state.config.record_api.password_access {
        return Ok(None);
    }
    let user = state.store.find_user_by_email(email).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let proved = state.passwords.verify(password, hash).await;
    Ok(user.filter(|user| proved && !user.suspended).map(Arc::new))
}

impl Caller {
    fn new(user: Arc<User>, token: Option<VerifiedToken>) -> Self {
        Self { actor: user.id, user, token }
    }

    /// What the bearer token may do; `None` by Basic.
    pub fn scope(&self) -> Option<&Scope> {
        self.token.as_ref().and_then(VerifiedToken::scope)
    }

    /// Refuses a bearer token without the scope. Basic passes.
    pub fn require_scope(&self, state: &AppState, need: Requirement) -> Result<(), ApiError> {
        let Some((token, scope)) = self.token.as_ref().zip(self.scope()) else {
            return Ok(());
        };
        if state.policy.scopes.covers(scope, need) {
            return Ok(());
        }
        state.note_refusal_of(Kind::AccessToken, token.token().id.get(), "missing scope");
        let access = need.access.as_str().to_owned();
        Err(ApiError::MissingScope(match need.resource {
            // The record API names the general word, which older clients compare.
            OAUTH => vec![access],
            resource => vec![format!("{resource}:{access}"), access],
        }))
    }

    /// Refuses everybody but administrators.
    pub fn require_admin(&self) -> Result<(), ApiError> {
        if self.is_admin() { Ok(()) } else { Err(ApiError::WrongRole) }
    }

    /// Whether the caller is an administrator.
    pub fn is_admin(&self) -> bool {
        self.user.role == Role::Admin
    }
}
