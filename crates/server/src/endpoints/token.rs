//! Token endpoint (RFC 6749 §3.2): two doors, one decision.
//!
//! `POST /oauth/tokens` speaks the record API's dialect (201, JSON or form), `POST /oauth/token`
//! the standard's (200, form). The order of checks is that of this file; the first failure answers:
//!
//! 1. Syntax, duplicates.
//! 2. No secrets in the query, unless the configuration has one of the doors read it.
//! 3. `grant_type` is there.
//! 4. Client authentication, which the configuration may leave to the verifier of a code; and the
//!    limit on requests where there is one.
//! 5. The grant type is offered, and allowed to this client.
//! 6. Parameters, lifetimes, the scope's syntax.
//! 7. The grant itself, by decision in `tokenry-core`.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use metrics::Counter;
use tokenry_core::{
    TokenKeys,
    client::Client,
    client_authentication::{AuthenticatedClient, Redeemer},
    event::EventKind,
    grant::Token,
    grant_types::{
        Circumstances,
        authorization_code::{Redemption, RedemptionRequest, redeem},
        client_credentials,
        refresh_token::{Refresh, refresh},
    },
    issue::{Issuance, IssuedTokens},
    jwt_access_token,
    policy::AccessTokenFormat,
    rejection::Rejection,
    revocation::{GrantEnd, presented_by_foreign_client},
    user::User,
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::token::{Dialect, GrantType, TokenRequest, TokenResponse, Wishes},
    secret::{Credential, Kind},
    time::Timestamp,
};
use tokenry_store::{Conditional, IdSequence, StoreError};

use crate::{
    extract::grant_request::GrantRequest,
    respond::{self, AskedExpiry, OAuthError},
    settle::Stale,
    state::AppState,
};

/// How often a refresh that loses a race looks again. Each look finds a later state, so more than a
/// few mean that the store contradicts itself.
const LOOKS_MAX: u32 = 8;

/// `POST /oauth/tokens`
pub async fn record_door(State(state): State<AppState>, request: Request) -> Response {
    door(&state, request, Dialect::Record).await
}

/// `POST /oauth/token`
pub async fn standard_door(State(state): State<AppState>, request: Request) -> Response {
    door(&state, request, Dialect::Standard).await
}

async fn door(state: &AppState, request: Request, dialect: Dialect) -> Response {
    let mut response = match token(state, request, dialect).await {
        Ok((answer, asked)) => respond::issued(answer, dialect, asked),
        Err(error) => error.into_response(),
    };
    respond::mark_uncacheable(response.headers_mut());
    response
}

async fn token(
    state: &AppState,
    request: Request,
    dialect: Dialect,
) -> Result<(TokenResponse, AskedExpiry), OAuthError> {
    // 1. and 2. (RFC 6749 §3.2, §2.3.1)
    let request = GrantRequest::read(request, dialect, state).await?;
    // 3. (§4.1.3, §4.4.2, §6)
    let grant_type = request.required("grant_type")?;
    // 4. (§3.2.1)
    let client = request.redeemer(grant_type, state).await?;
    request.count(&client, state)?;
    // 5. (§5.2)
    let grant_type = GrantType::parse(grant_type).ok_or(Rejection::GrantTypeUnknown)?;
    if !client.client().may_use(grant_type) {
        return Err(Rejection::GrantTypeNotAllowed.into());
    }
    // 6. (§3.3, §4.1.3, §6)
    let parameters = &request.parameters;
    let asked_for = TokenRequest::parse(grant_type, parameters, dialect)?;
    let asked = match asked_for.wishes().access_token_lifetime {
        Some(_) => AskedExpiry::Yes,
        None => AskedExpiry::No,
    };
    // 7. (§4.1.3, §4.4.2, §6)
    let tokens = match &asked_for {
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, wishes } => {
            let code = state.keys().token.read(code, &[Kind::AuthorizationCode])?;
            let request = RedemptionRequest {
                code: &code,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_deref(),
                wishes,
            };
            let redeemed = redeem_code(state, &client, &request).await;
            redeemed.inspect_err(|error| note_refused(state, request.code, error))?
        }
        TokenRequest::RefreshToken { refresh_token, wishes } => {
            let presented = state.keys().token.read(refresh_token, &[Kind::RefreshToken])?;
            let rotated = rotate(state, client.authenticated()?, &presented, wishes).await;
            rotated.inspect_err(|error| note_refused(state, &presented, error))?
        }
        TokenRequest::ClientCredentials { wishes } => {
            client_credentials(state, client.authenticated()?, wishes).await?
        }
    };
    // At the pace of a busy server a line for each would be most of its work: the metric counts.
    tracing::debug!(
        client.id = client.client().id.get(),
        token = tokens.access_token.public_part(),
        grant_type = grant_type.as_str(),
        "issued"
    );
    count_issued(grant_type);
    Ok((written(state, client.client(), &tokens), asked))
}

/// The answer with the access token in the form that is configured. One whose signing key was lost
/// is given as it is: it works all the same.
fn written(state: &AppState, client: &Client, tokens: &IssuedTokens) -> TokenResponse {
    let mut answer = tokens.answer();
    if state.policy.access_token_format == AccessTokenFormat::Jwt {
        let keys = state.keys();
        let base = state.base();
        let jwt = jwt_access_token::write(tokens, client, base.as_str(), &keys.token);
        answer.access_token = jwt.or(answer.access_token);
    }
    answer
}

/// Asking the recorder for a counter costs as much as reading a whole request.
fn count_issued(grant_type: GrantType) {
    static COUNTERS: [OnceLock<Counter>; GrantType::ALL.len()] =
        [const { OnceLock::new() }; GrantType::ALL.len()];
    let name = grant_type.as_str();
    let counter = || metrics::counter!("tokenry_tokens_issued_total", "grant_type" => name);
    let at = GrantType::ALL.iter().position(|known| *known == grant_type);
    match at.and_then(|at| COUNTERS.get(at)) {
        Some(known) => known.get_or_init(counter).increment(1),
        None => counter().increment(1),
    }
}

/// What a grant decision looks at: the record with its last use exact, and its user.
async fn load(
    state: &AppState,
    credential: &Credential,
) -> Result<(Option<Token>, Option<Arc<User>>), StoreError> {
    let Ok(id) = TokenId::new(credential.parts().id) else {
        return Ok((None, None));
    };
    let Some(token) = state.verifier.find(id).await? else {
        return Ok((None, None));
    };
    let user = state.directory.find_user(token.user_id).await?;
    Ok((Some(token), user))
}

fn circumstances<'a>(
    state: &'a AppState,
    keys: &'a TokenKeys,
    now: Timestamp,
) -> Circumstances<'a> {
    let entropy = state.environment.entropy.as_ref();
    Circumstances { policy: &state.policy, keys, entropy, now }
}

async fn redeem_code(
    state: &AppState,
    client: &Redeemer,
    request: &RedemptionRequest<'_>,
) -> Result<IssuedTokens, OAuthError> {
    let (keys, now) = (state.keys(), state.now());
    let (token, user) = load(state, request.code).await?;
    let circumstances = circumstances(state, &keys.token, now);
    match redeem(client, token.as_ref(), user.as_deref(), request, &circumstances) {
        Redemption::Issue { write, answer } => {
            match state.store.redeem_authorization_code(write).await? {
                Conditional::Now => Ok(answer),
                Conditional::Already => Err(Rejection::AlreadyRedeemed.into()),
            }
        }
        Redemption::Replay(end) => {
            end_grant(state, end).await?;
            Err(Rejection::Replayed.into())
        }
        Redemption::WrongVerifier(write) => {
            state.store.count_wrong_verifier(write).await?;
            Err(Rejection::VerifierWrong.into())
        }
        Redemption::Refuse(rejection) => {
            // A client that was only named may not be the one that presents the code.
            if let Ok(client) = client.authenticated() {
                note_foreign(state, client.client(), token.as_ref(), request.code, now).await?;
            }
            Err(rejection.into())
        }
    }
}

async fn rotate(
    state: &AppState,
    client: &AuthenticatedClient,
    presented: &Credential,
    wishes: &Wishes,
) -> Result<IssuedTokens, OAuthError> {
    if let Some(answer) = rotate_from_memory(state, client, presented, wishes).await? {
        return Ok(answer);
    }
    for _ in 0..LOOKS_MAX {
        let (keys, now) = (state.keys(), state.now());
        let (token, user) = load(state, presented).await?;
        let circumstances = circumstances(state, &keys.token, now);
        let asked = (presented, wishes);
        match refresh(client, token.as_ref(), user.as_deref(), asked, &circumstances) {
            Refresh::Rotate { write, answer } => {
                // A decision to rotate has a record to rotate.
                let rotated = match &token {
                    Some(token) => state.rotate(write, token).await?,
                    None => Conditional::Already,
                };
                if rotated == Conditional::Now {
                    return Ok(answer);
                }
            }
            Refresh::Renew { write, answer } => {
                // The condition compares with the store's note of the last use, so ours must be
                // there first.
                state.verifier.flush().await?;
                let outdated = Stale::Token(write.id());
                let renewed =
                    state.settle(outdated, |store| async move { store.renew_repeat(write).await });
                if renewed.await? == Conditional::Now {
                    return Ok(answer);
                }
            }
            Refresh::Repeat(answer) => {
                // The rotation that is repeated may be written and not yet settled.
                if let Some(token) = &token {
                    state.verifier.evict(token.id);
                }
                return Ok(answer);
            }
            Refresh::Replay(end) => {
                end_grant(state, end).await?;
                return Err(Rejection::Replayed.into());
            }
            Refresh::Refuse(rejection) => {
                note_foreign(state, client.client(), token.as_ref(), presented, now).await?;
                return Err(rejection.into());
            }
        }
        // Somebody else's write came first: what it left decides now.
    }
    Err(StoreError::Unavailable("a refresh lost every race".to_owned()).into())
}

/// The present refresh token of a record in memory needs no look at the store: the write finds the
/// same rotation or does nothing. Whatever else is to be said takes a record that is sure.
async fn rotate_from_memory(
    state: &AppState,
    client: &AuthenticatedClient,
    presented: &Credential,
    wishes: &Wishes,
) -> Result<Option<IssuedTokens>, StoreError> {
    let id = TokenId::new(presented.parts().id).ok();
    let Some(token) = id.and_then(|id| state.verifier.recall(id)) else {
        return Ok(None);
    };
    let user = state.directory.find_user(token.user_id).await?;
    let (keys, now) = (state.keys(), state.now());
    let circumstances = circumstances(state, &keys.token, now);
    let asked = (presented, wishes);
    match refresh(client, Some(&token), user.as_deref(), asked, &circumstances) {
        Refresh::Rotate { write, answer } => {
            let rotated = state.rotate(write, &token).await?;
            Ok((rotated == Conditional::Now).then_some(answer))
        }
        _ => Ok(None),
    }
}

async fn client_credentials(
    state: &AppState,
    client: &AuthenticatedClient,
    wishes: &Wishes,
) -> Result<IssuedTokens, OAuthError> {
    let user_id = client.client().user_id;
    let user = state.directory.find_user(user_id).await?;
    let keys = state.keys();
    let issuance = Issuance {
        id: state.ids.next(IdSequence::Tokens).await?,
        client_id: client.client().id,
        user_id,
        now: state.now(),
        keys: &keys.token,
        entropy: state.environment.entropy.as_ref(),
    };
    let (write, answer) =
        client_credentials::issue(client, user.as_deref(), wishes, &state.policy, &issuance)?;
    state.store.insert_token(write).await?;
    Ok(answer)
}

async fn end_grant(state: &AppState, end: GrantEnd) -> Result<(), StoreError> {
    let (id, kind) = (end.id(), end.event().kind);
    state.end_grant(end).await?;
    tracing::warn!(token.id = id.get(), event = kind.as_str(), "a replay ended a grant");
    metrics::counter!("tokenry_replays_total", "event" => kind.as_str()).increment(1);
    Ok(())
}

/// What is refused by decision is remembered; a store that is away says nothing of a credential.
fn note_refused(state: &AppState, presented: &Credential, error: &OAuthError) {
    if let OAuthError::Rejected(rejection, _) = error {
        state.note_refusal(presented, rejection.as_str());
    }
}

/// A credential of ours in the wrong client's hands is remembered; its owner is unharmed.
async fn note_foreign(
    state: &AppState,
    client: &Client,
    token: Option<&Token>,
    presented: &Credential,
    now: Timestamp,
) -> Result<(), StoreError> {
    let keys = state.keys();
    let event = token
        .and_then(|token| presented_by_foreign_client(client, token, presented, &keys.token, now));
    let Some(event) = event else { return Ok(()) };
    tracing::warn!(
        token.id = event.token_id.get(),
        client.id = client.id.get(),
        event = EventKind::PresentedByForeignClient.as_str(),
        "a client presented another client's credential"
    );
    state.store.record_event(event).await
}
