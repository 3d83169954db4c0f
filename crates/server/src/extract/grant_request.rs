//! What all grant endpoints do first with a request: read its parameters, and prove its client.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, Uri, header::CONTENT_TYPE};
use tokenry_core::{
    client_authentication::{AuthenticatedClient, Redeemer},
    policy::{RedemptionProof, UnknownScopes},
};
use tokenry_protocol::{
    oauth::{
        parameters::{InvalidRequest, Parameters},
        token::{Dialect, GrantType},
    },
    scope::NOT_A_STRING,
};

use super::{
    body,
    client_authentication::{Sender, authenticated_client, redeeming_client},
    client_ip::client_ip,
};
use crate::{request_limits::Caller, respond::OAuthError, state::AppState};

/// A request whose syntax holds; its client has proved nothing yet.
pub struct GrantRequest {
    /// The parameters: those of the body, and at one door those of the query if the
    /// configuration says so.
    pub parameters: Parameters,
    headers: HeaderMap,
    dialect: Dialect,
    ip: IpAddr,
}

impl GrantRequest {
    /// Reads syntax and duplicates first, then refuses secrets in the query, or takes it in.
    pub async fn read(
        request: Request,
        dialect: Dialect,
        state: &AppState,
    ) -> Result<Self, OAuthError> {
        let (parts, body) = request.into_parts();
        let body = body::read(body, state.config.limits.body_max).await?;
        let mut parameters = read_parameters(&parts.headers, &body, dialect)?;
        if dialect == Dialect::Record && state.config.tokens.parameters_in_query {
            let query = parts.uri.query().unwrap_or_default().as_bytes();
            parameters.fill_in(Parameters::from_form(query)?);
        } else {
            refuse_secrets_in_query(&parts.uri)?;
        }
        if dialect == Dialect::Record && state.policy.unknown_scopes == UnknownScopes::Accept {
            take_scope_lists(&mut parameters);
        }
        let ip = client_ip(&parts.headers, &state.config.proxy);
        Ok(Self { parameters, headers: parts.headers, dialect, ip })
    }

    /// Proves the client (RFC 6749 §2.3).
    pub async fn client(&self, state: &AppState) -> Result<AuthenticatedClient, OAuthError> {
        authenticated_client(&self.sender(), state).await
    }

    /// Proves the client of a token request (RFC 6749 §3.2.1), or leaves it to the verifier of its
    /// code if the configuration says so.
    ///
    /// Only a code has a verifier. A refresh has nothing but the client's secret that could prove
    /// the client, and whoever has stolen the refresh token would be taken for it: so a
    /// confidential client shows its secret there, however its code was redeemed (RFC 6749 §6).
    pub async fn redeemer(
        &self,
        grant_type: &str,
        state: &AppState,
    ) -> Result<Redeemer, OAuthError> {
        let has_verifier = grant_type == GrantType::AuthorizationCode.as_str()
            && self.parameters.has("code_verifier");
        if has_verifier && state.policy.redemption_proof == RedemptionProof::SecretOrVerifier {
            redeeming_client(&self.sender(), state).await
        } else {
            self.client(state).await.map(Redeemer::from)
        }
    }

    const fn sender(&self) -> Sender<'_> {
        let Self { parameters, headers, dialect, ip } = self;
        Sender { headers, parameters, dialect: *dialect, ip: *ip }
    }

    /// Counts the request of a client, by its address too if it has shown no secret.
    pub fn count(&self, client: &Redeemer, state: &AppState) -> Result<(), OAuthError> {
        if !state.request_limits.is_on() {
            return Ok(());
        }
        let caller = Caller::client(client, self.ip);
        let counted = state.request_limits.take(caller, state.now());
        counted.map(|_| ()).map_err(|allowance| OAuthError::RateLimited(allowance.reset))
    }

    /// A parameter that must be there.
    pub fn required(&self, name: &str) -> Result<&str, InvalidRequest> {
        let missing = || InvalidRequest::new(format!("{name} is missing."));
        self.parameters.text(name)?.ok_or_else(missing)
    }
}

/// A list of names in place of one string is a usual mistake, which Zendesk answers with a token
/// that may do nothing. Where unknown names are accepted this is one of them, and says what it is.
fn take_scope_lists(parameters: &mut Parameters) {
    for name in ["scope", "scopes"] {
        parameters.replace_list(name, NOT_A_STRING);
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
