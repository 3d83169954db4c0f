//! API tokens: `/api/v2/api_tokens`. For administrators; where they are switched off, none of these
//! addresses knows any record.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    api_token_creation::{approve, missing_scopes, too_many, update as change},
    revision::Revision,
};
use tokenry_protocol::{
    api::{
        api_tokens::{ApiTokenObject, ApiTokenRequest, ApiTokenResponse, ApiTokensResponse},
        error::{FieldErrorCode, FieldErrors},
        extra::Extra,
        secret_text::SecretText,
    },
    ids::ApiTokenId,
    scope::Requirement,
    secret::{Credential, Kind, public_part},
};
use tokenry_store::{ApiTokenInsertion, Conditional, Deletion, IdSequence};

use super::{READ, WRITE, body::UnreadBody, minting, refuse_missing, revision::until_written};
use crate::{
    extract::{caller::Caller, path_id::PathId},
    respond::{self, ApiError},
    state::AppState,
};

/// Who may call, and whether there is anything to call.
fn check(state: &AppState, caller: &Caller, need: Requirement) -> Result<(), ApiError> {
    caller.require_scope(state, need)?;
    caller.require_admin()?;
    if state.config.api_tokens.enabled { Ok(()) } else { Err(ApiError::NotFound) }
}

/// An API token has every right of its user, or of all users, and so must a bearer token that
/// brings one to life.
fn require_everything(state: &AppState, caller: &Caller) -> Result<(), ApiError> {
    let missing = caller.scope().map(|held| missing_scopes(held, &state.policy.scopes));
    refuse_missing(&missing.unwrap_or_default())
}

/// `GET /api/v2/api_tokens`: all of them on one page.
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Response, ApiError> {
    check(&state, &caller, READ)?;
    let tokens = state.store.list_api_tokens().await?;
    let body = ApiTokensResponse {
        api_tokens: tokens.into_iter().map(|token| masked(&state, token)).collect(),
    };
    Ok(respond::json(StatusCode::OK, &body))
}

/// `POST /api/v2/api_tokens`
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: UnreadBody,
) -> Result<Response, ApiError> {
    check(&state, &caller, WRITE)?;
    if !state.config.api_tokens.creation {
        return Err(ApiError::WrongRole);
    }
    require_everything(&state, &caller)?;
    let request = ApiTokenRequest::parse(&body.read(&state).await?)?;
    let assigned = match request.assigned_user_id.as_value() {
        Some(Some(id)) => state.store.find_user(*id).await?,
        _ => None,
    };
    let unbound = state.config.api_tokens.unbound();
    let approved = approve(request, &caller.user, assigned.as_ref(), unbound)?;
    let keys = state.keys();
    let id: ApiTokenId = state.ids.next(IdSequence::ApiTokens).await?;
    let (token, credential) = approved.issue(id, &minting(&state, &keys, state.now()));
    let max = u32::try_from(state.config.api_tokens.count_max).unwrap_or(u32::MAX);
    let record = created(&state, token.clone(), &credential);
    match state.store.insert_api_token(token, max).await? {
        ApiTokenInsertion::Done => Ok(respond::json(StatusCode::CREATED, &one(record))),
        ApiTokenInsertion::LimitReached => Err(too_many(max).into()),
        ApiTokenInsertion::OwnerGone => {
            let (field, code) = ("assigned_user_id", FieldErrorCode::InvalidValue);
            Err(FieldErrors::one(field, code, "no such user").into())
        }
    }
}

/// `GET /api/v2/api_tokens/{id}`
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ApiTokenId>, ApiError>,
) -> Result<Response, ApiError> {
    check(&state, &caller, READ)?;
    let PathId(id) = id?;
    let token = state.store.find_api_token(id).await?;
    let token = token.ok_or(ApiError::NotFound)?;
    let body = one(masked(&state, token));
    Ok(respond::json(StatusCode::OK, &body))
}

/// `PUT /api/v2/api_tokens/{id}`
pub async fn update(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ApiTokenId>, ApiError>,
    body: UnreadBody,
) -> Result<Response, ApiError> {
    check(&state, &caller, WRITE)?;
    let PathId(id) = id?;
    let request = ApiTokenRequest::parse(&body.read(&state).await?)?;
    until_written(|| try_update(&state, &caller, id, &request)).await
}

/// `None` if the token was changed by somebody else since it was read here.
async fn try_update(
    state: &AppState,
    caller: &Caller,
    id: ApiTokenId,
    request: &ApiTokenRequest,
) -> Result<Option<Response>, ApiError> {
    let before = state.store.find_api_token(id).await?;
    let before = before.ok_or(ApiError::NotFound)?;
    let changed = change(&before, request.clone(), state.now())?;
    if before.status == ApiTokenStatus::Inactive && changed.status == ApiTokenStatus::Active {
        require_everything(state, caller)?;
    }
    let write = Revision::new(&before, changed);
    let changed = write.record().clone();
    match state.store.update_api_token(write).await? {
        Conditional::Now => {
            let body = one(masked(state, changed));
            Ok(Some(respond::json(StatusCode::OK, &body)))
        }
        Conditional::Already => Ok(None),
    }
}

/// `DELETE /api/v2/api_tokens/{id}`
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ApiTokenId>, ApiError>,
) -> Result<Response, ApiError> {
    check(&state, &caller, WRITE)?;
    let PathId(id) = id?;
    match state.store.delete_api_token(id).await? {
        Deletion::Done => Ok(respond::no_content()),
        Deletion::NotFound => Err(ApiError::NotFound),
    }
}

fn one(api_token: ApiTokenObject) -> ApiTokenResponse {
    ApiTokenResponse { api_token: Some(api_token) }
}

/// A record, its last use exact.
fn masked(state: &AppState, mut token: ApiToken) -> ApiTokenObject {
    state.api_token_uses.overlay(&mut token);
    let id = token.id.get();
    ApiTokenObject {
        id: Some(token.id),
        url: Some(format!("{}/api/v2/api_tokens/{id}.json", state.base())),
        description: Some(token.description),
        active: Some(token.status == ApiTokenStatus::Active),
        user_id: Some(token.user_id),
        assigned_user_id: token.assigned_user_id,
        token: None,
        full_token: None,
        visible_token: Some(SecretText::new(public_part(Kind::ApiToken, id))),
        created_at: Some(token.created_at),
        updated_at: Some(token.updated_at),
        last_used: token.last_used,
        extra: Extra::default(),
    }
}

/// A record in the answer that creates it, which alone shows the token in full.
fn created(state: &AppState, token: ApiToken, credential: &Credential) -> ApiTokenObject {
    ApiTokenObject {
        token: Some(credential.into()),
        full_token: Some(credential.into()),
        ..masked(state, token)
    }
}
