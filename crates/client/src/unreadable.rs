//! Answers that are not what was asked for.

use std::{error::Error as StdError, fmt, marker::PhantomData};

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
                let found = kind(&body);
                let place = Search::<T>::new(body, response.body().len()).culprit();
                let (path, found) = place.unwrap_or_else(|| (String::new(), found));
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

/// The words of the parser for what it wanted, without what it found instead, which stands before
/// them.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let is_known = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .any(|beginning| text.starts_with(beginning));
    let wanted = text.rsplit_once(", expected ").filter(|_| is_known);
    let wanted = wanted.map_or("another value", |(_, wanted)| wanted);
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

/// The largest body, in bytes, that is searched to its innermost member; of a larger one the first
/// step alone is told.
const SEARCHED_MAX: usize = 64 << 10;
/// How often a body is read at most to find what is wrong with it; a large one less often.
const TRIES_MAX: u32 = 64;
const TRIES_MAX_LARGE: u32 = 8;

/// A search for the innermost member without which a body could be read as a `T`.
///
/// The parser cannot name it: types that keep unknown members are read from a copy.
struct Search<T> {
    body: Value,
    tries: u32,
    is_small: bool,
    read: PhantomData<fn() -> T>,
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

impl<T: DeserializeOwned> Search<T> {
    /// In a body that was this many bytes long.
    const fn new(body: Value, bytes: usize) -> Self {
        let is_small = bytes <= SEARCHED_MAX;
        let tries = if is_small { TRIES_MAX } else { TRIES_MAX_LARGE };
        Self { body, tries, is_small, read: PhantomData }
    }

    /// It as a path, and what it is.
    fn culprit(mut self) -> Option<(String, &'static str)> {
        let mut path: Vec<Step> = Vec::new();
        let mut found = None;
        while let Some((step, kind)) = self.guilty_child(&path) {
            path.push(step);
            found = Some(kind);
            if !self.is_small {
                break;
            }
        }
        found.map(|found| (written(&path), found))
    }

    /// Reads the body as it is now; `None` when it was read too often.
    fn read(&mut self) -> Option<Result<(), serde_json::Error>> {
        self.tries = self.tries.checked_sub(1)?;
        Some(T::deserialize(&self.body).map(drop))
    }

    fn guilty_child(&mut self, path: &[Step]) -> Option<(Step, &'static str)> {
        let step = self.guilty_alone(path).or_else(|| self.first_guilty(path))?;
        let child = match (at(&mut self.body, path)?, &step) {
            (Value::Object(members), Step::Member(name)) => members.get(name),
            (Value::Array(elements), Step::Element(index)) => elements.get(*index),
            _ => None,
        };
        Some((step, kind(child?)))
    }

    /// The one member of an object without which the whole can be read.
    fn guilty_alone(&mut self, path: &[Step]) -> Option<Step> {
        let names: Vec<String> = at(&mut self.body, path)?.as_object()?.keys().cloned().collect();
        for name in names {
            let members = at(&mut self.body, path)?.as_object_mut()?;
            let removed = members.shift_remove(&name)?;
            let read = self.read();
            at(&mut self.body, path)?.as_object_mut()?.insert(name.clone(), removed);
            let step = Step::Member(name);
            let is_guilty = match read? {
                Ok(()) => true,
                // What must be there is guilty when nothing but it is missed without it.
                Err(error) => step.is_missed(&error),
            };
            if is_guilty {
                return Some(step);
            }
        }
        None
    }

    /// The first of several children that are wrong, if the whole can be read without any of them.
    /// Those behind it are put out of the way.
    fn first_guilty(&mut self, path: &[Step]) -> Option<Step> {
        let whole = at(&mut self.body, path)?.clone();
        let count = match &whole {
            Value::Object(members) => members.len(),
            Value::Array(elements) => elements.len(),
            _ => 0,
        };
        let (mut readable, mut unreadable) = (0, count);
        let mut tried = 0;
        while readable < unreadable {
            *at(&mut self.body, path)? = first(&whole, tried);
            let read = self.read();
            match (read, tried) {
                (Some(Ok(())), tried) => readable = tried,
                (Some(Err(_)), 1..) => unreadable = tried,
                (Some(Err(_)) | None, _) => {
                    *at(&mut self.body, path)? = whole;
                    return None;
                }
            }
            if unreadable - readable == 1 {
                break;
            }
            tried = usize::midpoint(readable, unreadable);
        }
        *at(&mut self.body, path)? = first(&whole, unreadable);
        match &whole {
            Value::Object(members) => members.keys().nth(readable).cloned().map(Step::Member),
            Value::Array(elements) => elements.get(readable).map(|_| Step::Element(readable)),
            _ => None,
        }
    }
}

/// A container with its first children alone.
fn first(whole: &Value, children: usize) -> Value {
    match whole {
        Value::Object(members) => {
            let some = members.iter().take(children);
            Value::Object(some.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Value::Array(elements) => elements.iter().take(children).cloned().collect(),
        other => other.clone(),
    }
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
    fn of_several_that_are_wrong_the_first_is_named() {
        let elements: Vec<_> = (1..=300).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        let mut wrong = elements.clone();
        for index in [199, 250, 299] {
            wrong[index] = r#"{"id":"hunter2","user_id":"hunter2"}"#.to_owned();
        }
        let list = |elements: &[String]| {
            let list = elements.join(",");
            format!(r#"{{"tokens":[{list}],"count":2,"next_page":null,"previous_page":null}}"#)
        };
        let told = told::<OAuthTokensResponse>;
        let expected = "tokens[199].id is a string, expected a whole number";
        assert!(told(&list(&wrong)).ends_with(expected), "{}", told(&list(&wrong)));
        let scopes = r#"{"tokens":[{"scopes":[1,2,3]}],"count":2}"#;
        assert!(told(scopes).contains("tokens[0].scopes[0] is a number"), "{}", told(scopes));
    }

    #[test]
    fn what_the_parser_repeats_of_a_body_is_not_told() {
        for value in ["x, expected hunter2", "expected hunter2 ", "a, expected hunter2 at line 1"] {
            let body = format!(r#"{{"token":{{"id":"{value}"}}}}"#);
            let told = told::<OAuthTokenResponse>(&body);
            assert!(told.ends_with("token.id is a string, expected a whole number"), "{told}");
        }
    }

    #[test]
    fn a_large_body_is_searched_at_its_top_alone_and_a_wide_one_not_for_long() {
        let padding = "x".repeat(SEARCHED_MAX);
        let large = format!(r#"{{"token":{{"id":"hunter2","padding":"{padding}"}}}}"#);
        let told_large = told::<OAuthTokenResponse>(&large);
        assert!(told_large.contains(": token is an object"), "{told_large}");
        let members: Vec<_> = (0..1_000).map(|n| format!(r#""m{n}":{n}"#)).collect();
        let wide = format!(r#"{{{},"issuer":7,"scopes_supported":7}}"#, members.join(","));
        let body: Value = serde_json::from_str(&wide).unwrap();
        let mut search = Search::<Metadata>::new(body.clone(), wide.len());
        assert!(search.guilty_child(&[]).is_none());
        assert_eq!((search.tries, search.body == body), (0, true));
    }

    #[test]
    fn a_body_is_kept_and_not_written_for_debugging() {
        let response = Response::new("hunter2".into());
        let unreadable = Unreadable::status(&response);
        assert_eq!(unreadable.body(), b"hunter2");
        assert!(!format!("{unreadable:?}").contains("hunter2"));
    }
}
