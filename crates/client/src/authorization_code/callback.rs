//! What a user came back with: a code that may be redeemed, or why there is none.

use std::{error::Error as StdError, fmt};

use tokenry_protocol::{
    api::{open::Open, secret_text::SecretText},
    oauth::{
        error::ErrorCode,
        parameters::InvalidRequest,
        token::{TokenRequest, Wishes},
    },
};

use super::PendingAuthorization;
use crate::{ClientAuthentication, Server, refusal::plain, resources::grant_type_tokens::Door};

/// A code that came back with our `state`, from the server that was asked. Only
/// [`PendingAuthorization::check`] makes it, and redeeming it uses it up.
#[must_use = "a code lives for a short time: redeem it"]
pub struct CheckedCallback {
    pub(super) code: SecretText,
    pub(super) authorization: PendingAuthorization,
}

impl CheckedCallback {
    /// The request that redeems the code, if this client asked for it.
    pub(crate) fn into_request(
        self,
        client: &ClientAuthentication,
    ) -> (Result<TokenRequest, String>, Server, Door) {
        let Self { code, authorization } = self;
        let asked = &authorization.client_id;
        let request = if client.client_id() == asked {
            Ok(TokenRequest::AuthorizationCode {
                code: code.reveal().to_owned(),
                redirect_uri: Some(authorization.redirect_uri),
                code_verifier: Some(authorization.code_verifier.reveal().to_owned()),
                wishes: Wishes::NONE,
            })
        } else {
            Err(format!("the code was asked for by the client {asked}, and no other can redeem it"))
        };
        (request, authorization.server, authorization.door)
    }
}

/// Without the code.
impl fmt::Debug for CheckedCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CheckedCallback")
            .field("authorization", &self.authorization)
            .finish_non_exhaustive()
    }
}

/// Why a callback brings no code that may be redeemed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// It cannot be read, or has a parameter twice.
    #[error("the callback cannot be read: {}", plain(.0))]
    Malformed(String),
    /// `state` is missing or not ours: the callback belongs to another sign-in, or somebody tries
    /// to slip in a code of their own (RFC 6749 §10.12).
    #[error("the callback does not belong to this sign-in: begin again")]
    OtherState,
    /// The answer must say who gives it, and does not (RFC 9207 §2.4).
    #[error("the callback does not say which server it comes from (iss)")]
    IssuerMissing,
    /// The answer is another server's (RFC 9207 §2.4).
    #[error("the callback comes from {}, and {expected} was asked", plain(named))]
    OtherIssuer {
        /// Who was asked.
        expected: String,
        /// Who says to have answered. Whoever wrote the callback chose these words.
        named: String,
    },
    /// The user or the server said no.
    #[error("the server refused: {0}")]
    Refused(#[source] AuthorizationRefusal),
    /// Neither a code nor an error.
    #[error("the callback has neither a code nor an error")]
    CodeMissing,
}

/// Whoever wrote the callback chose its words: they are cleaned here too.
impl fmt::Debug for CallbackError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CallbackError").field(&self.to_string()).finish()
    }
}

impl From<InvalidRequest> for CallbackError {
    fn from(error: InvalidRequest) -> Self {
        Self::Malformed(error.description)
    }
}

/// The error that a user came back with (RFC 6749 §4.1.2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRefusal {
    code: Open<ErrorCode>,
    description: Option<String>,
    uri: Option<String>,
}

impl AuthorizationRefusal {
    pub(super) fn new(code: &str, description: Option<&str>, uri: Option<&str>) -> Self {
        let known = serde_json::from_value(code.into());
        let code = known.map_or_else(|_| Open::Other(code.to_owned()), Open::Known);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self { code, description: owned(description), uri: owned(uri) }
    }

    /// The code: `access_denied` when the user refused.
    pub const fn code(&self) -> &Open<ErrorCode> {
        &self.code
    }

    /// Whether the user refused, and nothing is wrong.
    pub fn is_denied(&self) -> bool {
        self.code.known() == Some(&ErrorCode::AccessDenied)
    }

    /// `error_description`: what is wrong, for the developer, as it came. [`Display`](fmt::Display)
    /// cleans it for terminals.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// `error_uri`: a page that says more, as it came.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }
}

impl fmt::Display for AuthorizationRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&plain(&self.code.to_string()))?;
        match &self.description {
            Some(description) => write!(formatter, ": {}", plain(description)),
            None => Ok(()),
        }
    }
}

/// As cleaned as its [`Display`](fmt::Display).
impl fmt::Debug for AuthorizationRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizationRefusal")
            .field("code", &plain(&self.code.to_string()))
            .field("description", &self.description().map(plain))
            .field("uri", &self.uri().map(plain))
            .finish()
    }
}

impl StdError for AuthorizationRefusal {}
