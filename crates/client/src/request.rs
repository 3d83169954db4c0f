//! Requests before they have a server and credentials.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use serde::Serialize;

use crate::{Error, Server};

/// An answer as it came.
pub type Response = http::Response<Bytes>;

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// Whatever became of it: asking twice comes to the same.
    Always,
    /// Only when the server cannot have begun with it: it would make a second record, or spend
    /// what can be used once.
    IfUntaken,
}

/// How a request says who asks.
#[derive(Clone)]
pub(crate) enum Authentication {
    /// With the credentials of the client.
    Caller,
    /// With credentials of its own, in this header.
    Own(HeaderValue),
    /// Not by a header.
    None,
}

#[derive(Clone)]
pub(crate) enum Body {
    None,
    Json(Bytes),
    Form(Bytes),
}

/// What an operation asks for.
#[derive(Clone)]
pub struct Outline {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    pub(crate) authentication: Authentication,
    pub(crate) repeat: Repeat,
    /// The one server that this may be sent to; any, if it says nothing.
    pub(crate) only_at: Option<Server>,
}

const AGENT: &str = concat!("tokenry-client/", env!("CARGO_PKG_VERSION"));

impl Outline {
    /// A request of the record API that asks and changes nothing.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: Body::None,
            authentication: Authentication::Caller,
            repeat: Repeat::Always,
            only_at: None,
        }
    }

    /// A request that ends a record.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// A request that makes a record: asked twice, it makes two.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self { method: Method::POST, repeat: Repeat::IfUntaken, ..Self::get(path) }
    }

    /// A request that changes a record.
    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self { method: Method::PUT, ..Self::get(path) }
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| Error::Request(format!("the body: {error}")))?;
        self.body = Body::Json(body.into());
        Ok(self)
    }

    /// With a form body.
    pub(crate) fn form(mut self, pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.body = Body::Form(form.finish().into());
        self
    }

    /// The request for this server, with this `Authorization` where the caller's belongs.
    pub(crate) fn to_http(
        &self,
        server: &Server,
        authorization: Option<&HeaderValue>,
        headers: &HeaderMap,
    ) -> Result<http::Request<Bytes>, Error> {
        if let Some(own) = self.only_at.as_ref().filter(|own| *own != server) {
            let text = format!("this was begun at {own} and is not sent to {server}");
            return Err(Error::Request(text));
        }
        let mut address = format!("{server}{}", self.path);
        if !self.query.is_empty() {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&self.query);
            address.push('?');
            address.push_str(&query.finish());
        }
        let (body, kind) = match &self.body {
            Body::None => (Bytes::new(), None),
            Body::Json(body) => (body.clone(), Some("application/json")),
            Body::Form(body) => (body.clone(), Some("application/x-www-form-urlencoded")),
        };
        let request = http::Request::builder().method(&self.method).uri(address).body(body);
        let mut request = request.map_err(|error| Error::Request(error.to_string()))?;
        let sent = request.headers_mut();
        sent.insert(ACCEPT, HeaderValue::from_static("application/json"));
        sent.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(kind) = kind {
            sent.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        // What a caller adds goes over what we would send, but never over who asks.
        sent.extend(headers.clone());
        sent.remove(AUTHORIZATION);
        let own = match &self.authentication {
            Authentication::Caller => authorization,
            Authentication::Own(value) => Some(value),
            Authentication::None => None,
        };
        if let Some(value) = own {
            let mut value = value.clone();
            value.set_sensitive(true);
            sent.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}
