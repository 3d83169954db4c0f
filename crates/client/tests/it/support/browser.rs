//! What a user does in a browser: sign in, read, consent, come back.

use std::{collections::BTreeMap, sync::Arc};

use tokenry_client::{
    AuthorizationCode, CheckedCallback, Client, Response, TransportError, TransportErrorKind,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{PASSWORD, TestServer};

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// `reqwest` with nothing around it: no redirects, no proxy, no certificates.
pub(crate) fn http() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Sends a request by it, as a transport does.
pub(crate) async fn fetch(
    client: &reqwest::Client,
    request: http::Request<bytes::Bytes>,
) -> Result<Response, TransportError> {
    let failed = |error: reqwest::Error| {
        let is_unsent = error.is_connect();
        let kind = if is_unsent { TransportErrorKind::Connect } else { TransportErrorKind::Lost };
        TransportError::with_source(kind, error)
    };
    let answer = client.execute(request.try_into().unwrap()).await.map_err(failed)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(answer.bytes().await.map_err(failed)?);
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

impl TestServer {
    /// The administrator lets a client in, and its callback comes back.
    pub(crate) async fn consent(
        &self,
        by: &Client,
        client_id: &str,
        scope: &str,
    ) -> CheckedCallback {
        let request =
            AuthorizationCode::new(client_id, REDIRECT_URI).scope(scope).issuer(&self.base);
        let pending = request.begin(by).unwrap();
        // The browser does not go through what stands between client and server.
        let url = pending.url().replacen(by.server().as_str(), &self.base, 1);
        let back = Browser::default().consent(self, &url, "allow").await;
        pending.check(&back).unwrap()
    }
}

/// A browser with its cookies, which shows what it is answered and follows nothing by itself.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

/// What a browser is answered.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// Goes to the authorization endpoint as the administrator, and answers the consent page; gives
    /// the address that the user is sent back to.
    pub(crate) async fn consent(
        &mut self,
        server: &TestServer,
        url: &str,
        decision: &str,
    ) -> String {
        let mut page = self.get(url).await;
        while let Some(location) = page.location.take() {
            let here = format!("{}/", server.base);
            let is_here = location.starts_with('/') || location.starts_with(&here);
            if !is_here {
                // Who has consented is not asked again.
                return location;
            }
            page = self.get(&absolute(server, &location)).await;
            if page.text.contains("name=\"password\"") {
                let form = [
                    ("email", server.admin.email.clone()),
                    ("password", PASSWORD.to_owned()),
                    ("page_token", page.field("page_token")),
                    ("return_to", page.field("return_to")),
                ];
                page = self.post(&absolute(server, "/sign-in"), &form).await;
            }
        }
        assert_eq!(page.status, 200, "{}", page.text);
        let form = [
            ("request", page.field("request")),
            ("page_token", page.field("page_token")),
            ("decision", decision.to_owned()),
        ];
        let back = self.post(&absolute(server, "/oauth/authorizations"), &form).await;
        back.location.unwrap()
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send("GET", url, "").await
    }

    async fn post(&mut self, url: &str, form: &[(&str, String)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.iter().map(|(name, value)| (*name, value)))
            .finish();
        self.send("POST", url, &body).await
    }

    async fn send(&mut self, method: &str, url: &str, body: &str) -> Page {
        let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} /{path} HTTP/1.1\r\nHost: {authority}\r\nCookie: {}\r\n\
             Origin: http://{authority}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            cookies.join("; "),
            body.len()
        );
        let page = Page::of(&exchange(authority, &request).await);
        self.cookies.extend(page.cookies.iter().cloned());
        page
    }
}

/// Sends bytes, and reads what comes until the connection is closed.
pub(crate) async fn exchange(authority: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

impl Page {
    pub(crate) fn of(answer: &str) -> Self {
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
        let values = |name: &'static str| {
            let found = headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| (*value).to_owned())
        };
        let cookies = values("set-cookie").map(|cookie| {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let location = values("location").next();
        Self { status, location, text: text.to_owned(), cookies: cookies.collect() }
    }

    /// The value of a hidden field.
    fn field(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\"");
        let inputs = self.text.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
        let input = inputs.into_iter().find(|input| input.contains(&marker)).unwrap();
        let value = input.split_once("value=\"").unwrap().1.split('"').next().unwrap();
        let value = value.replace("&#38;", "&").replace("&amp;", "&").replace("&#34;", "\"");
        value.replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">")
    }
}

fn absolute(server: &TestServer, path: &str) -> String {
    if path.starts_with('/') { format!("{}{path}", server.base) } else { path.to_owned() }
}
