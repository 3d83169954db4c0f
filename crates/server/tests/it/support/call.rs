//! A request, written as a sentence, and what came back.

use std::{
    future::{Future, IntoFuture},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
};

use axum::body::{Body, Bytes};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{TestApp, TestClient, TestUser};

/// A request that is sent when it is awaited.
#[must_use]
pub struct Call<'a> {
    app: &'a TestApp,
    request: Request<Body>,
    peer: SocketAddr,
}

/// Where requests come from unless they say otherwise.
pub const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000);

/// `Basic …` of a user and a password.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

impl<'a> Call<'a> {
    pub(super) fn new(app: &'a TestApp, method: &str, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = path.parse().unwrap();
        Self { app, request, peer: PEER }
    }

    /// Comes from another address.
    pub fn at_peer(mut self, peer: &str) -> Self {
        self.peer = peer.parse().unwrap();
        self
    }

    /// Adds a header; one of that name may be there already.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.request.headers_mut().append(name, value);
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn basic(self, user: &str, password: &str) -> Self {
        let value = basic(user, password);
        self.header("authorization", &value)
    }

    /// With the user's API token.
    pub fn by(self, user: &TestUser) -> Self {
        self.basic(&format!("{}/token", user.email), &user.api_token)
    }

    /// With the client's secret in the header.
    pub fn by_client(self, client: &TestClient) -> Self {
        self.basic(&client.identifier, client.secret())
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Any body with its type.
    pub fn body(self, content_type: &str, body: impl Into<Body>) -> Self {
        self.header("content-type", content_type).raw(body)
    }

    /// A body without a type.
    pub fn raw(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (parts, body) = self.app.respond(self.request, self.peer).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {} {:?}", self.status, self.text()),
        }
    }

    /// A header's only value.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is there twice");
        Some(value.to_str().unwrap())
    }

    #[track_caller]
    pub fn location(&self) -> &str {
        self.header(header::LOCATION.as_str()).expect("a redirect")
    }

    /// The value of `error` in an error body.
    #[track_caller]
    pub fn error(&self) -> String {
        self.json()["error"].as_str().expect("an error").to_owned()
    }

    /// Status and error, for tables: `400 invalid_grant`.
    #[track_caller]
    pub fn refusal(&self) -> String {
        format!("{} {}", self.status, self.error())
    }

    /// Fails unless the answer has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {:?}", self.headers, self.text());
        self
    }

    /// The status and the body, for snapshots.
    pub fn snapshot(&self) -> String {
        format!("{} {}", self.status, self.text())
    }
}
