//! What of a call may stand in the journal: everything but what lets somebody in.
//!
//! A journal is copied into test reports and bug reports, and the same program may talk to a real
//! account the next day. So secrets go by two rules, and either is enough. By their form: our
//! credentials, and JSON Web Tokens (RFC 7519), wherever they stand ([`forms`]). By their name:
//! whatever is called a password, a secret, a token, a code or a state, in a query, a form, JSON,
//! or one of them within another ([`names`]). Of a body that is neither JSON nor a form nothing is
//! shown: nobody knows which of it is a name.

mod forms;
mod json;
mod names;

use std::{borrow::Cow, cell::Cell};

use serde_json::{Map, Value};
use tokenry_protocol::secret::Credential;

use self::forms::without_credentials;
use super::body::Body;

/// Stands for what is not shown.
pub(super) const HIDDEN: &str = "…";
/// The most of a body and of a path that is shown, in bytes.
const SHOWN_MAX: usize = 2_048;
/// The longest body that is looked into: what a server takes, and more than any page of a list.
const READ_MAX: usize = 128 * 1_024;
/// So deep a text within a text is looked at; what is deeper is not shown.
const DEPTH_MAX: u8 = 4;

/// What may still be shown, in bytes, about: what holds the parts together is counted roughly.
struct Budget(Cell<usize>);

impl Budget {
    const fn new() -> Self {
        Self(Cell::new(SHOWN_MAX))
    }

    fn spend(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_sub(bytes));
    }

    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }

    /// As much of the text as may be shown, and a sign if there was more.
    fn cut(&self, mut text: String) -> String {
        if text.len() > self.0.get() {
            let whole = (0..=self.0.get()).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(whole.unwrap_or(0));
            text.push_str(HIDDEN);
        }
        self.spend(text.len() + 2);
        text
    }
}

/// A path with its query.
pub(super) fn path(path: &str) -> String {
    let budget = Budget::new();
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut shown = shown_encoded(path).into_owned();
    if let Some(query) = query {
        shown.push('?');
        shown.push_str(&parameters(query, DEPTH_MAX, &budget));
    }
    budget.cut(shown)
}

/// A sentence, or any text of which nothing is known.
pub(super) fn text(text: &str) -> String {
    let budget = Budget::new();
    budget.cut(scrubbed(text, DEPTH_MAX, &budget).into_owned())
}

/// A body, as JSON whatever it was; `None` if there was none.
pub(super) fn body(body: &Body<'_>) -> Option<Value> {
    let length = body.bytes.len();
    if length == 0 {
        return None;
    }
    let budget = Budget::new();
    let text = str::from_utf8(body.bytes).ok().filter(|text| text.len() <= READ_MAX);
    // JSON under the name of a form is a usual mistake, and a form that has such a name is none.
    let shown = text.and_then(|text| {
        let json = json::read(text, DEPTH_MAX, &budget);
        json.or_else(|| body.is_form().then(|| form(text, &budget))?)
    });
    let otherwise = || format!("{length} bytes, neither JSON nor a form: not shown").into();
    Some(shown.unwrap_or_else(otherwise))
}

/// `None`: it has names that are none.
fn form(text: &str, budget: &Budget) -> Option<Value> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !names::is_name(&name) {
            return None;
        }
        if budget.is_spent() {
            members.insert(HIDDEN.to_owned(), HIDDEN.into());
            break;
        }
        let value = Value::from(budget.cut(member(&name, &value, DEPTH_MAX, budget)));
        let name = shown_name(name.into_owned());
        budget.spend(name.len() + 4);
        // A name that comes twice is refused by the server; whoever asks why sees both.
        match members.get_mut(&name) {
            None => drop(members.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::from(vec![first.take(), value]),
        }
    }
    Some(members.into())
}

/// What is shown of a secret: whose it is, if it is one of our credentials.
fn hidden(name: &str, secret: &str) -> String {
    if secret.is_empty() {
        return String::new();
    }
    let credential = Credential::parse(secret).ok().filter(|_| !names::is_password(name));
    credential.map_or_else(String::new, |it| it.public_part()) + HIDDEN
}

/// The value of a parameter.
fn member(name: &str, value: &str, depth: u8, budget: &Budget) -> String {
    if names::is_secret(name) {
        hidden(name, value)
    } else {
        scrubbed(value, depth, budget).into_owned()
    }
}

/// What is no name may be anything that somebody has pasted there.
fn shown_name(name: String) -> String {
    if !names::is_name(&name) {
        return HIDDEN.to_owned();
    }
    match without_credentials(&name) {
        Cow::Borrowed(_) => name,
        Cow::Owned(shown) => shown,
    }
}

/// Text without the secrets in it: its own, and those of JSON or parameters that it holds.
fn scrubbed<'a>(text: &'a str, depth: u8, budget: &Budget) -> Cow<'a, str> {
    let looks_like_json = text.trim_start().starts_with(['{', '[']);
    if !looks_like_json && !text.contains('=') {
        return without_credentials(text);
    }
    let Some(depth) = depth.checked_sub(1) else { return Cow::Borrowed(HIDDEN) };
    let held = if looks_like_json {
        json::read(text, depth, budget).map_or_else(|| HIDDEN.to_owned(), |it| it.to_string())
    } else {
        let start = text.find(['?', '#']).map_or(0, |at| at + 1);
        let (before, query) = text.split_at_checked(start).unwrap_or(("", text));
        before.to_owned() + &parameters(query, depth, budget)
    };
    Cow::Owned(without_credentials(&held).into_owned())
}

/// Parameters as they are sent. Those with nothing to hide stay letter for letter.
fn parameters(query: &str, depth: u8, budget: &Budget) -> String {
    let mut shown = String::with_capacity(query.len());
    for (at, parameter) in query.split('&').enumerate() {
        if shown.len() > SHOWN_MAX {
            break;
        }
        if at > 0 {
            shown.push('&');
        }
        let Some((name, value)) = parameter.split_once('=') else {
            shown.push_str(&shown_encoded(parameter));
            continue;
        };
        let plain = decoded(value);
        let safe = member(&decoded(name), &plain, depth, budget);
        shown.push_str(&shown_encoded(name));
        shown.push('=');
        shown.push_str(if safe == plain { value } else { &safe });
    }
    shown
}

/// Part of an address: as it was sent, unless it holds a credential.
fn shown_encoded(text: &str) -> Cow<'_, str> {
    match without_credentials(&decoded(text)) {
        Cow::Borrowed(_) => without_credentials(text),
        Cow::Owned(shown) => Cow::Owned(shown),
    }
}

/// Percent-decoded, for comparison.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let whole = text.replace('&', "%26").replace('=', "%3D");
    let mut parsed = form_urlencoded::parse(whole.as_bytes());
    Cow::Owned(parsed.next().map_or_else(String::new, |(text, _)| text.into_owned()))
}

#[cfg(test)]
mod tests;
