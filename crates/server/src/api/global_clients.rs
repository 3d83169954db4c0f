//! Global clients: `/api/v2/oauth/global_clients`. For administrators.
//!
//! Clients that belong to every account exist only where the configuration declares them
//! (`record_api.global_clients`). The list holds those that somebody of this account has let in: of
//! which there is a token that lives. Declared are a few, so each is asked for by itself.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::client::Client;
use tokenry_protocol::{
    api::{
        extra::Extra,
        global_clients::{GlobalClientObject, GlobalClientsResponse},
    },
    ids::ClientId,
};
use tokenry_store::{StoreError, TokenFilter};

use super::{
    READ,
    pagination::{Address, Binding, List, Paging, page_of},
};
use crate::{
    extract::caller::Caller,
    respond::{self, ApiError},
    state::AppState,
};

/// `GET /api/v2/oauth/global_clients`
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, READ)?;
    caller.require_admin()?;
    let binding = Binding { list: List::GlobalClients, caller: caller.user.id, filters: &[] };
    let paging = Paging::read(&state, &address, binding)?;
    let all = authorised(&state).await?;
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let id = |client: &GlobalClientObject| client.id.map_or(0, ClientId::get);
    let page = page_of(all, id, paging.request());
    let pagination = paging.members(&page, id, count)?;
    let body = GlobalClientsResponse { global_clients: page.items, pagination: Some(pagination) };
    Ok(respond::json(StatusCode::OK, &body))
}

async fn authorised(state: &AppState) -> Result<Vec<GlobalClientObject>, StoreError> {
    let (mut found, now) = (Vec::new(), state.now());
    for id in &state.config.record_api.global_clients {
        let Some(client) = state.directory.find_client(*id).await? else {
            continue;
        };
        let filter = TokenFilter { client: Some(*id), ..TokenFilter::default() };
        if state.store.count_tokens(filter, 1, now).await? > 0 {
            found.push(object(&client));
        }
    }
    Ok(found)
}

fn object(client: &Client) -> GlobalClientObject {
    GlobalClientObject {
        id: Some(client.id),
        identifier: Some(client.identifier.to_string()),
        name: Some(client.name.clone()),
        company: client.company.clone(),
        description: client.description.clone(),
        logo_url: client.logo_url.clone(),
        extra: Extra::default(),
    }
}
