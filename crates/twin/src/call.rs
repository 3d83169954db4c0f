//! A call as a twin looks at it before it passes it on: read whole, with what it presents.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::{Body, Bytes};
use http::{Method, Request, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokenry_core::jwt_access_token;
use tokenry_protocol::{
    ids::TokenId,
    oauth::{parameters::Parameters, token::GrantType},
    secret::{Credential, Kind},
};
use tokenry_server::{
    config::Limits,
    extract::authorization_header::{Authorization, authorization},
    listen::Sent,
    respond::ApiError,
};

use crate::faults::{Presented, Seen};

const TOKEN_ENDPOINT: [&str; 2] = ["/oauth/tokens", "/oauth/token"];

/// A call.
pub(crate) struct Call {
    /// Its head.
    pub(crate) parts: Parts,
    /// Its body.
    pub(crate) body: Bytes,
    /// Where it came from.
    pub(crate) peer: SocketAddr,
    /// What a request at the token endpoint says; empty of every other.
    parameters: Parameters,
}

impl Call {
    /// Reads a call. One whose body cannot be read has none, and what is to be answered.
    pub(crate) async fn read<B: Sent>(
        request: Request<B>,
        peer: SocketAddr,
        limits: &Limits,
    ) -> (Self, Option<ApiError>) {
        let (parts, body) = request.into_parts();
        let read = read_body(body, limits.body_max);
        let body = tokio::time::timeout(limits.request_timeout, read).await;
        let (body, unreadable) = match body.unwrap_or(Err(ApiError::Timeout)) {
            Ok(body) => (body, None),
            Err(error) => (Bytes::new(), Some(error)),
        };
        let parameters = parameters(&parts, &body).unwrap_or_default();
        (Self { parts, body, peer, parameters }, unreadable)
    }

    /// As faults see it.
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            method: &self.parts.method,
            path: self.parts.uri.path(),
            grant_type: self.grant_type(),
            presents: match self.presented().map(|credential| credential.parts().kind) {
                Some(Kind::AccessToken) => Presented::AccessToken,
                Some(Kind::RefreshToken) => Presented::RefreshToken,
                _ => Presented::NoToken,
            },
        }
    }

    /// The token that it comes with: a bearer token, or the refresh token of a token request.
    pub(crate) fn presented(&self) -> Option<Credential> {
        let text = match self.grant_type() {
            Some(GrantType::RefreshToken) => self.text("refresh_token"),
            Some(_) => None,
            None => self.bearer(),
        };
        jwt_access_token::named(&text?)
    }

    /// The record of that token, and which of its two tokens it is.
    pub(crate) fn record(&self) -> Option<(TokenId, Kind)> {
        let presented = self.presented()?;
        let parts = presented.parts();
        let is_token = matches!(parts.kind, Kind::AccessToken | Kind::RefreshToken);
        TokenId::new(parts.id).ok().filter(|_| is_token).map(|id| (id, parts.kind))
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.parts.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// Whether it goes to the token endpoint.
    pub(crate) fn is_at_token_endpoint(&self) -> bool {
        TOKEN_ENDPOINT.contains(&self.parts.uri.path())
    }

    /// For the server.
    pub(crate) fn request(&self) -> Request<Body> {
        Request::from_parts(self.parts.clone(), Body::from(self.body.clone()))
    }

    /// What a token request asks for.
    pub(crate) fn grant_type(&self) -> Option<GrantType> {
        GrantType::parse(&self.text("grant_type")?)
    }

    fn bearer(&self) -> Option<String> {
        match authorization(&self.parts.headers) {
            Authorization::Bearer(token) => Some(token.to_owned()),
            _ => form_urlencoded::parse(self.parts.uri.query()?.as_bytes())
                .find(|(name, _)| name == "access_token")
                .map(|(_, token)| token.into_owned()),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.parameters.text(name).ok().flatten().map(str::to_owned)
    }
}

/// What is longer than the server takes is passed on as something else that is longer, and the
/// server says so.
async fn read_body<B: Sent>(body: B, max: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, max + 1).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Ok(Bytes::from(vec![b' '; max + 1])),
        Err(_) => Err(ApiError::BrokenBody),
    }
}

/// `None` of what is no token request, or none that can be read: the server will say so.
fn parameters(parts: &Parts, body: &[u8]) -> Option<Parameters> {
    if parts.method != Method::POST || !TOKEN_ENDPOINT.contains(&parts.uri.path()) {
        return None;
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    let in_query = || Parameters::from_form(parts.uri.query().unwrap_or_default().as_bytes());
    let read = match body {
        [] => in_query(),
        body if is_json => Parameters::from_json(body),
        body => Parameters::from_form(body),
    };
    read.ok()
}

/// Where the twin's own calls come from.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
