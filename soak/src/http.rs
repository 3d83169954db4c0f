//! Requests of clients, and what comes back.

use anyhow::{Context as _, Result};
use axum::body::{Body, Bytes};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Method, Request, Uri, header};
use serde_json::Value;
use tokenry_protocol::secret::Credential;

use crate::cast::RegisteredClient;

/// An answer of the server.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All of it.
    pub body: Bytes,
}

/// Both tokens of a rotation, in full.
#[derive(Clone)]
pub struct Pair {
    /// The access token.
    pub access: Credential,
    /// The refresh token.
    pub refresh: Credential,
}

impl Pair {
    /// The rotation that gave it.
    pub const fn rotation(&self) -> u32 {
        self.refresh.parts().rotation
    }

    /// Whether these are the same tokens, to the last character.
    pub fn is_same(&self, other: &Self) -> bool {
        self.access.reveal() == other.access.reveal()
            && self.refresh.reveal() == other.refresh.reveal()
    }
}

impl Answer {
    fn member(&self, name: &str) -> Option<Value> {
        let mut body: Value = serde_json::from_slice(&self.body).ok()?;
        body.get_mut(name).map(Value::take)
    }

    /// The tokens of a success of either door.
    pub fn pair(&self) -> Option<Pair> {
        if !matches!(self.status, 200 | 201) {
            return None;
        }
        let token = |name| {
            let text = self.member(name)?;
            Credential::parse(text.as_str()?).ok()
        };
        Some(Pair { access: token("access_token")?, refresh: token("refresh_token")? })
    }

    /// Whether it says that the store is away for a moment and the client is to try again.
    pub const fn is_unavailable(&self) -> bool {
        self.status == 503
    }

    /// Whether it is the answer to a grant that does not hold.
    pub fn is_invalid_grant(&self) -> bool {
        self.status == 400 && self.member("error").is_some_and(|error| error == "invalid_grant")
    }

    /// What introspection says.
    pub fn is_active(&self) -> Option<bool> {
        self.member("active")?.as_bool().filter(|_| self.status == 200)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// Asks the record API for the token itself, which is a use of it.
pub fn current(access: &Credential) -> Result<Request<Body>> {
    let mut request = request(Method::GET, "/api/v2/oauth/tokens/current.json", Body::empty());
    let value = HeaderValue::from_str(&format!("Bearer {}", access.reveal()))?;
    request.headers_mut().insert(header::AUTHORIZATION, value);
    Ok(request)
}

impl RegisteredClient {
    /// Redeems a code.
    pub fn redeem(&self, code: &Credential) -> Result<Request<Body>> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", Self::REDIRECT_URI),
            ("code_verifier", Self::VERIFIER),
        ];
        self.form(self.door(), &fields)
    }

    /// Refreshes.
    pub fn refresh(&self, refresh: &Credential) -> Result<Request<Body>> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.reveal())];
        self.form(self.door(), &fields)
    }

    /// Gives a token up.
    pub fn revoke(&self, token: &Credential) -> Result<Request<Body>> {
        self.form("/oauth/revoke", &[("token", token.reveal())])
    }

    /// Looks at a token without using it; for confidential clients.
    pub fn introspect(&self, token: &Credential) -> Result<Request<Body>> {
        self.form("/oauth/introspect", &[("token", token.reveal())])
    }

    fn form(&self, path: &'static str, fields: &[(&str, &str)]) -> Result<Request<Body>> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        if self.secret.is_none() {
            body.append_pair("client_id", &self.identifier);
        }
        let mut request = request(Method::POST, path, Body::from(body.finish()));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        if let Some(secret) = &self.secret {
            let both = BASE64_STANDARD.encode(format!("{}:{secret}", self.identifier));
            let value = HeaderValue::from_str(&format!("Basic {both}")).context("a secret")?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }
}

fn request(method: Method, path: &'static str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_static(path);
    request
}
