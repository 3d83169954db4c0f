//! `tokenry twin`, as a program starts it, and the control that it is turned by.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

/// A running twin; it ends with the value.
pub(crate) struct Twin {
    process: Child,
    /// What it printed when it was ready: its address and the account's credentials.
    details: Value,
}

/// A call that the harness makes itself, by no client's means.
pub(crate) enum Credential<'a> {
    Bearer(&'a str),
    Refresh(&'a str),
}

impl Twin {
    pub(crate) fn start(rotation: &str) -> Self {
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../acceptance/account.toml");
        Self::start_with(&["--rotation", rotation, "--seed", seed.to_str().unwrap()])
    }

    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tokenry"))
            .args(["twin", "--port", "0", "--json", "--stop-with-stdin"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let details = serde_json::from_str(&line).unwrap();
        Self { process, details }
    }

    pub(crate) fn base(&self) -> &str {
        self.details["base_url"].as_str().unwrap()
    }

    /// The environment that it prints for clients.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.details["variables"].as_array().unwrap().iter();
        variables.map(|it| (it["name"].as_str().unwrap(), it["value"].as_str().unwrap()))
    }

    /// Everything as at the start, in this profile, and a pair of tokens that was just refreshed:
    /// what a client is given to connect with.
    pub(crate) fn reset(&self, profile: &str) -> Value {
        self.control("/twin/reset", &json!({ "profile": profile }));
        let credentials = &self.details["credentials"];
        let refresh = credentials["refresh"]["refresh_token"].as_str().unwrap();
        let pair = self.refresh(refresh);
        let (access, refresh) = (&pair["access_token"], &pair["refresh_token"]);
        let sign_in = &credentials["sign_ins"][0];
        json!({
            "email": credentials["email"],
            "password": sign_in["password"],
            "api_token": credentials["api_token"],
            "access_token": access,
            "refresh_token": refresh,
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
            // As `acceptance/account.toml` has them.
            "client": 41,
            "user": 29,
            "tokens": 4,
        })
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.control("/twin/clock", &json!({ "advance": seconds }));
    }

    pub(crate) fn put_in_force(&self, rule: &str) {
        self.control("/twin/faults", &json!({ "text": rule }));
    }

    /// Takes back the fault in force; how often it has struck.
    pub(crate) fn end_faults(&self) -> u64 {
        let struck = self.ask("/twin/faults")["faults"][0]["struck"].as_u64().unwrap();
        ureq::delete(format!("{}/twin/faults", self.base())).call().unwrap();
        struck
    }

    /// How many calls there have been.
    pub(crate) fn calls(&self) -> u64 {
        self.ask("/twin/journal.json")["last"].as_u64().unwrap()
    }

    /// Whether a credential is good. A refresh token is spent by this.
    pub(crate) fn takes(&self, credential: &Credential<'_>) -> bool {
        match credential {
            Credential::Bearer(token) => {
                let request = ureq::get(format!("{}/api/v2/users/me.json", self.base()));
                let request = request.config().http_status_as_error(false).build();
                let answer = request.header("Authorization", format!("Bearer {token}")).call();
                // Nobody is answered 200 here as well, as a user without a name.
                told(answer.unwrap())["user"]["id"].is_u64()
            }
            Credential::Refresh(token) => self.refresh(token)["access_token"].is_string(),
        }
    }

    fn refresh(&self, refresh_token: &str) -> Value {
        let credentials = &self.details["credentials"];
        let body = json!({
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
        });
        self.post("/oauth/tokens", &body).1
    }

    fn ask(&self, path: &str) -> Value {
        told(ureq::get(format!("{}{path}", self.base())).call().unwrap())
    }

    fn control(&self, path: &str, body: &Value) {
        let (status, told) = self.post(path, body);
        assert!((200..300).contains(&status), "{path} {body}: {status} {told}");
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = ureq::post(format!("{}{path}", self.base()));
        let request = request.config().http_status_as_error(false).build();
        let request = request.header("Content-Type", "application/json");
        let answer = request.send(body.to_string()).unwrap();
        (answer.status().as_u16(), told(answer))
    }
}

/// Null where it is no JSON.
fn told(mut answer: ureq::http::Response<ureq::Body>) -> Value {
    let text = answer.body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}

impl Drop for Twin {
    fn drop(&mut self) {
        // Both fail when it has ended already, and then there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
