//! Authorization server metadata (RFC 8414): exactly what is true, and nothing else.

use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use tokenry_protocol::{
    api::extra::Extra,
    oauth::{metadata::Metadata, token::GrantType},
};

use crate::{respond, state::AppState};

const CACHED: HeaderValue = HeaderValue::from_static("max-age=300");

/// `GET /.well-known/oauth-authorization-server`
pub async fn show(State(state): State<AppState>) -> Response {
    let document = document(state.base().as_str(), state.policy.scopes.names());
    respond::with(respond::json(StatusCode::OK, &document), CACHE_CONTROL, CACHED)
}

fn document(issuer: &str, scopes: Vec<String>) -> Metadata {
    let at = |path: &str| Some(format!("{issuer}{path}"));
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let secret_methods = ["client_secret_basic", "client_secret_post"];
    let all_methods = ["client_secret_basic", "client_secret_post", "none"];
    Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth/authorizations/new"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        scopes_supported: Some(scopes),
        response_types_supported: words(&["code"]),
        response_modes_supported: words(&["query"]),
        grant_types_supported: words(&GrantType::ALL.map(GrantType::as_str)),
        token_endpoint_auth_methods_supported: words(&all_methods),
        revocation_endpoint_auth_methods_supported: words(&all_methods),
        introspection_endpoint_auth_methods_supported: words(&secret_methods),
        code_challenge_methods_supported: words(&["S256"]),
        authorization_response_iss_parameter_supported: Some(true),
        zendesk_token_endpoint: at("/oauth/tokens"),
        extra: Extra::default(),
    }
}
