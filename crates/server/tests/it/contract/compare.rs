//! An answer held against its fixture.
//!
//! Equal: status, the listed headers, every member and every value of the body. By form only: what
//! was minted for this answer (its first 10 characters are equal), and the explanations of errors,
//! which are ours, except the literal beginning that clients compare.

use serde_json::{Map, Value};
use tokenry_protocol::secret::{Credential, PUBLIC_LENGTH};

use super::{fixture::Fixture, world::World};
use crate::support::Answer;

/// Headers that say something by being there.
const TELLING: [&str; 5] = ["www-authenticate", "retry-after", "location", "allow", "set-cookie"];
/// Members of error bodies that explain.
const EXPLANATIONS: [&str; 4] = ["description", "error_description", "message", "detail"];
const MISSING_SCOPES: &str = "You are missing the following required scopes: ";

/// What differs, in words.
pub fn differences(fixture: &Fixture, answer: &Answer, world: &World<'_>) -> Vec<String> {
    let expected = &fixture.response;
    let mut differences = Vec::new();
    if answer.status != expected.status {
        differences.push(format!("status {}: {}", answer.status, answer.text()));
    }
    for (name, value) in &expected.headers {
        let actual = answer.header(name);
        let agrees = actual.is_some_and(|actual| header_agrees(name, value, actual));
        if !agrees {
            differences.push(format!("{name} is {actual:?}, not {value:?}"));
        }
    }
    for name in TELLING {
        let is_unlisted = !expected.headers.contains_key(name);
        if is_unlisted && let Some(value) = answer.headers.get(name) {
            differences.push(format!("{name} is there: {value:?}"));
        }
    }
    match &expected.body {
        Value::Null => {
            if !answer.body.is_empty() {
                differences.push(format!("a body: {}", answer.text()));
            }
            if expected.status == 204 && answer.headers.contains_key("content-type") {
                differences.push("a content type without a body".to_owned());
            }
        }
        Value::String(page) => differences.extend(page_differences(page, answer.text())),
        body => match serde_json::from_slice::<Value>(&answer.body) {
            Err(_) => differences.push(format!("no JSON: {}", answer.text())),
            Ok(actual) => {
                let mut comparison =
                    Comparison { is_error: expected.status >= 400, world, differences };
                comparison.compare("", body, &with_cursors_of(body, actual));
                differences = comparison.differences;
            }
        },
    }
    differences
}

fn header_agrees(name: &str, expected: &str, actual: &str) -> bool {
    match name {
        // The fixture names the one directive that the contract demands.
        "content-security-policy" => actual.split("; ").any(|directive| directive == expected),
        "location" => same_address(expected, actual),
        _ => expected == actual,
    }
}

/// Equal, up to a code that was minted for this answer.
fn same_address(expected: &str, actual: &str) -> bool {
    let parts = |text: &str| -> Vec<String> { text.split('&').map(str::to_owned).collect() };
    let (expected, actual) = (parts(expected), parts(actual));
    let pairs = expected.iter().zip(&actual);
    expected.len() == actual.len()
        && pairs.into_iter().all(|(expected, actual)| {
            match (expected.split_once("code=c"), actual.split_once("code=c")) {
                (Some((before, theirs)), Some((ours_before, ours))) => {
                    before == ours_before
                        && same_form(&format!("c{theirs}"), &format!("c{ours}")) == Some(true)
                }
                _ => expected == actual,
            }
        })
}

/// `None` if `expected` is no credential; else whether `actual` is one with the same public part.
fn same_form(expected: &str, actual: &str) -> Option<bool> {
    Credential::parse(expected).ok()?;
    let same_public_part = expected.get(..PUBLIC_LENGTH) == actual.get(..PUBLIC_LENGTH);
    Some(same_public_part && Credential::parse(actual).is_ok())
}

/// `(page: names A, B, C)`: each of them stands on the page.
fn page_differences(expected: &str, page: &str) -> Vec<String> {
    let Some(names) = expected.strip_prefix("(page: names ") else {
        return Vec::new();
    };
    let names = names.trim_end_matches(')').split(", ");
    names
        .filter(|name| !page.contains(name))
        .map(|name| format!("the page does not name {name}"))
        .collect()
}

/// The answer with the fixture's cursors in place of ours, in the links too.
fn with_cursors_of(expected: &Value, actual: Value) -> Value {
    let mut text = actual.to_string();
    for name in ["after_cursor", "before_cursor"] {
        let cursors = (&expected["meta"][name], &actual["meta"][name]);
        if let (Value::String(theirs), Value::String(ours)) = cursors {
            text = text.replace(ours.as_str(), theirs);
        }
    }
    serde_json::from_str(&text).unwrap_or(actual)
}

struct Comparison<'a> {
    is_error: bool,
    world: &'a World<'a>,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn compare(&mut self, at: &str, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Object(expected), Value::Object(actual)) => {
                self.compare_members(at, expected, actual);
            }
            (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
                for (index, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                    self.compare(&format!("{at}[{index}]"), theirs, ours);
                }
            }
            (Value::String(theirs), Value::String(ours)) => self.compare_text(at, theirs, ours),
            _ if expected == actual => {}
            _ => self.differ(at, expected, actual),
        }
    }

    fn compare_members(
        &mut self,
        at: &str,
        expected: &Map<String, Value>,
        actual: &Map<String, Value>,
    ) {
        for name in actual.keys().filter(|name| !expected.contains_key(*name)) {
            self.differences.push(format!("{at}.{name} is there: {}", actual[name]));
        }
        for (name, theirs) in expected {
            let at = format!("{at}.{name}");
            match (theirs, actual.get(name)) {
                (_, None) => self.differences.push(format!("{at} is missing")),
                (Value::String(theirs), Some(Value::String(ours)))
                    if self.is_error && EXPLANATIONS.contains(&name.as_str()) =>
                {
                    let is_literal = theirs.starts_with(MISSING_SCOPES);
                    if ours.is_empty() || (is_literal && ours != theirs) {
                        self.differences.push(format!("{at} is {ours:?}, not {theirs:?}"));
                    }
                }
                (theirs, Some(ours)) => self.compare(&at, theirs, ours),
            }
        }
    }

    fn compare_text(&mut self, at: &str, theirs: &str, ours: &str) {
        let translated = self.world.translate(theirs);
        if translated == ours || theirs == ours {
            return;
        }
        let is_minted = translated == theirs && same_form(theirs, ours) == Some(true);
        if !is_minted {
            self.differ(at, &translated.into(), &ours.into());
        }
    }

    fn differ(&mut self, at: &str, expected: &Value, actual: &Value) {
        self.differences.push(format!("{at} is {actual}, not {expected}"));
    }
}
