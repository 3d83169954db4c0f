//! Introspection endpoint (RFC 7662).
//!
//! 1. A confidential client proves itself.
//! 2. An access token goes through the hot path; a refresh token is looked up.
//! 3. What the asker may not know is `{"active":false}`, like everything that is not alive.

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use tokenry_core::{
    Mint,
    client::{ClientRole, ClientStatus},
    client_authentication::AuthenticatedClient,
    introspection::{Subject, describe, may_ask, may_see},
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::{introspection::IntrospectionResponse, token::Dialect},
    secret::{Credential, Kind},
};

use crate::{
    extract::grant_request::GrantRequest,
    respond::{self, OAuthError},
    state::AppState,
    verify::VerifyError,
};

/// `POST /oauth/introspect`
pub async fn introspect(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, OAuthError> {
    let request = GrantRequest::read(request, Dialect::Standard, &state).await?;
    let client = request.client(&state).await?;
    may_ask(&client)?;
    let presented = request.required("token")?;
    let answer = match Credential::parse(presented) {
        Ok(credential) => match credential.parts().kind {
            Kind::AccessToken => access_token(&state, &client, &credential).await?,
            Kind::RefreshToken => refresh_token(&state, &client, &credential).await?,
            _ => IntrospectionResponse::INACTIVE,
        },
        Err(_) => IntrospectionResponse::INACTIVE,
    };
    Ok(respond::json(StatusCode::OK, &answer))
}

async fn access_token(
    state: &AppState,
    asker: &AuthenticatedClient,
    credential: &Credential,
) -> Result<IntrospectionResponse, OAuthError> {
    let (keys, now) = (state.keys(), state.now());
    let verified = state.verifier.verify(credential, &keys.token, &state.directory, now).await;
    let verified = match verified {
        Ok(verified) => verified,
        Err(VerifyError::Invalid(_)) => return Ok(IntrospectionResponse::INACTIVE),
        Err(VerifyError::Store(error)) => return Err(error.into()),
    };
    if !may_see(asker, &verified.client) {
        return Ok(IntrospectionResponse::INACTIVE);
    }
    // A resource server asks because it was called with the token; an owner only looks.
    let is_own = asker.client().id == verified.client.id;
    if asker.client().role == ClientRole::ResourceServer && !is_own {
        state.verifier.note_use(&verified, now);
    }
    let subject =
        Subject { client: &verified.client, user: &verified.user, issuer: state.issuer() };
    Ok(describe(verified.token(), credential, &subject, now))
}

async fn refresh_token(
    state: &AppState,
    asker: &AuthenticatedClient,
    credential: &Credential,
) -> Result<IntrospectionResponse, OAuthError> {
    let inactive = Ok(IntrospectionResponse::INACTIVE);
    if state.keys().token.recognise(credential) == Mint::Forged {
        return inactive;
    }
    let Ok(id) = TokenId::new(credential.parts().id) else {
        return inactive;
    };
    let Some(token) = state.store.find_token(id).await? else {
        return inactive;
    };
    let client = state.directory.find_client(token.client_id).await?;
    let user = state.directory.find_user(token.user_id).await?;
    let client = client.filter(|client| client.status == ClientStatus::Enabled);
    let (Some(client), Some(user)) = (client, user.filter(|user| !user.suspended)) else {
        return inactive;
    };
    if !may_see(asker, &client) {
        return inactive;
    }
    let subject = Subject { client: &client, user: &user, issuer: state.issuer() };
    Ok(describe(&token, credential, &subject, state.now()))
}
