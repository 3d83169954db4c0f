//! Token request and answer (RFC 6749 §4.1.3, §4.4.2, §5.1, §6).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{api::extra::Extra, api::secret_text::SecretText, time::Seconds};

#[cfg(feature = "requests")]
mod request;

#[cfg(feature = "requests")]
pub use request::{Dialect, TokenRequest, Wishes};

/// Bounds of an access token's lifetime in seconds, both ends included.
pub const ACCESS_TOKEN_LIFETIME: std::ops::RangeInclusive<u32> = 300..=172_800;
/// Bounds of a refresh token's lifetime in seconds, both ends included.
pub const REFRESH_TOKEN_LIFETIME: std::ops::RangeInclusive<u32> = 604_800..=7_776_000;

/// The grant types there are: how a client comes by a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A user's consent, by a code that the browser brought (RFC 6749 §4.1).
    AuthorizationCode,
    /// The pair before, by its refresh token (RFC 6749 §6).
    RefreshToken,
    /// The client for itself, as the user who answers for it (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// Every grant type, in the order of metadata.
    pub const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == word)
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a token request is answered with (RFC 6749 §5.1): 201 at `POST /oauth/tokens`, 200 at `POST
/// /oauth/token`.
///
/// Both tokens are in full, and here alone: the record API shows their first 10 characters
/// ([`OAuthTokenObject`](crate::api::tokens::OAuthTokenObject)). A refresh answers with a new pair;
/// the pair before is dead, save that the same refresh again gives the same answer while nothing of
/// it was used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenResponse {
    /// The access token in full: 64 characters, or a JWT around them
    /// ([`JwtAccessTokenClaims`](super::jwt_access_token::JwtAccessTokenClaims)).
    ///
    /// Present: always.
    ///
    /// Example: `"a0000000WI_tokenry_0000lKNAPIz6Kun2j4HGTNwQZDwpQEUO8VKdiuh3IoRAy"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<SecretText>,
    /// How it is sent: `bearer` (RFC 6750).
    ///
    /// Present: always.
    ///
    /// Example: `"bearer"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// What it may do, separated by spaces.
    ///
    /// Present: always.
    ///
    /// Example: `"tickets:read users:read"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Seconds that the access token lives: 300 to 172,800. `POST /oauth/tokens` says it only to
    /// whom asked for a lifetime.
    ///
    /// Present: when the token expires.
    ///
    /// Example: `1800`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Seconds>,
    /// The refresh token in full, 64 characters. It is good for one refresh.
    ///
    /// Present: unless the grant was client credentials (RFC 6749 §4.4.3).
    ///
    /// Example: `"r0000000WI_tokenry_0000lJQ1paGiAaeV4UFk1ECbvx2IUSex0dltiOY4KT8Ir"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<SecretText>,
    /// Seconds that the refresh token lives: 604,800 to 7,776,000. An extension of the standard.
    ///
    /// Present: with `refresh_token`.
    ///
    /// Example: `2592000`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<Seconds>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_type_has_one_spelling_and_no_other_is_read() {
        for (grant_type, word) in [
            (GrantType::AuthorizationCode, "authorization_code"),
            (GrantType::RefreshToken, "refresh_token"),
            (GrantType::ClientCredentials, "client_credentials"),
        ] {
            assert_eq!(grant_type.as_str(), word);
            assert_eq!(GrantType::parse(word), Some(grant_type));
            assert_eq!(serde_json::to_value(grant_type).unwrap(), word);
        }
        for other in ["", "password", "Refresh_Token", "refresh_token "] {
            assert_eq!(GrantType::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn no_token_is_written_for_debugging() {
        let text = r#"{"access_token":"a-secret-of-others","refresh_token":"r-secret-of-others",
            "expires_in":300,"id_token":"i-secret-of-others"}"#;
        let response: TokenResponse = serde_json::from_str(text).unwrap();
        let shown = format!("{response:?}");
        assert!(shown.contains("Seconds(300)") && shown.contains("id_token"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn an_answer_keeps_what_it_does_not_know_and_leaves_out_what_has_no_value() {
        let text = r#"{"access_token":"gErypPlm4dOVgGRvA1ZzMH5MQ3nLo8bo","token_type":"bearer","scope":"read","id_token":"x.y.z"}"#;
        let response: TokenResponse = serde_json::from_str(text).unwrap();
        assert_eq!(response.extra.get("id_token"), Some(&"x.y.z".into()));
        assert_eq!(serde_json::to_string(&response).unwrap(), text);
        let nothing: TokenResponse = serde_json::from_str(r#"{"expires_in":null}"#).unwrap();
        assert_eq!(nothing, TokenResponse::default());
    }
}
