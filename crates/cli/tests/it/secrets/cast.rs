//! Every kind of secret, each made by the real binary.

use std::{io::Write as _, path::Path, process::Stdio};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokenry_server::{
    config::{BaseUrl, Config, Mode, Override},
    environment::Environment,
    node::Node,
};

use super::{
    search::{Searcher, Secret},
    server::{Server, root_key},
    wire::{self, Request},
};
use crate::process;

pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";
const PASSWORD: &str = "correct-horse-Battery \"staple\" <&> 100% \\ ä+=/";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk~.1";

/// Who and what there is, and what of it is secret.
pub(crate) struct Cast {
    pub(crate) secrets: Vec<Secret>,
    pub(crate) root_key: String,
    admin: Value,
    client_secret: String,
    cookies: Vec<(String, String)>,
}

impl Cast {
    /// What there is before a server runs: the administrator, a user who chose a password, and the
    /// server's own keys.
    pub(crate) fn init(folder: &Path) -> Self {
        let admin = process::init(folder);
        let arguments =
            ["user", "create", "--email", "ben@acme.test", "--password-stdin", "--json"];
        let mut create = process::tokenry(folder, &arguments);
        let mut create = create.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        create.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        let ben = create.wait_with_output().unwrap().stdout;
        let ben: Value = serde_json::from_slice(&ben).unwrap();
        let root_key = root_key(folder);
        let mut secrets = vec![
            Secret::of_text("a generated password", text(&admin, "password")),
            Secret::of_text("an API token", text(&admin, "api_token")),
            Secret::of_text("a chosen password", PASSWORD),
            Secret::of_text("a user's API token", text(&ben, "api_token")),
            Secret::of_text("a PKCE verifier", VERIFIER),
        ];
        let bytes = URL_SAFE_NO_PAD.decode(root_key.trim_end_matches('=')).unwrap();
        secrets.push(Secret::of_bytes("the root key", &bytes, Some(root_key.clone())));
        secrets.extend(own_keys(folder));
        Self { secrets, root_key, admin, client_secret: String::new(), cookies: Vec::new() }
    }

    /// What comes of a registration, a sign-in, a consent and the grants.
    pub(crate) fn make_tokens(&mut self, server: &Server) {
        let body = format!(
            r#"{{"client":{{"name":"App","identifier":"app","redirect_uri":["{CALLBACK}"]}}}}"#
        );
        let made =
            Self::ask(server, &self.by_admin(wire::json("POST", "/api/v2/oauth/clients", &body)));
        let client_id = made["client"]["id"].to_string();
        let client_secret = text(&made["client"], "secret");
        self.add("a client secret", client_secret);
        client_secret.clone_into(&mut self.client_secret);

        self.sign_in(server);
        let unused = self.consent(server);
        let code = self.consent(server);
        self.add("an authorization code", &unused);
        self.add("a redeemed code", &code);
        let fields =
            [("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        let first = Self::ask(server, &self.grant("authorization_code", &fields));
        let spent = text(&first, "refresh_token");
        let next = Self::ask(server, &self.grant("refresh_token", &[("refresh_token", spent)]));
        let own = Self::ask(server, &self.client_credentials());
        for (name, answer, member) in [
            ("a replaced access token", &first, "access_token"),
            ("a replaced refresh token", &first, "refresh_token"),
            ("an access token", &next, "access_token"),
            ("a refresh token", &next, "refresh_token"),
            ("a client's own access token", &own, "access_token"),
        ] {
            self.add(name, text(answer, member));
        }
        let body = format!(r#"{{"token":{{"client_id":{client_id},"scopes":["read"]}}}}"#);
        let made =
            Self::ask(server, &self.by_admin(wire::json("POST", "/api/v2/oauth/tokens", &body)));
        self.add("a token of the record API", text(&made["token"], "full_token"));
    }

    pub(crate) fn searcher(&self) -> Searcher {
        Searcher::new(&self.secrets)
    }

    /// With an administrator's API token.
    pub(crate) fn by_admin(&self, request: Request) -> Request {
        let (email, token) = (text(&self.admin, "email"), text(&self.admin, "api_token"));
        request.header("authorization", &basic(&format!("{email}/token"), token))
    }

    /// With the cookies of the browser that is signed in.
    pub(crate) fn by_browser(&self, request: Request) -> Request {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header("cookie", &pairs.join("; "))
    }

    pub(crate) fn client_credentials(&self) -> Request {
        self.grant("client_credentials", &[])
    }

    /// A token request of the client's.
    pub(crate) fn grant(&self, grant_type: &str, fields: &[(&str, &str)]) -> Request {
        let own = [
            ("grant_type", grant_type),
            ("client_id", "app"),
            ("client_secret", &self.client_secret),
        ];
        wire::form("/oauth/token", &[&own[..], fields].concat())
    }

    /// The authorization request of the client's, without a part that `fields` give.
    pub(crate) fn authorization(fields: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let all = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ];
        let rest = all.into_iter().filter(|(name, _)| !fields.iter().any(|given| given.0 == *name));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(rest.chain(fields.iter().copied()));
        format!("/oauth/authorizations/new?{}", query.finish())
    }

    fn add(&mut self, name: &'static str, secret: &str) {
        self.secrets.push(Secret::of_text(name, secret));
    }

    fn ask(server: &Server, request: &Request) -> Value {
        let answer = server.send(request);
        let body = wire::body(&answer);
        assert!((200..300).contains(&wire::status(&answer)), "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn sign_in(&mut self, server: &Server) {
        let page = self.visit(server, wire::request("GET", "/sign-in"));
        let token = field(&page, "page_token");
        self.add("the page token of a sign-in", &token);
        let fields =
            [("email", "ben@acme.test"), ("password", PASSWORD), ("page_token", token.as_str())];
        let answer = self.visit(server, wire::form("/sign-in", &fields));
        assert_eq!(wire::status(&answer), 303, "{}", wire::body(&answer));
        let cookie = |name: &str| {
            let found = self.cookies.iter().find(|(known, _)| known == name);
            found.unwrap_or_else(|| panic!("{name} is not set")).1.clone()
        };
        let (session, known) = (cookie("tokenry_session"), cookie("tokenry_known"));
        self.add("a session cookie", &session);
        self.add("the cookie of a known browser", &known);
    }

    fn consent(&mut self, server: &Server) -> String {
        let page = self.visit(server, wire::request("GET", &Self::authorization(&[])));
        let (request, token) = (field(&page, "request"), field(&page, "page_token"));
        self.add("the page token of a consent", &token);
        let fields =
            [("request", request.as_str()), ("page_token", token.as_str()), ("decision", "allow")];
        let answer = self.visit(server, wire::form("/oauth/authorizations", &fields));
        let location = wire::headers(&answer, "location").concat();
        let back = url::Url::parse(&location).unwrap();
        back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    fn visit(&mut self, server: &Server, request: Request) -> Vec<u8> {
        let answer = server.send(&self.by_browser(request));
        for cookie in wire::headers(&answer, "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }
}

/// The keys that the root key seals in the database.
fn own_keys(folder: &Path) -> Vec<Secret> {
    let data = Override {
        key: "data".to_owned(),
        value: folder.join("data").to_str().unwrap().to_owned(),
        flag: "--data".to_owned(),
    };
    let config = Config::load(Mode::Serve, None, std::iter::empty(), &[data]).unwrap().config;
    let base = BaseUrl::at(config.listen).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let node = Node::open(config, base, Environment::system()).await.unwrap();
        let keys = node.state.keys();
        node.close().await;
        let cursor = keys.cursor.iter().map(|key| ("a cursor key", key));
        let all = cursor.chain(keys.page.iter().map(|key| ("a page key", key)));
        all.map(|(name, key)| Secret::of_bytes(name, key.expose(), None)).collect()
    })
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// The value of a field of the form on a page.
fn field(answer: &[u8], name: &str) -> String {
    let page = wire::body(answer);
    let marker = format!("name=\"{name}\"");
    let mut inputs = page.split("<input").map(|input| input.split('>').next().unwrap());
    let input = inputs.find(|input| input.contains(&marker));
    let input = input.unwrap_or_else(|| panic!("no field {name} in\n{page}"));
    let value = input.split_once("value=\"").unwrap().1.split('"').next().unwrap();
    value.replace("&#38;", "&").replace("&amp;", "&")
}
