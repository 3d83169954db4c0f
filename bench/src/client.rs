//! Preparing by the server's own API: requests one by one, on one connection.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokenry_core::client::ClientRole;

use crate::load::Reader;

/// Where users are sent back to. Nobody listens there, and nobody needs to.
const CALLBACK: &str = "https://app.example/callback";

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body<'a> {
    /// Nothing.
    Empty,
    /// A form.
    Form(&'a [(&'a str, &'a str)]),
    /// JSON.
    Json(&'a Value),
}

/// An answer, kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The status.
    pub(crate) status: u16,
    /// In the order they came.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

/// A client application.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// The resource id.
    pub(crate) id: u64,
    /// `client_id` and `client_secret` as `Authorization` has them.
    pub(crate) basic: String,
    identifier: String,
}

/// The bytes of a request.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Body<'_>,
) -> Vec<u8> {
    let (kind, body) = match body {
        Body::Empty => (None, String::new()),
        Body::Form(fields) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            (Some("application/x-www-form-urlencoded"), form.finish())
        }
        Body::Json(value) => (Some("application/json"), value.to_string()),
    };
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    for (name, value) in headers {
        // Writing to a string does not fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if let Some(kind) = kind {
        let _ = write!(text, "content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    }
    text.push_str("\r\n");
    text.push_str(&body);
    text.into_bytes()
}

/// `Authorization: Basic`
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A connection, used for one request after the other.
pub(crate) struct Client {
    stream: TcpStream,
    reader: Reader,
    input: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        Self::on(TcpStream::connect(address)?)
    }

    /// Uses this connection.
    pub(crate) fn on(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, reader: Reader::new(), input: Vec::new() })
    }

    /// Sends bytes that are a request; gives the answer, whatever its status.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<Kept> {
        self.stream.write_all(request)?;
        let mut room = vec![0; 64 << 10];
        loop {
            if let Some((answer, length)) = self.reader.read(&self.input)? {
                let head = String::from_utf8_lossy(answer.head);
                let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
                let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let kept = Kept {
                    status: answer.status,
                    headers: headers.collect(),
                    body: String::from_utf8_lossy(answer.body).into_owned(),
                };
                self.input.drain(..length);
                return Ok(kept);
            }
            let count = self.stream.read(&mut room)?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            self.input.extend(room.iter().take(count));
        }
    }

    /// Sends a request that is answered with this status.
    pub(crate) fn expect(
        &mut self,
        status: u16,
        (method, target): (&str, &str),
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Kept> {
        let kept = self.exchange(&request(method, target, headers, body))?;
        if kept.status != status {
            bail!("{method} {target} is answered {}, not {status}: {}", kept.status, kept.body);
        }
        Ok(kept)
    }

    /// Registers a confidential client.
    pub(crate) fn register(&mut self, admin: &str, name: &str, role: ClientRole) -> Result<App> {
        let body = json!({"client": {
            "name": name, "identifier": name, "kind": "confidential",
            "redirect_uri": [CALLBACK], "resource_server": role == ClientRole::ResourceServer,
        }});
        let headers = [("authorization", admin)];
        let made =
            self.expect(201, ("POST", "/api/v2/oauth/clients.json"), &headers, Body::Json(&body))?;
        let made = made.json()?;
        let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str);
        let secret = text("/client/secret").context("no secret")?;
        let id = made.pointer("/client/id").and_then(Value::as_u64).context("no id")?;
        Ok(App { id, basic: basic(name, secret), identifier: name.to_owned() })
    }

    /// Signs in and comes to the consent page.
    pub(crate) fn sign_in(
        &mut self,
        (email, password): (&str, &str),
        app: &App,
    ) -> Result<ConsentForm> {
        let mut cookies = Vec::new();
        let page = self.expect(200, ("GET", "/sign-in"), &[], Body::Empty)?;
        page.keep_cookies(&mut cookies);
        let token = hidden_field(&page.body, "page_token")?;
        let cookie = cookies.join("; ");
        let form = [("email", email), ("password", password), ("page_token", &token)];
        let headers = [("cookie", cookie.as_str())];
        let inside = self.expect(303, ("POST", "/sign-in"), &headers, Body::Form(&form))?;
        inside.keep_cookies(&mut cookies);
        let cookie = cookies.join("; ");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &app.identifier),
            ("redirect_uri", CALLBACK),
            ("scope", "read write"),
            ("prompt", "consent"),
        ]);
        let target = format!("/oauth/authorizations/new?{}", query.finish());
        let headers = [("cookie", cookie.as_str())];
        let page = self.expect(200, ("GET", &target), &headers, Body::Empty)?;
        Ok(ConsentForm {
            request: hidden_field(&page.body, "request")?,
            page_token: hidden_field(&page.body, "page_token")?,
            cookie,
        })
    }
}

/// A consent page, filled in. Sending it again is consenting again.
pub(crate) struct ConsentForm {
    request: String,
    page_token: String,
    cookie: String,
}

impl ConsentForm {
    /// The request that allows.
    pub(crate) fn allow(&self) -> Vec<u8> {
        let form = [
            ("request", self.request.as_str()),
            ("page_token", self.page_token.as_str()),
            ("decision", "allow"),
        ];
        let headers = [("cookie", self.cookie.as_str())];
        request("POST", "/oauth/authorizations", &headers, Body::Form(&form))
    }
}

/// The request that asks about the token which it carries.
pub(crate) fn current(token: &str) -> Vec<u8> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    request("GET", "/api/v2/oauth/tokens/current.json", &headers, Body::Empty)
}

/// The request that redeems a code.
pub(crate) fn redeem(app: &App, code: &str) -> Vec<u8> {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    request("POST", "/oauth/token", &[("authorization", &app.basic)], Body::Form(&form))
}

/// The code in the address that a user is sent back to.
pub(crate) fn code_in(location: &str) -> Result<String> {
    let (_, query) = location.split_once('?').context("no query")?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let code = pairs.find(|(name, _)| name == "code").context("no code")?;
    Ok(code.1.into_owned())
}

impl Kept {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {}", self.body))
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    fn keep_cookies(&self, cookies: &mut Vec<String>) {
        for (name, value) in &self.headers {
            let pair = value.split(';').next().unwrap_or_default();
            if name.eq_ignore_ascii_case("set-cookie") {
                let name = pair.split('=').next().unwrap_or_default();
                cookies.retain(|known| known.split('=').next() != Some(name));
                cookies.push(pair.to_owned());
            }
        }
    }
}

/// The value of a hidden field of a page.
fn hidden_field(page: &str, name: &str) -> Result<String> {
    let marker = format!("name=\"{name}\"");
    let mut inputs = page.split("<input").map(|input| input.split('>').next().unwrap_or_default());
    let input = inputs.find(|input| input.contains(&marker));
    let value = input.and_then(|input| input.split_once("value=\""));
    let value = value.and_then(|(_, value)| value.split('"').next());
    let value = value.with_context(|| format!("the page has no field {name}"))?;
    Ok(value.replace("&#38;", "&").replace("&amp;", "&"))
}
