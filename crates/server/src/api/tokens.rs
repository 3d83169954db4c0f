//! Token records: `/api/v2/oauth/tokens`, and `/api/v2/tokens/{id}`, which records name as theirs.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::{
    event::Actor,
    grant::Token,
    issue::Issuance,
    record_access::{EXPIRED_GRANTS_LISTED, sees},
    revocation::revoke as end,
    token_creation::{CreationRefused, approve},
};
use tokenry_protocol::{
    api::{
        extra::Extra,
        pagination::COUNT_MAX,
        query::{IdFilter, Query},
        request::Sent,
        secret_text::SecretText,
        tokens::{
            ClientReference, CreateTokenRequest, OAuthTokenObject, OAuthTokenResponse,
            OAuthTokensResponse,
        },
    },
    ids::{ClientId, TokenId},
    scope::ScopeToken,
    secret::{Credential, Kind, public_part},
    time::Seconds,
};
use tokenry_store::{Conditional, IdSequence, Page, TokenFilter};

use super::{
    READ, WRITE,
    body::UnreadBody,
    pagination::{Address, Binding, List, Paging},
};
use crate::{
    config::RecordApi,
    extract::{caller::Caller, path_id::PathId},
    rendered::Rendered,
    respond::{self, ApiError},
    state::AppState,
};

const CLIENT_ID: &str = "client_id";
const INCLUDE_EXPIRED: &str = "include_expired";

/// Which tokens a list holds.
struct Filters {
    /// `None`: no token can match.
    filter: Option<TokenFilter>,
    /// What its cursors are bound to.
    bound: [u64; 3],
}

impl Filters {
    /// `all` first: whether the caller may ask for it comes before what else is asked.
    fn read(query: &Query<'_>, caller: &Caller, declared: &RecordApi) -> Result<Self, ApiError> {
        let all = query.switch("all")?;
        if all {
            caller.require_admin()?;
        }
        let with_expired = query.switch(INCLUDE_EXPIRED)?;
        if with_expired && !all {
            return Err(ApiError::InvalidAttribute(INCLUDE_EXPIRED, "used with all=true"));
        }
        let client: IdFilter<ClientId> = query.id(CLIENT_ID)?;
        let global: IdFilter<ClientId> = query.id("global_client_id")?;
        let client_filter = match (client, global) {
            (IdFilter::Any, IdFilter::Any) => Some(None),
            (IdFilter::Only(id), IdFilter::Any) if !declared.is_global(id) => Some(Some(id)),
            (IdFilter::Any, IdFilter::Only(id)) if declared.is_global(id) => Some(Some(id)),
            // No token belongs to a client that is not there, nor to two at once.
            _ => None,
        };
        let user = (!all).then_some(caller.user.id);
        let grants_kept = if with_expired { EXPIRED_GRANTS_LISTED } else { Seconds(0) };
        // The second never comes without the first, so one number tells what of both was asked.
        let reach = u64::from(all) + u64::from(with_expired);
        Ok(Self {
            filter: client_filter.map(|client| TokenFilter { user, client, grants_kept }),
            bound: [reach, bound(client), bound(global)],
        })
    }
}

/// A filter as cursors are bound to it; what nothing matches is not told apart.
fn bound(filter: IdFilter<ClientId>) -> u64 {
    match filter {
        IdFilter::Any => 0,
        IdFilter::Only(id) => id.get(),
        IdFilter::Nothing => u64::MAX,
    }
}

/// `GET /api/v2/oauth/tokens`
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, READ)?;
    let Filters { filter, bound } =
        Filters::read(&address.query(), &caller, &state.config.record_api)?;
    let binding = Binding { list: List::Tokens, caller: caller.user.id, filters: &bound };
    let paging = Paging::read(&state, &address, binding)?;
    let now = state.now();
    let (mut page, mut count) = (Page { items: Vec::new(), has_more: false }, 0);
    if let Some(filter) = filter {
        page = state.store.list_tokens(filter, paging.request(), now).await?;
        if paging.needs_count() {
            count = state.store.count_tokens(filter, COUNT_MAX, now).await?;
        }
    }
    for token in &mut page.items {
        state.verifier.overlay(token);
    }
    let pagination = paging.members(&page, |token: &Token| token.id.get(), count)?;
    let body = OAuthTokensResponse {
        tokens: page.items.iter().map(|token| masked(&state, token)).collect(),
        pagination: Some(pagination),
    };
    Ok(respond::json(StatusCode::OK, &body))
}

/// `POST /api/v2/oauth/tokens`
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
    body: UnreadBody,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    caller.require_admin()?;
    let body = body.read(&state).await?;
    let request = match address.query().find(CLIENT_ID) {
        // Some generated clients can send nothing but a query.
        in_query if body.is_empty() => match in_query? {
            Some(client) => CreateTokenRequest::from_query(client),
            None => CreateTokenRequest::parse(&body)?,
        },
        _ => CreateTokenRequest::parse(&body)?,
    };
    let client = match request.client_id {
        Sent::Value(ClientReference::Id(id)) => state.directory.find_client(id).await?,
        _ => None,
    };
    let approved = approve(request, client.as_deref(), caller.scope(), &state.policy)?;
    let keys = state.keys();
    let issuance = Issuance {
        id: state.ids.next(IdSequence::Tokens).await?,
        client_id: approved.client_id(),
        user_id: caller.user.id,
        now: state.now(),
        keys: &keys.token,
        entropy: state.environment.entropy.as_ref(),
    };
    let (write, issued) = approved.issue(&issuance);
    let token = created(&state, write.token(), &issued.access_token);
    state.store.insert_token(write).await?;
    Ok(respond::json(StatusCode::CREATED, &one(token)))
}

impl From<CreationRefused> for ApiError {
    fn from(refused: CreationRefused) -> Self {
        match refused {
            CreationRefused::Invalid(errors) => Self::Invalid(errors),
            CreationRefused::MissingScopes(missing) => Self::MissingScopes(names(&missing)),
        }
    }
}

/// `GET /api/v2/oauth/tokens/{id}`
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<TokenId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, READ)?;
    let PathId(id) = id?;
    let token = find(&state, &caller, id).await?;
    Ok(respond::json(StatusCode::OK, &one(masked(&state, &token))))
}

/// `DELETE /api/v2/oauth/tokens/{id}`
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<TokenId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    let PathId(id) = id?;
    let token = find(&state, &caller, id).await?;
    let actor = Actor::User(caller.actor);
    match state.end_grant(end(&token, actor, state.now())).await? {
        Conditional::Now => Ok(respond::no_content()),
        Conditional::Already => Err(ApiError::NotFound),
    }
}

/// `GET /api/v2/oauth/tokens/current`: the verification address, open to every scope.
pub async fn current(State(state): State<AppState>, caller: Caller) -> Result<Response, ApiError> {
    let verified = caller.token.ok_or(ApiError::InvalidToken)?;
    let used_at = verified.used_at();
    let record = || one(OAuthTokenObject { used_at, ..masked(&state, verified.token()) });
    // The call itself was a use, and nothing else of the record changes while it is as it was read.
    if let Some(used_at) = used_at.filter(|_| state.has_one_base()) {
        let shown = &verified.cached.shown;
        let shown = shown.get_or_init(|| Rendered::new(&record(), "used_at", used_at));
        if let Some(shown) = shown {
            return Ok(respond::written_json(StatusCode::OK, shown.at(used_at)));
        }
    }
    Ok(respond::json(StatusCode::OK, &record()))
}

/// `DELETE /api/v2/oauth/tokens/current`
pub async fn revoke_current(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let verified = caller.token.ok_or(ApiError::InvalidToken)?;
    let actor = Actor::User(caller.actor);
    match state.end_grant(end(verified.token(), actor, state.now())).await? {
        Conditional::Now => Ok(respond::no_content()),
        // Somebody else ended it a moment ago.
        Conditional::Already => Err(ApiError::InvalidToken),
    }
}

/// A record that the caller sees; everything else does not exist.
async fn find(state: &AppState, caller: &Caller, id: TokenId) -> Result<Token, ApiError> {
    let token = state.verifier.find(id).await?.ok_or(ApiError::NotFound)?;
    let client = state.directory.find_client(token.client_id).await?;
    let user = state.directory.find_user(token.user_id).await?;
    let owners = (client.as_deref(), user.as_deref());
    if sees(&caller.user, &token, owners, state.now()) {
        Ok(token)
    } else {
        Err(ApiError::NotFound)
    }
}

fn one(token: OAuthTokenObject) -> OAuthTokenResponse {
    OAuthTokenResponse { token: Some(token) }
}

/// A record as everybody may see it who may see it.
fn masked(state: &AppState, token: &Token) -> OAuthTokenObject {
    let id = token.id.get();
    let public = |kind| Some(SecretText::new(public_part(kind, id)));
    let issued = token.issued();
    let refresh = issued.and_then(|issued| issued.refresh.as_ref());
    let scope = issued.map_or(&token.granted, |issued| &issued.scope);
    OAuthTokenObject {
        client_id: Some(token.client_id),
        created_at: Some(token.created_at),
        expires_at: issued.and_then(|issued| issued.access.expires_at()),
        id: Some(token.id),
        refresh_token: refresh.and_then(|_| public(Kind::RefreshToken)),
        refresh_token_expires_at: refresh.map(|refresh| refresh.expires_at),
        scopes: Some(names(scope.tokens())),
        token: public(Kind::AccessToken),
        full_token: None,
        url: Some(format!("{}/api/v2/tokens/{id}.json", state.base())),
        used_at: issued.and_then(|issued| issued.used_at),
        user_id: Some(token.user_id),
        extra: Extra::default(),
    }
}

/// A record in the answer that creates it, which alone shows the token in full.
fn created(state: &AppState, token: &Token, credential: &Credential) -> OAuthTokenObject {
    OAuthTokenObject {
        token: Some(credential.into()),
        full_token: Some(credential.into()),
        ..masked(state, token)
    }
}

fn names(tokens: &[ScopeToken]) -> Vec<String> {
    tokens.iter().map(ToString::to_string).collect()
}
