//! Global clients: `/api/v2/oauth/global_clients`. For administrators.
//!
//! Clients that belong to every account exist only where a configuration declares them. Here none
//! does, which is an empty list and no error.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_protocol::{
    api::global_clients::{GlobalClientObject, GlobalClientsResponse},
    ids::ClientId,
};
use tokenry_store::Page;

use super::{
    READ,
    pagination::{Address, Binding, List, Paging},
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
    let page: Page<GlobalClientObject> = Page { items: Vec::new(), has_more: false };
    let id = |client: &GlobalClientObject| client.id.map_or(0, ClientId::get);
    let pagination = paging.members(&page, id, 0)?;
    let body = GlobalClientsResponse { global_clients: page.items, pagination: Some(pagination) };
    Ok(respond::json(StatusCode::OK, &body))
}
