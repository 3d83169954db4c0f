//! What the rows of the table may name: a server with a few records, and who may do what with them.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    process::{self, Process},
    wire::{Answer, Wire},
};

/// A server, and the values by their names.
pub(crate) struct Given {
    pub(crate) server: Process,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    pub(crate) values: BTreeMap<&'static str, String>,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

impl Given {
    /// A server with settings in the environment, and the records.
    pub(crate) fn new(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let ada = process::init(folder);
        let server = Process::start_with(folder, settings);
        let host = server.base.trim_start_matches("http://").to_owned();
        let mut given = Self { server, host, values: BTreeMap::new() };
        given.put("host", given.host.clone());
        given.put("base", given.server.base.clone());
        given.put("admin", basic(&ada));
        given.put("email", text(&ada["email"]));
        given.put("password", text(&ada["password"]));
        given.put("api_token", text(&ada["api_token"]));
        let arguments = ["user", "create", "--email", "ben@acme.test", "--json"];
        let made = process::tokenry(folder, &arguments).output().unwrap();
        let ben: Value = serde_json::from_slice(&made.stdout).unwrap();
        given.put("ben", basic(&ben));
        given.clients();
        given.tokens();
        given.browser();
        given
    }

    fn put(&mut self, name: &'static str, value: String) {
        self.values.insert(name, value);
    }

    fn clients(&mut self) {
        for (number, identifier, kind, secret) in [
            ("client_id", "acme_reports", "confidential", Some("secret")),
            ("public_id", "acme_spa", "public", None),
            ("other_id", "other_app", "confidential", Some("other_secret")),
        ] {
            let made = self.admin(
                "POST",
                "/api/v2/oauth/clients",
                &json!({"client": {
                    "name": identifier, "identifier": identifier, "kind": kind,
                    "redirect_uri": ["https://app.acme.test/cb", "http://127.0.0.1/cb"],
                }}),
            );
            self.put(number, made["client"]["id"].to_string());
            if let Some(secret) = secret {
                self.put(secret, text(&made["client"]["secret"]));
            }
        }
    }

    fn tokens(&mut self) {
        for (id, bearer, scope) in [
            ("token_id", "bearer", "read write"),
            ("reader_id", "reader", "read"),
            ("writer_id", "writer", "write"),
            ("useless_id", "useless", "nothing"),
        ] {
            let scopes: Vec<&str> = scope.split(' ').collect();
            let client_id: u64 = self.values["client_id"].parse().unwrap();
            let body = json!({"token": {"client_id": client_id, "scopes": scopes}});
            let made = self.admin("POST", "/api/v2/oauth/tokens", &body);
            self.put(id, made["token"]["id"].to_string());
            self.put(bearer, format!("Bearer {}", text(&made["token"]["full_token"])));
        }
        let page = self.admin("GET", "/api/v2/oauth/tokens?page%5Bsize%5D=2", &Value::Null);
        self.put("cursor", text(&page["meta"]["after_cursor"]));
        let page =
            self.admin("GET", "/api/v2/oauth/tokens?all=true&page%5Bsize%5D=2", &Value::Null);
        self.put("cursor_of_all", text(&page["meta"]["after_cursor"]));
        let page = self.admin("GET", "/api/v2/oauth/clients?page%5Bsize%5D=2", &Value::Null);
        self.put("cursor_of_clients", text(&page["meta"]["after_cursor"]));
    }

    /// A browser that signed in, and one that looks at the sign-in page.
    fn browser(&mut self) {
        let page = self.ask("GET", "/sign-in", &[], "");
        let browser = cookies(&page);
        let token = field(&page.body, "page_token");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("email", &self.values["email"]);
        form.append_pair("password", &self.values["password"]);
        form.append_pair("page_token", &token);
        let headers = [("Cookie", browser.as_str()), ("Content-Type", FORM)];
        let answer = self.ask("POST", "/sign-in", &headers, &form.finish());
        assert_eq!(answer.status, 303, "{answer:?}");
        // The first is the session; the other one tells a known browser from a strange one.
        let session = cookies(&answer).split(';').next().unwrap().to_owned();
        self.put("browser", browser);
        self.put("sign_in_token", token);

        let query = "response_type=code&client_id=acme_reports\
                     &redirect_uri=https%3A%2F%2Fapp.acme.test%2Fcb&prompt=consent";
        let path = format!("/oauth/authorizations/new?{query}");
        let page = self.ask("GET", &path, &[("Cookie", &session)], "");
        self.put("consent_token", field(&page.body, "page_token"));
        self.put("consent_request", field(&page.body, "request"));
        self.put("session", session);
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("Authorization", self.values["admin"].as_str()), ("Content-Type", JSON)];
        let answer = self.ask(method, path, &headers, &body);
        assert!(answer.status < 300, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// A well-formed request on a connection of its own.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = headers.collect();
        let (host, length) = (&self.host, body.len());
        Wire::connect(host).ask(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n\
             {body}"
        ))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn basic(user: &Value) -> String {
    let pair = format!("{}/token:{}", text(&user["email"]), text(&user["api_token"]));
    format!("Basic {}", STANDARD.encode(pair))
}

/// The cookies that an answer sets, as a request sends them.
pub(crate) fn cookies(answer: &Answer) -> String {
    let pairs = answer.headers("set-cookie").map(|cookie| cookie.split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

/// The value of a field of a page's form.
pub(crate) fn field(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\"");
    let input = page.split("<input").find(|input| input.contains(&marker));
    let input = input.unwrap_or_else(|| panic!("no field {name} in\n{page}"));
    let value = input.split_once("value=\"").unwrap().1.split('"').next().unwrap();
    value.replace("&#38;", "&").replace("&amp;", "&")
}
