//! Error bodies of the record API. Each is an object with a top-level `error` or `errors`: clients
//! index into it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::open::Open;

/// Every shape of error body of the record API. Each is an object with a top-level `error` or
/// `errors`: clients index into it.
///
/// The status says what kind of error it is: 400 a query or body that cannot be taken, 401 no
/// usable credentials, 403 not allowed, 404 no such record or not the caller's, 422 fields that are
/// wrong, 429 too many requests, 503 try again shortly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ErrorBody {
    /// 400 for a query parameter of the wrong form or a body without its wrapper, and 403 by role.
    Titled {
        /// Title and message.
        ///
        /// Present: always.
        error: TitledError,
    },
    /// 400 for pagination parameters.
    List {
        /// What is wrong.
        ///
        /// Present: always.
        errors: Vec<ListedError>,
    },
    /// Everything else.
    Plain(PlainError),
}

/// A title and a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TitledError {
    /// The kind of error.
    ///
    /// Present: always.
    ///
    /// Example: `"Invalid attribute"`
    pub title: String,
    /// What is wrong and how to mend it.
    ///
    /// Present: always.
    ///
    /// Example: `"You passed an invalid value for the client_id attribute. Invalid parameter:
    /// client_id must be an integer"`
    pub message: String,
}

/// One of several errors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListedError {
    /// For programs: `InvalidPaginationParameter` or `InvalidPaginationDepth`.
    ///
    /// Present: always.
    ///
    /// Example: `"InvalidPaginationDepth"`
    pub code: String,
    /// For people.
    ///
    /// Present: always.
    ///
    /// Example: `"Offset pagination is limited to page 100"`
    pub title: String,
    /// What to do.
    ///
    /// Present: always.
    ///
    /// Example: `"Use cursor pagination for more than 10000 records."`
    pub detail: String,
}

/// A word for programs and at most one kind of explanation, whose member depends on who explains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlainError {
    /// The word. Programs compare it; explanations are for people and may change.
    ///
    /// Present: always.
    ///
    /// Example: `"RecordInvalid"`; a bearer token that is not valid: `"invalid_token"`; a scope
    /// that is missing: `"Forbidden"`; no such record: `"RecordNotFound"`; a body that cannot be
    /// read: `"Unprocessable Entity"`
    pub error: String,
    /// As bearer failures and the grant endpoints explain themselves (RFC 6750 §3).
    ///
    /// Example: a bearer token that is not valid: `"The access token is unknown, expired or
    /// revoked."`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_description: Option<String>,
    /// As records explain themselves.
    ///
    /// Example: `"Record validation errors"`; a scope that is missing: `"You are missing the
    /// following required scopes: write"`; no such record: `"Not found"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// As unreadable bodies explain themselves.
    ///
    /// Example: a body that cannot be read: `"Server could not parse JSON"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// By field, what is wrong with it.
    ///
    /// Present: with `RecordInvalid`.
    ///
    /// Example: `{"name": [{"description": "Name: cannot be blank", "error": "BlankValue"}]}`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<FieldErrors>,
}

/// By field, what is wrong with it.
///
/// Example: `{"name": [{"description": "Name: cannot be blank", "error": "BlankValue"}]}`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(BTreeMap<String, Vec<FieldError>>);

impl FieldErrors {
    /// Nothing is wrong yet.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Only this is wrong.
    pub fn one(field: &str, code: FieldErrorCode, text: &str) -> Self {
        let mut errors = Self::NONE;
        errors.add(field, code, text);
        errors
    }

    /// Notes what is wrong with a field, for people: `cannot be blank`. The same is noted once.
    pub fn add(&mut self, field: &str, code: FieldErrorCode, text: &str) {
        let description = format!("{}: {text}", title(field));
        let error = FieldError { description, error: Some(code.into()) };
        let errors = self.0.entry(field.to_owned()).or_default();
        if !errors.contains(&error) {
            errors.push(error);
        }
    }

    /// The value, unless something is wrong.
    pub fn none_or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> &[FieldError] {
        self.0.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    /// The fields with which something is wrong.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A field as people read it: `redirect_uri` is `Redirect uri`.
fn title(field: &str) -> String {
    let spaced = field.replace('_', " ");
    let mut letters = spaced.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldError {
    /// The field's title and what is wrong, for people.
    ///
    /// Present: always.
    ///
    /// Example: `"Name: cannot be blank"`
    pub description: String,
    /// The code, for programs.
    ///
    /// Present: always.
    ///
    /// Example: `"BlankValue"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Open<FieldErrorCode>>,
}

impl FieldError {
    /// What is wrong, if this version knows the word.
    pub fn code(&self) -> Option<FieldErrorCode> {
        self.error.as_ref().and_then(Open::known).copied()
    }
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldErrorCode {
    /// It is required.
    BlankValue,
    /// Another record has it.
    DuplicateValue,
    /// Its type, form or reference is wrong.
    InvalidValue,
    /// It has too many characters.
    TooLong,
    /// It has too many entries.
    TooManyValues,
}

impl ErrorBody {
    fn plain(error: &str) -> PlainError {
        PlainError { error: error.to_owned(), ..PlainError::default() }
    }

    fn described(error: &str, description: impl Into<String>) -> Self {
        Self::Plain(PlainError { description: Some(description.into()), ..Self::plain(error) })
    }

    fn titled(title: &str, message: String) -> Self {
        Self::Titled { error: TitledError { title: title.to_owned(), message } }
    }

    /// 401: no usable credentials. The text is literal.
    pub fn unauthenticated() -> Self {
        Self::Plain(Self::plain("Couldn't authenticate you"))
    }

    /// 401: a bearer token that is not valid; one text for every reason (RFC 6750 §3.1).
    pub fn invalid_token() -> Self {
        Self::oauth("invalid_token", "The access token is unknown, expired or revoked.")
    }

    /// An error in the words of the grant endpoints.
    pub fn oauth(error: &str, description: &str) -> Self {
        let error_description = Some(description.to_owned());
        Self::Plain(PlainError { error_description, ..Self::plain(error) })
    }

    /// 403: the role does not allow it.
    pub fn forbidden_by_role() -> Self {
        Self::titled("Forbidden", "Your role does not allow this.".to_owned())
    }

    /// 403: the scope does not allow it. The text up to the colon is literal.
    pub fn forbidden_by_scope(missing: &[String]) -> Self {
        let missing = missing.join(", ");
        let text = format!("You are missing the following required scopes: {missing}");
        Self::described("Forbidden", text)
    }

    /// 404: no such record, or not the caller's.
    pub fn record_not_found() -> Self {
        Self::described("RecordNotFound", "Not found")
    }

    /// 404: no such path.
    pub fn invalid_endpoint() -> Self {
        Self::described("InvalidEndpoint", "Not found")
    }

    /// 422: fields that are not right.
    pub fn record_invalid(details: FieldErrors) -> Self {
        Self::Plain(PlainError {
            description: Some("Record validation errors".to_owned()),
            details: Some(details),
            ..Self::plain("RecordInvalid")
        })
    }

    /// 400: a query parameter that is not right.
    pub fn invalid_attribute(name: &str, must_be: &str) -> Self {
        let message = format!(
            "You passed an invalid value for the {name} attribute. \
             Invalid parameter: {name} must be {must_be}"
        );
        Self::titled("Invalid attribute", message)
    }

    /// 400: the wrapper object is missing.
    pub fn missing_parameter(name: &str) -> Self {
        Self::titled("Missing parameter", format!("The member {name} is required."))
    }

    /// 400: a pagination parameter that is not right.
    pub fn invalid_pagination(detail: &str) -> Self {
        Self::listed("InvalidPaginationParameter", "Invalid pagination parameter", detail)
    }

    /// 400: past the last offset page.
    pub fn pagination_too_deep() -> Self {
        Self::listed(
            "InvalidPaginationDepth",
            "Offset pagination is limited to page 100",
            "Use cursor pagination for more than 10000 records.",
        )
    }

    fn listed(code: &str, title: &str, detail: &str) -> Self {
        let (code, title, detail) = (code.to_owned(), title.to_owned(), detail.to_owned());
        Self::List { errors: vec![ListedError { code, title, detail }] }
    }

    /// 422: the body cannot be read.
    pub fn unreadable() -> Self {
        Self::Plain(PlainError {
            message: Some("Server could not parse JSON".to_owned()),
            ..Self::plain("Unprocessable Entity")
        })
    }

    /// 429
    pub fn rate_limited() -> Self {
        Self::described("APIRateLimitExceeded", "Too many requests in this minute.")
    }

    /// 503
    pub fn unavailable() -> Self {
        Self::described("ServiceUnavailable", "Try again shortly.")
    }

    /// 405, with the methods that there are.
    pub fn method_not_allowed(offered: &str) -> Self {
        Self::described("MethodNotAllowed", format!("Use {offered}."))
    }

    /// 415
    pub fn unsupported_media_type() -> Self {
        Self::described("UnsupportedMediaType", "Send application/json.")
    }

    /// 413
    pub fn payload_too_large(max: usize) -> Self {
        Self::described("PayloadTooLarge", format!("At most {max} bytes."))
    }

    /// 408
    pub fn request_timeout() -> Self {
        Self::described("RequestTimeout", "The request took too long to arrive.")
    }

    /// 400: a request that breaks the rules of HTTP, and which of them.
    pub fn bad_request(description: &str) -> Self {
        Self::described("BadRequest", description)
    }

    /// 500: without detail; the log has it.
    pub fn internal() -> Self {
        Self::described("InternalError", "The server failed. Its log names this request's id.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_field_and_each_thing_once() {
        let mut errors = FieldErrors::NONE;
        for _ in 0..2 {
            errors.add("redirect_uri", FieldErrorCode::TooLong, "is too long");
        }
        assert_eq!(
            serde_json::to_string(&ErrorBody::record_invalid(errors.clone())).unwrap(),
            r#"{"error":"RecordInvalid","description":"Record validation errors","details":{"redirect_uri":[{"description":"Redirect uri: is too long","error":"TooLong"}]}}"#
        );
        let told = FieldError {
            description: "Redirect uri: is too long".to_owned(),
            error: Some(FieldErrorCode::TooLong.into()),
        };
        assert_eq!(errors.of("redirect_uri"), [told]);
        assert_eq!(errors.of("name"), []);
        assert_eq!(errors.clone().none_or(1), Err(errors));
        assert_eq!(FieldErrors::NONE.none_or(1), Ok(1));
    }

    #[test]
    fn bodies_are_as_clients_know_them_and_read_back() {
        for (body, expected) in [
            (ErrorBody::unauthenticated(), r#"{"error":"Couldn't authenticate you"}"#),
            (
                ErrorBody::forbidden_by_role(),
                r#"{"error":{"title":"Forbidden","message":"Your role does not allow this."}}"#,
            ),
            (
                ErrorBody::forbidden_by_scope(&["users:read".to_owned(), "read".to_owned()]),
                r#"{"error":"Forbidden","description":"You are missing the following required scopes: users:read, read"}"#,
            ),
            (
                ErrorBody::invalid_token(),
                r#"{"error":"invalid_token","error_description":"The access token is unknown, expired or revoked."}"#,
            ),
            (
                ErrorBody::record_not_found(),
                r#"{"error":"RecordNotFound","description":"Not found"}"#,
            ),
            (
                ErrorBody::unreadable(),
                r#"{"error":"Unprocessable Entity","message":"Server could not parse JSON"}"#,
            ),
            (
                ErrorBody::pagination_too_deep(),
                r#"{"errors":[{"code":"InvalidPaginationDepth","title":"Offset pagination is limited to page 100","detail":"Use cursor pagination for more than 10000 records."}]}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&body).unwrap(), expected);
            assert_eq!(serde_json::from_str::<ErrorBody>(expected).unwrap(), body);
        }
    }
}
