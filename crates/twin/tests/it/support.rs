//! A twin and a client that knows nothing of it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokenry_twin::{Options, Twin, account::AccountToken};
use ureq::{
    Agent,
    http::{Request, Response},
};

/// A client like any other: it does not repeat what failed, and follows nobody.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent()
}

/// `Authorization` of a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// What a call came to: a status and a body, or what went wrong on the way.
pub(crate) type Outcome = Result<(u16, Value), String>;

/// A twin in memory and whoever talks to it. Calls block, so they are made off the runtime.
pub(crate) struct Played {
    pub(crate) twin: Twin,
}

impl Played {
    pub(crate) async fn new() -> Self {
        Self { twin: Twin::start().await.unwrap() }
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self { twin: Twin::start_with(options).await.unwrap() }
    }

    /// Calls with a header or two.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Outcome {
        let request = request(method, &format!("{}{path}", self.twin.base_url()), headers, &body);
        tokio::task::spawn_blocking(move || read(agent().run(request))).await.unwrap()
    }

    /// Turns the twin; it must do as it is told.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, &[], body).await.unwrap();
        assert!((200..300).contains(&status), "{status} {answer}");
        answer
    }

    /// The look of a token at itself.
    pub(crate) async fn verify(&self, access_token: &str) -> u16 {
        let bearer = format!("Bearer {access_token}");
        let path = "/api/v2/oauth/tokens/current.json";
        let (status, _) =
            self.call("GET", path, &[("authorization", &bearer)], Value::Null).await.unwrap();
        status
    }

    /// Refreshes as the client of a seeded token would.
    pub(crate) async fn refresh(&self, refresh_token: &str, headers: &[(&str, &str)]) -> Outcome {
        let body = json!({
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": "acme_mobile",
        });
        self.call("POST", "/oauth/tokens", headers, body).await
    }

    /// A seeded token of the public client that has not expired: Cleo's.
    pub(crate) fn seeded(&self) -> AccountToken {
        let tokens = self.twin.account().tokens;
        tokens.into_iter().find(|token| token.id.get() == 1_004).unwrap()
    }
}

/// A request with JSON, or with nothing.
pub(crate) fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Request<String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_null() {
        return request.body(String::new()).unwrap();
    }
    request.header("content-type", "application/json").body(body.to_string()).unwrap()
}

pub(crate) fn read(answered: Result<Response<ureq::Body>, ureq::Error>) -> Outcome {
    let mut response = answered.map_err(|error| error.to_string())?;
    let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok((response.status().as_u16(), value))
}
