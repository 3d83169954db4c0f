//! Error codes of the grant endpoints and their body.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error code of the grant endpoints, as the wire spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749 §5.2: malformed, a parameter missing, unsupported or sent twice.
    InvalidRequest,
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient,
    /// RFC 6749 §5.2: the code or refresh token is invalid, expired, revoked or another client's.
    InvalidGrant,
    /// RFC 6749 §5.2: this client may not use this grant type.
    UnauthorizedClient,
    /// RFC 6749 §5.2: the grant type is not offered.
    UnsupportedGrantType,
    /// RFC 6749 §5.2 and §4.1.2.1: unknown, malformed or wider than allowed.
    InvalidScope,
    /// RFC 6749 §4.1.2.1: the response type is not offered.
    UnsupportedResponseType,
    /// RFC 6749 §4.1.2.1: the user refused.
    AccessDenied,
    /// RFC 6749 §4.1.2.1: a fault of ours.
    ServerError,
    /// RFC 6749 §4.1.2.1: cannot answer now; also on 429 and 503.
    TemporarilyUnavailable,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, and nobody is signed in.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, and consent is needed.
    ConsentRequired,
}

impl ErrorCode {
    /// The code as the wire spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The body of every error under `/oauth/` (RFC 6749 §5.2).
///
/// The status is 400; 401 where the client did not prove itself; 429 and 503 with
/// `temporarily_unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The code, for programs.
    ///
    /// Present: always.
    ///
    /// Example: `"invalid_grant"`
    pub error: ErrorCode,
    /// What is wrong and how to mend it, for the developer who reads it. A thief learns nothing
    /// from it: there is one text for every reason.
    ///
    /// Present: always.
    ///
    /// Example: `"The grant is invalid, expired or used."`
    pub error_description: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_spelling_in_bodies_addresses_and_logs() {
        use ErrorCode::{
            AccessDenied, ConsentRequired, InvalidClient, InvalidGrant, InvalidRequest,
            InvalidScope, LoginRequired, ServerError, TemporarilyUnavailable, UnauthorizedClient,
            UnsupportedGrantType, UnsupportedResponseType,
        };
        for (code, word) in [
            (InvalidRequest, "invalid_request"),
            (InvalidClient, "invalid_client"),
            (InvalidGrant, "invalid_grant"),
            (UnauthorizedClient, "unauthorized_client"),
            (UnsupportedGrantType, "unsupported_grant_type"),
            (InvalidScope, "invalid_scope"),
            (UnsupportedResponseType, "unsupported_response_type"),
            (AccessDenied, "access_denied"),
            (ServerError, "server_error"),
            (TemporarilyUnavailable, "temporarily_unavailable"),
            (LoginRequired, "login_required"),
            (ConsentRequired, "consent_required"),
        ] {
            assert_eq!(code.as_str(), word);
            assert_eq!(code.to_string(), word);
            assert_eq!(serde_json::to_value(code).unwrap(), word);
        }
    }
}
