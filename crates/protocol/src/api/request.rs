//! Record API requests: a JSON object that wraps a record. Clients write the same types that the
//! server reads, strictly.
//!
//! Unknown members are ignored. A known member of another type is told by field, beside whatever
//! else is wrong, so that one answer names everything.

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Map, Value};

use super::error::{FieldErrorCode::InvalidValue, FieldErrors};
use crate::{ids::ID_MAX, json};

/// Why a body cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidBody {
    /// It is not a JSON object.
    Unreadable,
    /// The member that wraps the record is missing.
    NoWrapper(&'static str),
    /// The wrapper is no object.
    Fields(FieldErrors),
}

/// A member of a request: what was not sent is not `null`, for a change leaves the one alone and
/// clears the other.
///
/// Example: `"Acme Reports"`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sent<T> {
    /// It was not sent.
    #[default]
    Absent,
    /// It was sent as `null`.
    Null,
    /// Of another type than it must have, which is noted as an error already.
    Mistyped,
    /// It was sent.
    Value(T),
}

impl<T> Sent<T> {
    /// Whether it is left out of a body.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, where one was sent.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null | Self::Mistyped => None,
        }
    }

    /// The value in place, where one was sent.
    pub const fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null | Self::Mistyped => None,
        }
    }

    /// The value in another form.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sent<U> {
        match self {
            Self::Absent => Sent::Absent,
            Self::Null => Sent::Null,
            Self::Mistyped => Sent::Mistyped,
            Self::Value(value) => Sent::Value(change(value)),
        }
    }
}

impl<T> From<T> for Sent<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// Members that are absent are left out by the request that has them.
impl<T: Serialize> Serialize for Sent<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Mistyped => Err(S::Error::custom("a member that could not be read")),
        }
    }
}

impl Sent<bool> {
    /// `null` as `false`, for switches that records leave out while they are off.
    pub fn or_false(self) -> Self {
        match self {
            Self::Null => Self::Value(false),
            sent => sent,
        }
    }
}

/// The members of the record in a request, and what is wrong with their types.
#[derive(Debug, Default)]
pub struct Members {
    members: Map<String, Value>,
    errors: FieldErrors,
}

impl Members {
    /// Takes the record out of its wrapper.
    pub fn unwrap_body(body: &[u8], wrapper: &'static str) -> Result<Self, InvalidBody> {
        if body.trim_ascii().is_empty() {
            return Err(InvalidBody::NoWrapper(wrapper));
        }
        let Ok(Value::Object(mut outer)) = json::parse(body) else {
            return Err(InvalidBody::Unreadable);
        };
        match outer.remove(wrapper) {
            None | Some(Value::Null) => Err(InvalidBody::NoWrapper(wrapper)),
            Some(Value::Object(members)) => Ok(Self { members, errors: FieldErrors::NONE }),
            Some(_) => {
                let errors = FieldErrors::one(wrapper, InvalidValue, "must be an object");
                Err(InvalidBody::Fields(errors))
            }
        }
    }

    /// What is wrong with the members that were taken.
    pub fn into_errors(self) -> FieldErrors {
        self.errors
    }

    /// Takes a member as it is.
    pub fn any(&mut self, name: &str) -> Sent<Value> {
        match self.members.remove(name) {
            None => Sent::Absent,
            Some(Value::Null) => Sent::Null,
            Some(value) => Sent::Value(value),
        }
    }

    /// Takes a member of a type that `read` knows.
    pub fn typed<T>(
        &mut self,
        name: &str,
        must_be: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Sent<T> {
        match self.any(name).map(read) {
            Sent::Value(Some(value)) => Sent::Value(value),
            Sent::Value(None) => {
                self.errors.add(name, InvalidValue, &format!("must be {must_be}"));
                Sent::Mistyped
            }
            Sent::Absent => Sent::Absent,
            Sent::Null => Sent::Null,
            Sent::Mistyped => Sent::Mistyped,
        }
    }

    /// Takes a string.
    pub fn text(&mut self, name: &str) -> Sent<String> {
        self.typed(name, "a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// Takes `true` or `false`.
    pub fn switch(&mut self, name: &str) -> Sent<bool> {
        self.typed(name, "true or false", |value| value.as_bool())
    }

    /// Takes an integer from 0 to 2^53 − 1, written without fraction or exponent.
    pub fn integer(&mut self, name: &str) -> Sent<u64> {
        self.typed(name, "an integer", |value| value.as_u64().filter(|number| *number <= ID_MAX))
    }

    /// Takes an array of strings.
    pub fn texts(&mut self, name: &str) -> Sent<Vec<String>> {
        self.typed(name, "an array of strings", strings)
    }
}

/// An array of strings and nothing else.
pub fn strings(value: Value) -> Option<Vec<String>> {
    let Value::Array(items) = value else {
        return None;
    };
    let text = |item| match item {
        Value::String(text) => Some(text),
        _ => None,
    };
    items.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrap(body: &str) -> Result<Members, InvalidBody> {
        Members::unwrap_body(body.as_bytes(), "token")
    }

    #[test]
    fn a_body_is_an_object_that_wraps_an_object() {
        for body in ["", "  ", "{}", r#"{"token":null}"#, r#"{"tokens":{}}"#] {
            assert_eq!(unwrap(body).unwrap_err(), InvalidBody::NoWrapper("token"), "{body}");
        }
        for body in ["[]", "\"token\"", "{\"token\":", r#"{"token":{},"token":{}}"#] {
            assert_eq!(unwrap(body).unwrap_err(), InvalidBody::Unreadable, "{body}");
        }
        for body in [r#"{"token":[]}"#, r#"{"token":1}"#] {
            assert!(matches!(
                unwrap(body).unwrap_err(),
                InvalidBody::Fields(errors) if errors.fields().eq(["token"])
            ));
        }
    }

    #[test]
    fn only_what_was_sent_with_a_value_has_one() {
        assert_eq!(Sent::Value(7).as_value(), Some(&7));
        assert_eq!(Sent::Value(7).value(), Some(7));
        for nothing in [Sent::Absent, Sent::Null, Sent::Mistyped] {
            assert_eq!(nothing.as_value(), None::<&u64>, "{nothing:?}");
            assert_eq!(nothing.value(), None);
        }
    }

    #[test]
    fn a_switch_that_is_null_is_off_and_every_other_stays_as_it_was_sent() {
        assert_eq!(Sent::Null.or_false(), Sent::Value(false));
        for sent in [Sent::Absent, Sent::Mistyped, Sent::Value(true), Sent::Value(false)] {
            assert_eq!(sent.clone().or_false(), sent);
        }
    }

    #[test]
    fn members_have_exact_types_and_every_wrong_one_is_told() {
        let body = r#"{"token":{"a":"x","b":1,"c":1.0,"d":9007199254740992,"e":[1],"f":"true",
            "g":null,"h":["x"],"i":false,"unknown":{}}}"#;
        let mut members = unwrap(body).unwrap();
        assert_eq!(members.text("a"), Sent::Value("x".to_owned()));
        assert_eq!(members.integer("b"), Sent::Value(1));
        assert_eq!(members.integer("c"), Sent::Mistyped);
        assert_eq!(members.integer("d"), Sent::Mistyped);
        assert_eq!(members.texts("e"), Sent::Mistyped);
        assert_eq!(members.switch("f"), Sent::Mistyped);
        assert_eq!(members.text("g"), Sent::Null);
        assert_eq!(members.texts("h"), Sent::Value(vec!["x".to_owned()]));
        assert_eq!(members.switch("i"), Sent::Value(false));
        assert_eq!(members.switch("j"), Sent::Absent);
        assert!(members.into_errors().fields().eq(["c", "d", "e", "f"]));
    }
}
