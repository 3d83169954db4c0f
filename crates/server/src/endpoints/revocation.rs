//! Revocation endpoint (RFC 7009).
//!
//! 1. The client proves itself, as at the token endpoint.
//! 2. A token of its own is ended, its whole pair with it. For anything else the answer is the same
//!    200 (§2.2): it says nothing about what exists.

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use serde_json::json;
use tokenry_core::revocation;
use tokenry_protocol::{ids::TokenId, oauth::token::Dialect, secret::Kind};

use crate::{
    extract::grant_request::GrantRequest,
    respond::{self, OAuthError},
    state::AppState,
};

/// `POST /oauth/revoke`
pub async fn revoke(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, OAuthError> {
    let request = GrantRequest::read(request, Dialect::Standard, &state).await?;
    let client = request.client(&state).await?;
    let presented = request.required("token")?;

    // Some clients read the body of every answer as JSON, so it is an empty object.
    let done = || respond::json(StatusCode::OK, &json!({}));
    let kinds = [Kind::AccessToken, Kind::RefreshToken];
    let Ok(presented) = state.keys().token.read(presented, &kinds) else {
        return Ok(done());
    };
    let Ok(id) = TokenId::new(presented.parts().id) else {
        return Ok(done());
    };
    let token = state.verifier.find(id).await?;
    let end = revocation::revoke_presented(&client, token.as_ref(), &presented, state.now());
    if let Some(end) = end {
        state.end_grant(end).await?;
        tracing::info!(token.id = id.get(), client.id = client.client().id.get(), "revoked");
    }
    Ok(done())
}
