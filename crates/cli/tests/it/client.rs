//! What is asked of a server. `None` is no answer: the server is gone.

use std::{
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokenry_protocol::secret::Credential;
use ureq::http::{Request, Response};

use crate::browser::Browser;

/// Where the client's codes are sent.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// Longer than any answer takes, so that a server that hangs fails a test and does not stop it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A registered client.
#[derive(Clone)]
pub(crate) struct App {
    /// The id of its record.
    pub(crate) id: u64,
    pub(crate) identifier: String,
    pub(crate) secret: String,
}

/// A caller of one server.
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    /// For how long it asks again whenever it is told to.
    obeys_for: Duration,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) cookies: Vec<String>,
    /// How often it was put off before: each time what was asked for may have been done.
    pub(crate) put_off: usize,
}

/// What a grant gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

impl Answer {
    fn read(mut response: Response<ureq::Body>) -> Option<Self> {
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let (location, retry_after) = (header("location"), header("retry-after"));
        let cookies = response.headers().get_all("set-cookie").iter();
        let cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().ok()?;
        Some(Self { status, text, location, retry_after, cookies, put_off: 0 })
    }

    /// The same, if its status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The tokens of a successful answer.
    #[track_caller]
    pub(crate) fn tokens(self) -> Tokens {
        let answer = self.expect(200).json();
        let token = |name: &str| answer[name].as_str().map(str::to_owned);
        Tokens { access: token("access_token").unwrap(), refresh: token("refresh_token") }
    }
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        Self::obedient(base, Duration::ZERO)
    }

    /// One that asks again, for so long, when it is told to try again later.
    pub(crate) fn obedient(base: &str, obeys_for: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        Self { agent: config.build().into(), base: base.to_owned(), obeys_for }
    }

    pub(crate) fn send(
        &self,
        target: (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let (began, mut put_off) = (Instant::now(), 0);
        loop {
            let answer = self.send_once(target, headers, body)?;
            if answer.status != 503 || began.elapsed() >= self.obeys_for {
                return Some(Answer { put_off, ..answer });
            }
            let after = answer.retry_after.as_deref().and_then(|after| after.parse().ok());
            let after = after.unwrap_or_else(|| panic!("503 without Retry-After: {}", answer.text));
            thread::sleep(Duration::from_secs(after));
            put_off += 1;
        }
    }

    fn send_once(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.agent.run(request.body(body.to_owned()).unwrap()).ok()?;
        // What a proxy says when it has no answer for us either.
        let is_none = matches!(answer.status().as_u16(), 502 | 504);
        if is_none { None } else { Answer::read(answer) }
    }

    fn form(&self, path: &str, app: &App, fields: &[(&str, &str)]) -> Option<Answer> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        form.append_pair("client_id", &app.identifier);
        form.append_pair("client_secret", &app.secret);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(("POST", path), &headers, &form.finish())
    }

    /// A GET as an administrator or another user.
    pub(crate) fn look(&self, user: &Value, path: &str) -> Option<Answer> {
        self.send(("GET", path), &[("authorization", &basic(user))], "")
    }

    /// A GET with nothing but a token.
    pub(crate) fn current(&self, access: &str) -> Option<Answer> {
        let bearer = format!("Bearer {access}");
        self.send(("GET", "/api/v2/oauth/tokens/current.json"), &[("authorization", &bearer)], "")
    }

    /// A client, and `grants` grants of one user: their access and refresh tokens.
    pub(crate) fn prepare(&self, admin: &Value, grants: usize) -> (App, Vec<Tokens>) {
        let app = self.register(admin);
        let mut browser = Browser::signed_in(self, admin);
        let tokens = (0..grants).map(|_| {
            let code = browser.consent(self, &app).unwrap().unwrap();
            self.redeem(&app, &code).unwrap().tokens()
        });
        let tokens = tokens.collect();
        (app, tokens)
    }

    /// A client that may do everything.
    pub(crate) fn register(&self, admin: &Value) -> App {
        self.register_as(admin, "durable")
    }

    /// The same under another name.
    pub(crate) fn register_as(&self, admin: &Value, identifier: &str) -> App {
        let body = json!({"client": {
            "name": "Durable", "identifier": identifier, "redirect_uri": [CALLBACK],
        }});
        let made = self.change(admin, ("POST", "/api/v2/oauth/clients"), &body).unwrap();
        let client = &made.expect(201).json()["client"];
        App {
            id: client["id"].as_u64().unwrap(),
            identifier: identifier.to_owned(),
            secret: client["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// A call of the record API that changes something.
    pub(crate) fn change(
        &self,
        user: &Value,
        target: (&str, &str),
        body: &Value,
    ) -> Option<Answer> {
        let basic = basic(user);
        let headers = [("authorization", basic.as_str()), ("content-type", "application/json")];
        self.send(target, &headers, &body.to_string())
    }

    /// Gives a client another secret; the client with it.
    pub(crate) fn change_secret(&self, admin: &Value, app: &App) -> App {
        let path = format!("/api/v2/oauth/clients/{}/generate_secret", app.id);
        let changed = self.change(admin, ("PUT", &path), &json!({})).unwrap().expect(200).json();
        let secret = changed["client"]["secret"].as_str().unwrap().to_owned();
        App { secret, ..app.clone() }
    }

    pub(crate) fn redeem(&self, app: &App, code: &str) -> Option<Answer> {
        let fields =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.form("/oauth/token", app, &fields)
    }

    pub(crate) fn issue(&self, app: &App) -> Option<Answer> {
        self.form("/oauth/token", app, &[("grant_type", "client_credentials")])
    }

    pub(crate) fn refresh(&self, app: &App, refresh: &str) -> Option<Answer> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        self.form("/oauth/token", app, &fields)
    }

    pub(crate) fn revoke(&self, app: &App, token: &str) -> Option<Answer> {
        self.form("/oauth/revoke", app, &[("token", token)])
    }

    /// Who a user's API token says one is.
    pub(crate) fn me(&self, user: &Value) -> Answer {
        self.look(user, "/api/v2/users/me").unwrap()
    }

    /// An address that asks for nothing.
    pub(crate) fn fetch(&self, path: &str) -> Answer {
        self.send(("GET", path), &[], "").unwrap()
    }

    /// The record of a token, as an administrator sees it.
    pub(crate) fn record(&self, admin: &Value, credential: &str) -> Option<Answer> {
        self.look(admin, &format!("/api/v2/oauth/tokens/{}.json", id(credential)))
    }

    /// `used_at` of the record of a token.
    pub(crate) fn used_at(&self, admin: &Value, access: &str) -> Option<String> {
        let record = self.record(admin, access).unwrap().expect(200).json();
        record["token"]["used_at"].as_str().map(str::to_owned)
    }

    /// The ids of every token that is listed to an administrator, page by page.
    pub(crate) fn list(&self, admin: &Value) -> Vec<u64> {
        let mut path = "/api/v2/oauth/tokens.json?all=true&page[size]=100".to_owned();
        let mut ids = Vec::new();
        loop {
            let page = self.look(admin, &path).unwrap().expect(200).json();
            let tokens = page["tokens"].as_array().unwrap();
            ids.extend(tokens.iter().map(|token| token["id"].as_u64().unwrap()));
            if page["meta"]["has_more"] == false {
                return ids;
            }
            let next = url::Url::parse(page["links"]["next"].as_str().unwrap()).unwrap();
            // Nodes behind a proxy name the proxy, and here one node is asked.
            path = format!("{}?{}", next.path(), next.query().unwrap());
        }
    }

    pub(crate) fn is_alive(&self, access: &str) -> Option<bool> {
        let answer = self.current(access)?;
        match answer.status {
            200 => Some(true),
            401 => Some(false),
            status => panic!("{status}: {}", answer.text),
        }
    }
}

/// The id of the record that a credential names.
pub(crate) fn id(credential: &str) -> u64 {
    Credential::parse(credential).unwrap().parts().id
}

/// A user's API token, as it is presented.
pub(crate) fn basic(user: &Value) -> String {
    let text = |name: &str| user[name].as_str().unwrap();
    let pair = format!("{}/token:{}", text("email"), text("api_token"));
    format!("Basic {}", STANDARD.encode(pair))
}
