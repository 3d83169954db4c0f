//! Token endpoint (RFC 6749 §3.2): two doors, one decision.
//!
//! `POST /oauth/tokens` speaks the record API's dialect (201, JSON or form), `POST /oauth/token`
//! the standard's (200, form). The order of checks is that of this file; the first failure answers:
//!
//! 1. Syntax, duplicates.
//! 2. No secrets in the query.
//! 3. `grant_type` is there.
//! 4. Client authentication.
//! 5. The grant type is offered, and allowed to this client.
//! 6. Parameters, lifetimes, the scope's syntax.
//! 7. The grant itself, by decision in `tokenry-core`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE};
use tokenry_core::{
    Mint, TokenKeys,
    client_authentication::AuthenticatedClient,
    event::EventKind,
    grant::Token,
    grant_types::{
        authorization_code::{Circumstances, Redemption, RedemptionRequest, redeem},
        client_credentials,
        refresh_token::{Refresh, refresh},
    },
    issue::{Issuance, IssuedTokens},
    rejection::Rejection,
    revocation::{GrantEnd, presented_by_foreign_client},
    user::User,
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::{
        parameters::{InvalidRequest, Parameters},
        token::{Dialect, GrantType, TokenRequest, Wishes},
    },
    secret::{Credential, Kind},
    time::Timestamp,
};
use tokenry_store::{Conditional, IdSequence, StoreError};

use crate::{
    extract::{body, client_authentication::authenticated_client, client_ip::ClientIp},
    respond::{self, OAuthError},
    settle::Stale,
    state::AppState,
};

/// How often a refresh that loses a race looks again. Each look finds a later state, so more than a
/// few mean that the store contradicts itself.
const LOOKS_MAX: u32 = 8;

/// `POST /oauth/tokens`
pub async fn record_door(state: State<AppState>, ip: ClientIp, request: Request) -> Response {
    door(state, ip, request, Dialect::Record).await
}

/// `POST /oauth/token`
pub async fn standard_door(state: State<AppState>, ip: ClientIp, request: Request) -> Response {
    door(state, ip, request, Dialect::Standard).await
}

async fn door(
    State(state): State<AppState>,
    ip: ClientIp,
    request: Request,
    dialect: Dialect,
) -> Response {
    let mut response = match token(&state, ip, request, dialect).await {
        Ok((tokens, expiry)) => render(&tokens, dialect, expiry),
        Err(error) => error.into_response(),
    };
    respond::mark_uncacheable(response.headers_mut());
    response
}

/// Whether the request said how long the access token should live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AskedExpiry {
    Yes,
    No,
}

/// The doors differ in their manners only: the record API leaves `expires_in` out unless asked.
fn render(tokens: &IssuedTokens, dialect: Dialect, asked: AskedExpiry) -> Response {
    let mut answer = tokens.answer();
    match dialect {
        Dialect::Standard => respond::json(StatusCode::OK, &answer),
        Dialect::Record => {
            answer.expires_in = answer.expires_in.filter(|_| asked == AskedExpiry::Yes);
            respond::json(StatusCode::CREATED, &answer)
        }
    }
}

async fn token(
    state: &AppState,
    ip: ClientIp,
    request: Request,
    dialect: Dialect,
) -> Result<(IssuedTokens, AskedExpiry), OAuthError> {
    let (parts, body) = request.into_parts();
    let body = body::read(body, state.config.limits.body_max).await?;
    let parameters = read_parameters(&parts.headers, &body, dialect)?;
    refuse_secrets_in_query(&parts.uri)?;
    let missing = || InvalidRequest::new("grant_type is missing.");
    let grant_type = parameters.text("grant_type")?.ok_or_else(missing)?;
    let client = authenticated_client(&parts.headers, &parameters, dialect, ip.0, state).await?;
    let grant_type = GrantType::parse(grant_type).ok_or(Rejection::GrantTypeUnknown)?;
    if !client.client().may_use(grant_type) {
        return Err(Rejection::GrantTypeNotAllowed.into());
    }
    let asked = if parameters.has("expires_in") { AskedExpiry::Yes } else { AskedExpiry::No };
    let request = TokenRequest::parse(grant_type, &parameters, dialect)?;
    let tokens = match &request {
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, wishes } => {
            let code = credential(code, Kind::AuthorizationCode, &state.keys().token)?;
            let request = RedemptionRequest {
                code: &code,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_deref(),
                wishes,
            };
            redeem_code(state, &client, &request).await?
        }
        TokenRequest::RefreshToken { refresh_token, wishes } => {
            let presented = credential(refresh_token, Kind::RefreshToken, &state.keys().token)?;
            rotate(state, &client, &presented, wishes).await?
        }
        TokenRequest::ClientCredentials { wishes } => {
            client_credentials(state, &client, wishes).await?
        }
    };
    // At the pace of a busy server a line for each would be most of its work: the metric counts.
    tracing::debug!(
        client.id = client.client().id.get(),
        token = tokens.access_token.public_part(),
        grant_type = grant_type.as_str(),
        "issued"
    );
    metrics::counter!("tokenry_tokens_issued_total", "grant_type" => grant_type.as_str())
        .increment(1);
    Ok((tokens, asked))
}

/// Step 1. An empty body is an empty form at either door.
fn read_parameters(
    headers: &HeaderMap,
    body: &[u8],
    dialect: Dialect,
) -> Result<Parameters, InvalidRequest> {
    if body.is_empty() {
        return Ok(Parameters::default());
    }
    match (media_type(headers).as_deref(), dialect) {
        (Some("application/x-www-form-urlencoded"), _) => Parameters::from_form(body),
        (Some("application/json"), Dialect::Record) => Parameters::from_json(body),
        (_, Dialect::Record) => {
            Err(InvalidRequest::new("Send application/json or application/x-www-form-urlencoded."))
        }
        (_, Dialect::Standard) => {
            Err(InvalidRequest::new("Send application/x-www-form-urlencoded."))
        }
    }
}

/// Reads a body that must be a form.
pub(crate) fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, InvalidRequest> {
    read_parameters(headers, body, Dialect::Standard)
}

/// The content type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Step 2. Addresses end up in logs (RFC 6749 §2.3.1, RFC 9700 §4.3.2).
pub(crate) fn refuse_secrets_in_query(uri: &Uri) -> Result<(), InvalidRequest> {
    const SECRETS: [&str; 7] = [
        "client_secret",
        "code",
        "code_verifier",
        "refresh_token",
        "access_token",
        "token",
        "password",
    ];
    let query = uri.query().unwrap_or_default().as_bytes();
    let has_secret =
        form_urlencoded::parse(query).any(|(name, _)| SECRETS.contains(&name.as_ref()));
    if has_secret {
        return Err(InvalidRequest::new("Secrets do not belong into the query."));
    }
    Ok(())
}

/// Form, kind and tag: what was made up is refused without asking the store.
fn credential(text: &str, kind: Kind, keys: &TokenKeys) -> Result<Credential, Rejection> {
    let credential = Credential::parse(text).map_err(|_| Rejection::CredentialUnknown)?;
    if credential.parts().kind != kind {
        return Err(Rejection::CredentialUnknown);
    }
    match keys.recognise(&credential) {
        Mint::Forged => Err(Rejection::CredentialForged),
        Mint::Ours | Mint::Unknown => Ok(credential),
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
    client: &AuthenticatedClient,
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
            note_foreign(state, client, token.as_ref(), request.code, now).await?;
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
    for _ in 0..LOOKS_MAX {
        let (keys, now) = (state.keys(), state.now());
        let (token, user) = load(state, presented).await?;
        let circumstances = circumstances(state, &keys.token, now);
        let asked = (presented, wishes);
        match refresh(client, token.as_ref(), user.as_deref(), asked, &circumstances) {
            Refresh::Rotate { write, answer } => {
                let outdated = Stale::Token(write.id());
                let rotated = state.settle(outdated, |store| async move {
                    store.rotate_refresh_token(write).await
                });
                if rotated.await? == Conditional::Now {
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
            Refresh::Repeat(answer) => return Ok(answer),
            Refresh::Replay(end) => {
                end_grant(state, end).await?;
                return Err(Rejection::Replayed.into());
            }
            Refresh::Refuse(rejection) => {
                note_foreign(state, client, token.as_ref(), presented, now).await?;
                return Err(rejection.into());
            }
        }
        // Somebody else's write came first: what it left decides now.
    }
    Err(StoreError::Unavailable("a refresh lost every race".to_owned()).into())
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

/// A credential of ours in the wrong client's hands is remembered; its owner is unharmed.
async fn note_foreign(
    state: &AppState,
    client: &AuthenticatedClient,
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
        client.id = client.client().id.get(),
        event = EventKind::PresentedByForeignClient.as_str(),
        "a client presented another client's credential"
    );
    state.store.record_event(event).await
}
