//! What a user does in a browser: signs in, reads, consents.

use std::{collections::BTreeMap, sync::Arc};

use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use tokenry_protocol::pkce::CodeVerifier;
use url::Url;

use super::{PASSWORD, TestServer};

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1/callback";
pub(crate) const VERIFIER: &str = "of-the-client-0123456789-0123456789-0123456789";

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

impl TestServer {
    /// The administrator lets a client in, and its code comes back.
    pub(crate) async fn consent(&self, identifier: &str, scope: &str) -> String {
        let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", identifier),
            ("redirect_uri", REDIRECT_URI),
            ("scope", scope),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        let mut browser = Browser::new(&self.base);
        let link = format!("/oauth/authorizations/new?{}", query.finish());
        let (_, sign_in) = browser.get(&link).await;
        let (page, _) = browser.get(&sign_in.unwrap()).await;
        let fields = [
            ("email", self.admin.email.clone()),
            ("password", PASSWORD.to_owned()),
            ("page_token", field(&page, "page_token")),
            ("return_to", field(&page, "return_to")),
        ];
        let consent = browser.post("/sign-in", &fields).await;
        let back = match browser.get(&consent).await {
            // Nothing is asked of whom has agreed to as much before.
            (_, Some(back)) => back,
            (page, None) => browser.decide(&page).await,
        };
        let back = Url::parse(&back).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap();
        code.1.into_owned()
    }
}

struct Browser {
    base: Url,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(base: &str) -> Self {
        let http = http().build().unwrap();
        Self { base: Url::parse(base).unwrap(), http, cookies: BTreeMap::new() }
    }

    /// Consents, and tells where that leads to.
    async fn decide(&mut self, page: &str) -> String {
        let fields = [
            ("request", field(page, "request")),
            ("page_token", field(page, "page_token")),
            ("decision", "allow".to_owned()),
        ];
        self.post("/oauth/authorizations", &fields).await
    }

    /// The page, or where it leads to.
    async fn get(&mut self, address: &str) -> (String, Option<String>) {
        self.send(self.http.get(self.base.join(address).unwrap())).await
    }

    /// Sends a form that leads on.
    async fn post(&mut self, path: &str, fields: &[(&str, String)]) -> String {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(self.base.join(path).unwrap());
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let (page, location) = self.send(request).await;
        location.unwrap_or(page)
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (String, Option<String>) {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answer.headers().get(LOCATION);
        let location = location.map(|location| location.to_str().unwrap().to_owned());
        (answer.text().await.unwrap(), location)
    }
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\"");
    let inputs = page.split("<input").skip(1).filter_map(|input| input.split('>').next());
    let input = inputs.into_iter().find(|input| input.contains(&marker));
    let (_, value) = input.unwrap().split_once("value=\"").unwrap();
    let value = value.split('"').next().unwrap();
    let value = value.replace("&#38;", "&").replace("&amp;", "&");
    value.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'")
}
