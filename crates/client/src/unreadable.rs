//! Answers that are not what was asked for.

use std::{error::Error as StdError, fmt};

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::request::Response;

/// An answer that could not be read: another type, not JSON, or a status that the operation does
/// not have. Nothing of it is lost, and nothing of its body is repeated in messages, for it may
/// hold credentials.
#[derive(Clone)]
pub struct Unreadable {
    response: Response,
    what: String,
}

impl Unreadable {
    pub(crate) fn status(response: &Response) -> Self {
        let what = format!("the status {} was not expected", response.status().as_u16());
        Self { response: response.clone(), what }
    }

    /// A body without a field that everything rests on. The body itself, which may hold what is
    /// worth as much, is not kept.
    #[cfg(feature = "client")]
    pub(crate) fn missing(field: &str, status: StatusCode, headers: HeaderMap) -> Self {
        let mut response = Response::default();
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Self { response, what: format!("{field} is missing") }
    }

    /// A body that is not a `T`.
    pub(crate) fn typed<T: DeserializeOwned>(
        response: &Response,
        error: &serde_json::Error,
    ) -> Self {
        let what = match serde_json::from_slice::<Value>(response.body()) {
            Err(_) => "the body is not JSON".to_owned(),
            Ok(body) => {
                let place = culprit::<T>(&body);
                let (path, found) = place.unwrap_or_else(|| (String::new(), kind(&body)));
                let path = if path.is_empty() { "the body".to_owned() } else { path };
                format!("{path} is {found}, expected {}", expected(error))
            }
        };
        Self { response: response.clone(), what }
    }

    /// What is wrong with it, by field and without its value.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The status.
    pub fn status_code(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The body, which may hold credentials.
    pub fn body(&self) -> &[u8] {
        self.response.body()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the answer cannot be read: {}", self.what)
    }
}

impl fmt::Debug for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Unreadable")
            .field("status", &self.status_code())
            .field("what", &self.what)
            .field("bytes", &self.response.body().len())
            .finish()
    }
}

impl StdError for Unreadable {}

/// The words of the parser for what it wanted, without what it found instead.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let wanted = text.split_once("expected ").map_or("another value", |(_, wanted)| wanted);
    let wanted = wanted.split(" at line").next().unwrap_or_default();
    match wanted {
        "u32" | "u64" | "i64" => "a whole number".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a boolean" => "true or false".to_owned(),
        wanted if wanted.starts_with("struct ") => "an object".to_owned(),
        wanted => wanted.to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The innermost member without which the body could be read, as a path, and what it is.
///
/// The parser cannot name it: types that keep unknown members are read from a copy.
fn culprit<T: DeserializeOwned>(body: &Value) -> Option<(String, &'static str)> {
    let mut body = body.clone();
    let mut path: Vec<Step> = Vec::new();
    while let Some((step, found)) = guilty_child::<T>(&mut body, &path) {
        path.push(step);
        if !matches!(found, "an array" | "an object") {
            return Some((written(&path), found));
        }
    }
    let found = kind(at(&mut body, &path)?);
    (!path.is_empty()).then(|| (written(&path), found))
}

enum Step {
    Member(String),
    Element(usize),
}

impl Step {
    fn is_missed(&self, error: &serde_json::Error) -> bool {
        match self {
            Self::Member(name) => error.to_string() == format!("missing field `{name}`"),
            Self::Element(_) => false,
        }
    }
}

fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Member(name) if text.is_empty() => text.push_str(name),
            Step::Member(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Element(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
    text
}

fn at<'a>(body: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(body, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Element(index) => value.get_mut(*index),
    })
}

/// The child of the value at `path` without which the whole could be read.
fn guilty_child<T: DeserializeOwned>(
    body: &mut Value,
    path: &[Step],
) -> Option<(Step, &'static str)> {
    let count = match at(body, path)? {
        Value::Object(members) => members.len(),
        Value::Array(elements) => elements.len(),
        _ => 0,
    };
    for index in 0..count {
        let mut without = body.clone();
        let (step, removed) = match at(&mut without, path)? {
            Value::Object(members) => {
                let name = members.keys().nth(index)?.clone();
                let removed = members.shift_remove(&name)?;
                (Step::Member(name), removed)
            }
            Value::Array(elements) => (Step::Element(index), elements.remove(index)),
            _ => return None,
        };
        let is_guilty = match serde_json::from_value::<T>(without) {
            Ok(_) => true,
            // What must be there is guilty when nothing but it is missed without it.
            Err(error) => step.is_missed(&error),
        };
        if is_guilty {
            return Some((step, kind(&removed)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use tokenry_protocol::{
        api::tokens::{OAuthTokenResponse, OAuthTokensResponse},
        oauth::metadata::Metadata,
    };

    use super::*;

    fn told<T: DeserializeOwned>(body: &str) -> String {
        let response = Response::new(body.to_owned().into());
        let error = serde_json::from_str::<T>(body).err().unwrap();
        Unreadable::typed::<T>(&response, &error).to_string()
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_never_by_its_value() {
        for (body, expected) in [
            (r#"{"token":{"id":"hunter2"}}"#, "token.id is a string, expected a whole number"),
            (
                r#"{"token":{"id":1,"scopes":"hunter2"}}"#,
                "token.scopes is a string, expected an array",
            ),
            (
                r#"{"token":{"scopes":["read",7]}}"#,
                "token.scopes[1] is a number, expected a string",
            ),
            (r#"{"token":"hunter2"}"#, "token is a string, expected an object"),
            ("7", "the body is a number, expected an object"),
            ("<html>hunter2</html>", "the body is not JSON"),
            ("", "the body is not JSON"),
        ] {
            let told = told::<OAuthTokenResponse>(body);
            let rest = told.strip_prefix("the answer cannot be read: ").unwrap();
            assert!(rest.starts_with(expected), "{body}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        let list = r#"{"tokens":[{"id":1},{"id":2,"user_id":"x"}],"count":2,"next_page":null,
            "previous_page":null}"#;
        assert!(told::<OAuthTokensResponse>(list).contains("tokens[1].user_id is a string"));
        let required = r#"{"issuer":"https://x","scopes_supported":["read"],"extra":1}"#;
        let wrong = required.replace(r#""https://x""#, "7");
        assert!(told::<Metadata>(&wrong).contains(": issuer is a number, expected a string"));
        let wrong = required.replace(r#"["read"]"#, "7");
        assert!(told::<Metadata>(&wrong).contains(": scopes_supported is a number"));
    }

    #[test]
    fn a_body_is_kept_and_not_written_for_debugging() {
        let response = Response::new("hunter2".into());
        let unreadable = Unreadable::status(&response);
        assert_eq!(unreadable.body(), b"hunter2");
        assert!(!format!("{unreadable:?}").contains("hunter2"));
    }
}
