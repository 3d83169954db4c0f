//! Client records: `/api/v2/oauth/clients`, and `/api/v2/clients/{id}`, which records name as
//! theirs. For administrators.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_reach,
    client_registration::{self, MintedClient},
    minting::Minting,
    revision::Revision,
    user::User,
};
use tokenry_protocol::{
    api::{
        clients::{ClientRequest, OAuthClientObject, OAuthClientResponse, OAuthClientsResponse},
        error::FieldErrors,
        extra::Extra,
        open::Open,
        pagination::COUNT_MAX,
        secret_text::SecretText,
    },
    ids::{ClientId, UserId},
    secret::{Credential, Kind, public_part},
};
use tokenry_store::{ClientFilter, ClientUpdate, Deletion, IdSequence, Insertion};

use super::{
    READ, WRITE,
    body::UnreadBody,
    minting,
    pagination::{Address, Binding, List, Paging},
    refuse_missing,
    revision::until_written,
};
use crate::{
    extract::{caller::Caller, path_id::PathId},
    respond::{self, ApiError},
    settle::Stale,
    state::AppState,
};

/// `GET /api/v2/oauth/clients`
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
) -> Result<Response, ApiError> {
    list_of(&state, &caller, &address, None).await
}

/// `GET /api/v2/users/me/oauth/clients`: those that the caller answers for.
pub async fn list_mine(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
) -> Result<Response, ApiError> {
    list_of(&state, &caller, &address, Some(caller.user.id)).await
}

async fn list_of(
    state: &AppState,
    caller: &Caller,
    address: &Address,
    owner: Option<UserId>,
) -> Result<Response, ApiError> {
    caller.require_scope(state, READ)?;
    caller.require_admin()?;
    let binding = Binding {
        list: owner.map_or(List::Clients, |_| List::OwnClients),
        caller: caller.user.id,
        filters: &[],
    };
    let paging = Paging::read(state, address, binding)?;
    let except = state.config.record_api.global_clients.clone();
    let filter = ClientFilter { owner, except };
    let page = state.store.list_clients(filter.clone(), paging.request()).await?;
    let count =
        if paging.needs_count() { state.store.count_clients(filter, COUNT_MAX).await? } else { 0 };
    let pagination = paging.members(&page, |client: &Client| client.id.get(), count)?;
    let body = OAuthClientsResponse {
        clients: page.items.iter().map(|client| object(state, client, None)).collect(),
        pagination: Some(pagination),
    };
    Ok(respond::json(StatusCode::OK, &body))
}

/// `POST /api/v2/oauth/clients`
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: UnreadBody,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    caller.require_admin()?;
    let request = ClientRequest::parse(&body.read(&state).await?)?;
    let owner = find_owner(&state, &request).await?;
    let settings = client_registration::check(request, None, &caller.user, owner.as_ref())?;
    let settings = match caller.scope() {
        Some(held) => settings.within(held),
        None => settings,
    };
    let keys = state.keys();
    let id = own_id(&state).await?;
    let minted = settings.register(id, &minting(&state, &keys, state.now()));
    check_reach(&state, &caller, None, &minted.client)?;
    match state.store.insert_client(minted.client.clone()).await? {
        Insertion::Done => Ok(answer(&state, StatusCode::CREATED, &minted)),
        Insertion::Duplicate => Err(client_registration::identifier_taken().into()),
        Insertion::OwnerGone => Err(client_registration::owner_gone().into()),
    }
}

/// `GET /api/v2/oauth/clients/{id}`
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ClientId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, READ)?;
    caller.require_admin()?;
    let PathId(id) = id?;
    let client = state.store.find_client(id).await?;
    let client = client.ok_or(ApiError::NotFound)?;
    let body = one(object(&state, &client, None));
    Ok(respond::json(StatusCode::OK, &body))
}

/// `PUT /api/v2/oauth/clients/{id}`
pub async fn update(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ClientId>, ApiError>,
    body: UnreadBody,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    caller.require_admin()?;
    let PathId(id) = id?;
    let request = ClientRequest::parse(&body.read(&state).await?)?;
    let owner = find_owner(&state, &request).await?;
    let decide = |before: &Client, minting: &Minting<'_>| {
        let (request, user) = (request.clone(), &caller.user);
        let settings = client_registration::check(request, Some(before), user, owner.as_ref())?;
        Ok(settings.update(before, minting))
    };
    until_written(|| try_change(&state, &caller, id, &decide)).await
}

/// `PUT /api/v2/oauth/clients/{id}/generate_secret`: whatever the body says.
pub async fn generate_secret(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ClientId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    caller.require_admin()?;
    let PathId(id) = id?;
    let decide = |before: &Client, minting: &Minting<'_>| {
        client_registration::generate_secret(before.clone(), minting)
    };
    until_written(|| try_change(&state, &caller, id, &decide)).await
}

/// `DELETE /api/v2/oauth/clients/{id}`: its tokens, refresh tokens and codes die with it.
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<ClientId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, WRITE)?;
    caller.require_admin()?;
    let PathId(id) = id?;
    refuse_global(&state, id)?;
    let now = state.now();
    let deleted = state
        .settle(Stale::Client(id), |store| async move { store.delete_client(id, now).await })
        .await?;
    match deleted {
        Deletion::Done => Ok(respond::no_content()),
        Deletion::NotFound => Err(ApiError::NotFound),
    }
}

/// Changes a client as it is decided, and answers with it; `None` if it was changed by somebody
/// else since it was read here.
async fn try_change(
    state: &AppState,
    caller: &Caller,
    id: ClientId,
    decide: impl Fn(&Client, &Minting<'_>) -> Result<MintedClient, FieldErrors>,
) -> Result<Option<Response>, ApiError> {
    refuse_global(state, id)?;
    let before = state.store.find_client(id).await?;
    let before = before.ok_or(ApiError::NotFound)?;
    let keys = state.keys();
    let MintedClient { client, secret } = decide(&before, &minting(state, &keys, state.now()))?;
    check_reach(state, caller, Some(&before), &client)?;
    let write = Revision::new(&before, client);
    let minted = MintedClient { client: write.record().clone(), secret };
    let updated = state
        .settle(Stale::Client(id), |store| async move { store.update_client(write).await })
        .await?;
    match updated {
        ClientUpdate::Done => Ok(Some(answer(state, StatusCode::OK, &minted))),
        ClientUpdate::Already => Ok(None),
        ClientUpdate::Duplicate => Err(client_registration::identifier_taken().into()),
        ClientUpdate::OwnerGone => Err(client_registration::owner_gone().into()),
    }
}

/// For changes a client that is everybody's is not there.
fn refuse_global(state: &AppState, id: ClientId) -> Result<(), ApiError> {
    if state.config.record_api.is_global(id) { Err(ApiError::NotFound) } else { Ok(()) }
}

/// An id that is not declared to be a global client's: a new client is the account's own.
async fn own_id(state: &AppState) -> Result<ClientId, ApiError> {
    loop {
        let id = state.ids.next(IdSequence::Clients).await?;
        if !state.config.record_api.is_global(id) {
            return Ok(id);
        }
    }
}

/// A bearer token gets no client into its hands that may do more than itself.
fn check_reach(
    state: &AppState,
    caller: &Caller,
    before: Option<&Client>,
    after: &Client,
) -> Result<(), ApiError> {
    let Some(held) = caller.scope() else {
        return Ok(());
    };
    let bearer = (held, caller.user.id);
    refuse_missing(&client_reach::missing_scopes(bearer, before, after, &state.policy.scopes))
}

/// Whom a request names as the one who answers for the client.
async fn find_owner(state: &AppState, request: &ClientRequest) -> Result<Option<User>, ApiError> {
    match request.user_id.as_value() {
        Some(Some(id)) => Ok(state.store.find_user(*id).await?),
        _ => Ok(None),
    }
}

fn answer(state: &AppState, status: StatusCode, minted: &MintedClient) -> Response {
    let record = object(state, &minted.client, minted.secret.as_ref());
    respond::json(status, &one(record))
}

fn one(client: OAuthClientObject) -> OAuthClientResponse {
    OAuthClientResponse { client: Some(client) }
}

/// A record. The secret in full belongs into the answer that minted it alone.
fn object(state: &AppState, client: &Client, minted: Option<&Credential>) -> OAuthClientObject {
    let id = client.id.get();
    let is_global = state.config.record_api.is_global(client.id);
    let secret = match client.authentication {
        ClientSecret::Public => None,
        // Its secret is nothing of this account's.
        ClientSecret::Confidential { .. } if is_global => None,
        ClientSecret::Confidential { .. } => Some(minted.map_or_else(
            || SecretText::new(public_part(Kind::ClientSecret, id)),
            SecretText::from,
        )),
    };
    let redirect_uri = client.redirect_uris.iter().map(ToString::to_string);
    let allowed_scopes = client.allowed_scope.as_ref().map(|scope| {
        let names = scope.tokens().iter();
        names.map(ToString::to_string).collect()
    });
    let grant_types = client.grant_types.as_ref();
    let grant_types = grant_types.map(|types| types.iter().copied().map(Open::from).collect());
    OAuthClientObject {
        id: Some(client.id),
        url: Some(format!("{}/api/v2/clients/{id}.json", state.base())),
        identifier: Some(client.identifier.to_string()),
        name: Some(client.name.clone()),
        kind: Some(client.kind().into()),
        user_id: Some(client.user_id),
        redirect_uri: Some(redirect_uri.collect()),
        global: Some(is_global),
        company: client.company.clone(),
        description: client.description.clone(),
        logo_url: client.logo_url.clone(),
        allowed_scopes,
        secret,
        disabled: (client.status == ClientStatus::Disabled).then_some(true),
        resource_server: (client.role == ClientRole::ResourceServer).then_some(true),
        grant_types,
        access_token_lifetime_max: client.access_token_lifetime_max,
        refresh_token_lifetime_max: client.refresh_token_lifetime_max,
        retry_window_seconds: client.retry_window,
        created_at: Some(client.created_at),
        updated_at: Some(client.updated_at),
        extra: Extra::default(),
    }
}
