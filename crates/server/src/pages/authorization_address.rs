//! Addresses of authorization requests: a sign-in leads back to one, and says who asks there.

use std::sync::Arc;

use tokenry_core::{
    authorization::{Refusal, judge},
    client::Client,
};
use tokenry_protocol::{
    ids::ClientIdentifier,
    oauth::{
        authorization::{AuthorizationRequest, ReturnAddress},
        parameters::Parameters,
    },
};
use tokenry_store::StoreError;

use super::{local_path::LocalPath, shown};
use crate::{
    state::AppState,
    views::{ClientSummary, form_action_source},
};

const PATH: &str = "/oauth/authorizations/new";
/// The default path of `simple-oauth2`.
const ALIAS: &str = "/oauth/authorize";

/// Where this request is made anew.
pub fn address_of(request: &AuthorizationRequest) -> LocalPath {
    let address = format!("{PATH}?{}", request.to_query());
    LocalPath::parse(&address).unwrap_or_else(|| LocalPath::own(PATH))
}

/// The way back from a sign-in must not ask for that sign-in again.
pub fn back_without_login(request: &AuthorizationRequest, as_sent: LocalPath) -> LocalPath {
    let words = request.prompt.as_deref().unwrap_or_default().split(' ');
    if !words.clone().any(|word| word == "login") {
        return as_sent;
    }
    let others: Vec<&str> = words.filter(|word| *word != "login").collect();
    address_of(&AuthorizationRequest {
        prompt: Some(others.join(" ")).filter(|prompt| !prompt.is_empty()),
        ..request.clone()
    })
}

/// The client that a request names, if there is one.
pub async fn find_client(
    request: &AuthorizationRequest,
    state: &AppState,
) -> Result<Option<Arc<Client>>, StoreError> {
    let identifier = request.client_id.as_deref().map(ClientIdentifier::parse);
    match identifier {
        Some(Ok(identifier)) => state.directory.find_client_by_identifier(&identifier).await,
        None | Some(Err(_)) => Ok(None),
    }
}

/// The authorization request that an address of this server makes.
pub struct Asking {
    /// Who asks.
    pub client: ClientSummary,
    /// Where the answer goes, as `form-action` lists it.
    pub form_target: String,
}

/// The request that a sign-in leads back to; `None` when it leads elsewhere, or when the request
/// has an answer that is sent nowhere.
pub async fn asking(address: &LocalPath, state: &AppState) -> Result<Option<Asking>, StoreError> {
    let (path, query) = address.split();
    if path != PATH && path != ALIAS {
        return Ok(None);
    }
    let parameters = Parameters::from_form(query.as_bytes());
    let request = parameters.and_then(|parameters| AuthorizationRequest::parse(&parameters));
    let Ok(request) = request else {
        return Ok(None);
    };
    let Some(client) = find_client(&request, state).await? else {
        return Ok(None);
    };
    let ReturnAddress { redirect_uri, .. } = match judge(&request, Some(&client), &state.policy) {
        Ok(judged) => judged.return_address().clone(),
        Err(Refusal::Redirect(to, _)) => to,
        Err(Refusal::Page(_)) => return Ok(None),
    };
    Ok(Some(Asking {
        client: shown::client(&client),
        form_target: form_action_source(&redirect_uri),
    }))
}

/// The authorization request in an address, as the consent page's form writes it.
pub fn written_in(address: &LocalPath) -> Option<&str> {
    let (path, query) = address.split();
    (path == PATH).then_some(query)
}
