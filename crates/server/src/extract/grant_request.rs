//! What all grant endpoints do first with a request: read its parameters, and prove its client.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, Uri, header::CONTENT_TYPE};
use tokenry_core::client_authentication::AuthenticatedClient;
use tokenry_protocol::oauth::{
    parameters::{InvalidRequest, Parameters},
    token::Dialect,
};

use super::{body, client_authentication::authenticated_client, client_ip::client_ip};
use crate::{respond::OAuthError, state::AppState};

/// A request whose syntax holds; its client has proved nothing yet.
pub struct GrantRequest {
    /// The parameters of the body.
    pub parameters: Parameters,
    headers: HeaderMap,
    dialect: Dialect,
    ip: IpAddr,
}

impl GrantRequest {
    /// Reads syntax and duplicates first, then refuses secrets in the query.
    pub async fn read(
        request: Request,
        dialect: Dialect,
        state: &AppState,
    ) -> Result<Self, OAuthError> {
        let (parts, body) = request.into_parts();
        let body = body::read(body, state.config.limits.body_max).await?;
        let parameters = read_parameters(&parts.headers, &body, dialect)?;
        refuse_secrets_in_query(&parts.uri)?;
        let ip = client_ip(&parts.headers, &state.config.proxy);
        Ok(Self { parameters, headers: parts.headers, dialect, ip })
    }

    /// Proves the client (RFC 6749 §2.3).
    pub async fn client(&self, state: &AppState) -> Result<AuthenticatedClient, OAuthError> {
        let Self { parameters, headers, dialect, ip } = self;
        authenticated_client(headers, parameters, *dialect, *ip, state).await
    }

    /// A parameter that must be there.
    pub fn required(&self, name: &str) -> Result<&str, InvalidRequest> {
        let missing = || InvalidRequest::new(format!("{name} is missing."));
        self.parameters.text(name)?.ok_or_else(missing)
    }
}

/// Reads the body. An empty one is an empty form at either door.
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

/// The content type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Addresses end up in logs (RFC 6749 §2.3.1, RFC 9700 §4.3.2).
fn refuse_secrets_in_query(uri: &Uri) -> Result<(), InvalidRequest> {
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
