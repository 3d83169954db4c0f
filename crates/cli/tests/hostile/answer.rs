//! What an answer must be: its status, and its body by the letters of the error bodies.
//!
//! | written | the body |
//! |---|---|
//! | `A` | `{"error":"Couldn't authenticate you"}` |
//! | `B` | a bearer token that does not hold |
//! | `C` | refused by role |
//! | `D write` | refused by scope, which is named |
//! | `E` | no such record |
//! | `F` | no such path |
//! | `G field Code` | a record that is not right, by field |
//! | `H parameter` | a query parameter that is not right |
//! | `I member` | the wrapper object is missing |
//! | `J Code` | pagination |
//! | `K` | a body that cannot be read |
//! | `L code` | the grant endpoints' errors |
//! | `error Word` | `error` is this word, of the errors without a letter |
//! | `has "text"` | JSON or plain text that holds this |
//! | `page text` | a page that holds this |
//! | `to beginning` | a redirect, and how its address begins |
//! | `allow methods` | `Allow` is this |
//! | `empty` | nothing |
//!
//! Every JSON answer must also be labelled as such, and every answer with a record, a token or an
//! error be kept out of caches.

use serde_json::Value;

use crate::wire::Answer;

/// What an answer must be.
#[derive(Debug)]
pub(crate) struct Expected {
    status: u16,
    body: String,
}

impl Expected {
    /// Reads `status`, and what follows it.
    pub(crate) fn parse(text: &str) -> Self {
        let (status, body) = text.split_once(' ').unwrap_or((text, ""));
        let status = status.parse().unwrap_or_else(|_| panic!("no status: {text}"));
        assert!(status < 500, "a 5xx is never right: {text}");
        Self { status, body: body.to_owned() }
    }

    /// What is wrong with the answer.
    pub(crate) fn differs(&self, answer: &Answer) -> Option<String> {
        let wrong = self.wrong(answer)?;
        Some(format!("{wrong}: expected {} {}, came {answer:?}", self.status, self.body))
    }

    fn wrong(&self, answer: &Answer) -> Option<&'static str> {
        if answer.status != self.status {
            return Some("another status");
        }
        if self.body.is_empty() {
            return None;
        }
        let (kind, rest) = self.body.split_once(' ').unwrap_or((&self.body, ""));
        let is_right = match kind {
            "empty" => answer.body.is_empty(),
            "to" => answer.header("location").is_some_and(|to| to.starts_with(rest)),
            "allow" => answer.header("allow") == Some(rest),
            "has" => answer.body.contains(rest),
            "page" => {
                let kind = answer.header("content-type").unwrap_or_default();
                kind == "text/html; charset=utf-8" && answer.body.contains(rest)
            }
            _ => {
                if answer.header("content-type") != Some("application/json; charset=utf-8") {
                    return Some("not labelled as JSON");
                }
                if answer.header("cache-control") != Some("no-store") {
                    return Some("a cache may keep it");
                }
                serde_json::from_str(&answer.body).is_ok_and(|body| holds(&body, kind, rest))
            }
        };
        (!is_right).then_some("another body")
    }
}

fn holds(body: &Value, kind: &str, rest: &str) -> bool {
    let error = &body["error"];
    let message = error["message"].as_str().unwrap_or_default();
    let description = body["description"].as_str().unwrap_or_default();
    match kind {
        "A" => *body == serde_json::json!({"error": "Couldn't authenticate you"}),
        "B" => error == "invalid_token" && body["error_description"].is_string(),
        "C" => error["title"] == "Forbidden",
        "D" => {
            let text = format!("You are missing the following required scopes: {rest}");
            error == "Forbidden" && description == text
        }
        "E" => error == "RecordNotFound" && description == "Not found",
        "F" => error == "InvalidEndpoint" && description == "Not found",
        "G" => {
            let (field, code) = rest.split_once(' ').expect("G field Code");
            let found = body["details"][field].as_array();
            let found = found.is_some_and(|errors| errors.iter().any(|e| e["error"] == code));
            error == "RecordInvalid" && found
        }
        "H" => error["title"] == "Invalid attribute" && message.contains(&format!(" {rest} ")),
        "I" => error["title"] == "Missing parameter" && message.contains(rest),
        "J" => body["errors"][0]["code"] == rest,
        "K" => {
            *body
                == serde_json::json!({
                    "error": "Unprocessable Entity", "message": "Server could not parse JSON",
                })
        }
        "L" => error == rest && body["error_description"].is_string(),
        "error" => error == rest,
        other => panic!("no such body: {other}"),
    }
}
