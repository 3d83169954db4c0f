//! Request parameters of the grant endpoints, from a form or from JSON, each name at most once
//! (RFC 6749 §3.1, §3.2).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::Value;

use super::error::ErrorCode;
use crate::{json, secret::redacted, time::Seconds};

/// Parameters by name. An empty value counts as absent (RFC 6749 §3.1).
#[derive(Default)]
pub struct Parameters(Vec<(String, Value)>);

/// The most parameters of a request. No request of the standards has a quarter of them, and each is
/// compared with all others.
pub const COUNT_MAX: usize = 100;

/// A request that breaks the rules before any decision: its code and a sentence for its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct InvalidRequest {
    /// Nearly always `invalid_request`; `invalid_scope` for what is wrong with a scope.
    pub code: ErrorCode,
    /// What is wrong and how to mend it.
    pub description: String,
}

impl InvalidRequest {
    /// An `invalid_request` with this sentence.
    pub fn new(description: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidRequest, description: description.into() }
    }

    /// An `invalid_scope` with this sentence.
    pub fn scope(description: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidScope, description: description.into() }
    }
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`, strictly UTF-8.
    pub fn from_form(body: &[u8]) -> Result<Self, InvalidRequest> {
        let mut parameters = Self::default();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(at).unwrap_or((pair, &[]));
            let (name, value) = (decode(name)?, decode(value.get(1..).unwrap_or_default())?);
            if parameters.find(&name).is_some() {
                return Err(InvalidRequest::new(format!("{} is sent twice.", printable(&name))));
            }
            if parameters.0.len() >= COUNT_MAX {
                return Err(too_many());
            }
            parameters.0.push((name.into_owned(), Value::String(value.into_owned())));
        }
        Ok(parameters)
    }

    /// Reads a JSON object.
    pub fn from_json(body: &[u8]) -> Result<Self, InvalidRequest> {
        match json::parse(body) {
            Ok(Value::Object(members)) if members.len() > COUNT_MAX => Err(too_many()),
            Ok(Value::Object(members)) => Ok(Self(members.into_iter().collect())),
            Ok(_) => Err(InvalidRequest::new("The body must be a JSON object.")),
            Err(error) => Err(InvalidRequest::new(format!("The body cannot be read: {error}."))),
        }
    }

    /// Takes from `others` what is not here, or is here without a value (RFC 6749 §3.1).
    pub fn fill_in(&mut self, others: Self) {
        for (name, value) in others.0 {
            match self.0.iter_mut().find(|(known, _)| *known == name) {
                None => self.0.push((name, value)),
                Some((_, here)) if is_empty(here) => *here = value,
                Some(_) => {}
            }
        }
    }

    /// Puts `text` in the place of a list.
    pub fn replace_list(&mut self, name: &str, text: &str) {
        let found = self.0.iter_mut().find(|(known, _)| known == name);
        if let Some((_, value @ Value::Array(_))) = found {
            *value = text.into();
        }
    }

    /// There are few, so looking at each is faster than any order would be.
    fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// A parameter's text; `None` when it is absent or empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, InvalidRequest> {
        match self.find(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(InvalidRequest::new(format!("{name} must be a string."))),
        }
    }

    /// A whole number of seconds within `bounds`, as a JSON integer or as digits.
    pub fn seconds(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<Seconds>, InvalidRequest> {
        let number = match self.find(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok()
            }
            Some(Value::Number(number)) => number.as_u64(),
            Some(_) => None,
        };
        let fits = number.and_then(|number| u32::try_from(number).ok());
        match fits.filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(Seconds(number))),
            None => Err(InvalidRequest::new(format!(
                "{name} must be {} to {}.",
                bounds.start(),
                bounds.end()
            ))),
        }
    }

    /// Whether the parameter was sent with a value of any type.
    pub fn has(&self, name: &str) -> bool {
        !matches!(self.find(name), None | Some(Value::Null))
    }

    /// Whether the parameter was sent as something else than text.
    pub fn is_not_text(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.find(name), Some(Value::String(_)))
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn too_many() -> InvalidRequest {
    InvalidRequest::new(format!("At most {COUNT_MAX} parameters can be sent."))
}

/// Names come from strangers and are quoted in answers: only what cannot mislead a reader.
fn printable(name: &str) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || "_-.[]".contains(*c);
    redacted(name).chars().filter(safe).take(64).collect()
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, InvalidRequest> {
    let is_plain = !text.iter().any(|byte| matches!(byte, b'+' | b'%'));
    let decoded = if is_plain {
        str::from_utf8(text).map(Cow::Borrowed)
    } else {
        let spaced: Vec<u8> =
            text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).decode_utf8().map(|decoded| Cow::Owned(decoded.into_owned()))
    };
    let decoded = decoded.map_err(|_| InvalidRequest::new("Parameters must be UTF-8."))?;
    if decoded.contains('\0') {
        return Err(InvalidRequest::new("Parameters must not hold the character NUL."));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_is_read_once_by_name() {
        let form =
            Parameters::from_form(b"grant_type=refresh_token&scope=a+b%20c&empty=&x").unwrap();
        assert_eq!(form.text("grant_type"), Ok(Some("refresh_token")));
        assert_eq!(form.text("scope"), Ok(Some("a b c")));
        assert_eq!(form.text("empty"), Ok(None));
        assert_eq!(form.text("x"), Ok(None));
        assert_eq!(form.text("absent"), Ok(None));
    }

    #[test]
    fn what_is_sent_twice_or_is_not_text_is_refused() {
        for (body, description) in [
            (&b"scope=read&scope=write"[..], "scope is sent twice."),
            (b"%73cope=read&scope=write", "scope is sent twice."),
            (b"a=%ff", "Parameters must be UTF-8."),
            (b"a=%00", "Parameters must not hold the character NUL."),
        ] {
            assert_eq!(Parameters::from_form(body).unwrap_err().description, description);
        }
        assert!(Parameters::from_json(br#"{"scope":"a","scope":"b"}"#).is_err());
        assert!(Parameters::from_json(b"[]").is_err());
    }

    #[test]
    fn a_parameter_counts_as_sent_with_any_value_but_null() {
        let json = Parameters::from_json(br#"{"a":"x","b":["x"],"c":null,"d":""}"#).unwrap();
        for (name, is_sent, is_not_text) in
            [("a", true, false), ("b", true, true), ("c", false, false), ("d", true, false)]
        {
            assert_eq!(json.has(name), is_sent, "{name}");
            assert_eq!(json.is_not_text(name), is_not_text, "{name}");
        }
        assert!(!json.has("absent") && !json.is_not_text("absent"));
    }

    #[test]
    fn what_is_here_is_kept_and_what_is_missing_or_empty_is_filled_in() {
        let mut body = Parameters::from_json(br#"{"a":"here","b":"","c":null,"d":["x"]}"#).unwrap();
        body.fill_in(Parameters::from_form(b"a=other&b=filled&c=filled&d=x&e=new").unwrap());
        for (name, text) in [("a", "here"), ("b", "filled"), ("c", "filled"), ("e", "new")] {
            assert_eq!(body.text(name), Ok(Some(text)), "{name}");
        }
        assert!(body.is_not_text("d"));
    }

    #[test]
    fn a_list_and_nothing_else_is_replaced() {
        let mut json = Parameters::from_json(br#"{"a":["x"],"b":"x","c":{},"d":[]}"#).unwrap();
        for name in ["a", "b", "c", "d", "absent"] {
            json.replace_list(name, "y");
        }
        let text = |name| json.text(name).ok().flatten();
        assert_eq!(
            ["a", "b", "c", "d", "absent"].map(text),
            [Some("y"), Some("x"), None, Some("y"), None]
        );
    }

    #[test]
    fn no_value_is_written_for_debugging() {
        let form = Parameters::from_form(b"client_secret=hunter2&code=x").unwrap();
        assert_eq!(format!("{form:?}"), r#"{"client_secret", "code"}"#);
    }

    #[test]
    fn seconds_are_whole_and_within_bounds() {
        let json = br#"{"a":300,"b":"172800","c":299,"d":1.5,"e":"+300","f":true,"g":"","h":1e3}"#;
        let json = Parameters::from_json(json).unwrap();
        let read = |name| json.seconds(name, 300..=172_800);
        assert_eq!(read("a"), Ok(Some(Seconds(300))));
        assert_eq!(read("b"), Ok(Some(Seconds(172_800))));
        assert_eq!(read("g"), Ok(None));
        for name in ["c", "d", "e", "f", "h"] {
            assert!(read(name).is_err(), "{name}");
        }
    }

    #[test]
    fn there_is_an_end_to_how_many_are_sent() {
        let form = |count| {
            let pairs: Vec<_> = (0..count).map(|at| format!("p{at}=x")).collect();
            pairs.join("&")
        };
        let json = |count| {
            let members: Vec<_> = (0..count).map(|at| format!("\"p{at}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Parameters::from_form(form(100).as_bytes()).is_ok());
        assert!(Parameters::from_json(json(100).as_bytes()).is_ok());
        let refused = Parameters::from_form(form(101).as_bytes()).unwrap_err();
        assert_eq!(refused.description, "At most 100 parameters can be sent.");
        assert_eq!(Parameters::from_json(json(101).as_bytes()).unwrap_err(), refused);
    }

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parameters::from_form(&body);
            let _ = Parameters::from_json(&body);
        }
    }
}
