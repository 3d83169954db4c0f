//! Token request and answer (RFC 6749 §4.1.3, §4.4.2, §5.1, §6).

use serde::{Deserialize, Serialize};

use super::parameters::{InvalidRequest, Parameters};
use crate::{
    scope::{InvalidScope, Scope},
    time::Seconds,
};

/// Bounds of an access token's lifetime in seconds, both ends included.
pub const ACCESS_TOKEN_LIFETIME: std::ops::RangeInclusive<u32> = 300..=172_800;
/// Bounds of a refresh token's lifetime in seconds, both ends included.
pub const REFRESH_TOKEN_LIFETIME: std::ops::RangeInclusive<u32> = 604_800..=7_776_000;

/// The grant types there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1
    AuthorizationCode,
    /// RFC 6749 §6
    RefreshToken,
    /// RFC 6749 §4.4
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

/// Which manners a token request is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /oauth/tokens`: the record API's.
    Record,
    /// `POST /oauth/token`: the standard's.
    Standard,
}

/// What a client asks of the tokens it will get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// `scope`
    pub scope: Option<Scope>,
    /// `expires_in`
    pub access_token_lifetime: Option<Seconds>,
    /// `refresh_token_expires_in`
    pub refresh_token_lifetime: Option<Seconds>,
}

/// A token request, read but not yet judged.
#[derive(Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3
    AuthorizationCode {
        /// `code`
        code: String,
        /// `redirect_uri`
        redirect_uri: Option<String>,
        /// `code_verifier` (RFC 7636 §4.5)
        code_verifier: Option<String>,
        /// What is asked of the tokens.
        wishes: Wishes,
    },
    /// RFC 6749 §6
    RefreshToken {
        /// `refresh_token`
        refresh_token: String,
        /// What is asked of the tokens.
        wishes: Wishes,
    },
    /// RFC 6749 §4.4.2
    ClientCredentials {
        /// What is asked of the token.
        wishes: Wishes,
    },
}

impl TokenRequest {
    /// Reads the parameters of one grant type.
    pub fn parse(
        grant_type: GrantType,
        parameters: &Parameters,
        dialect: Dialect,
    ) -> Result<Self, InvalidRequest> {
        let required = |name: &str| {
            let missing = || InvalidRequest::new(format!("{name} is missing."));
            parameters.text(name)?.map(str::to_owned).ok_or_else(missing)
        };
        let optional = |name: &str| Ok(parameters.text(name)?.map(str::to_owned));
        match grant_type {
            GrantType::AuthorizationCode => Ok(Self::AuthorizationCode {
                code: required("code")?,
                redirect_uri: optional("redirect_uri")?,
                code_verifier: optional("code_verifier")?,
                wishes: Wishes::parse(parameters, dialect, grant_type)?,
            }),
            GrantType::RefreshToken => Ok(Self::RefreshToken {
                refresh_token: required("refresh_token")?,
                wishes: Wishes::parse(parameters, dialect, grant_type)?,
            }),
            GrantType::ClientCredentials => Ok(Self::ClientCredentials {
                wishes: Wishes::parse(parameters, dialect, grant_type)?,
            }),
        }
    }
}

impl TokenRequest {
    /// What is asked of the tokens.
    pub const fn wishes(&self) -> &Wishes {
        match self {
            Self::AuthorizationCode { wishes, .. }
            | Self::RefreshToken { wishes, .. }
            | Self::ClientCredentials { wishes } => wishes,
        }
    }
}

impl Wishes {
    /// No wish at all.
    pub const NONE: Self =
        Self { scope: None, access_token_lifetime: None, refresh_token_lifetime: None };

    fn parse(
        parameters: &Parameters,
        dialect: Dialect,
        grant_type: GrantType,
    ) -> Result<Self, InvalidRequest> {
        let access_token_lifetime = parameters.seconds("expires_in", ACCESS_TOKEN_LIFETIME)?;
        let refresh_token_lifetime = match grant_type {
            // There will be no refresh token (RFC 6749 §4.4.3), so nothing is asked of it.
            GrantType::ClientCredentials => None,
            _ => parameters.seconds("refresh_token_expires_in", REFRESH_TOKEN_LIFETIME)?,
        };
        // Zendesk's own refresh sample writes `scopes`.
        let name = match dialect {
            Dialect::Record if !parameters.has("scope") => "scopes",
            _ => "scope",
        };
        if parameters.is_not_text(name) {
            return Err(InvalidRequest::scope("scope must be one string."));
        }
        let scope = match parameters.text(name)?.map(Scope::parse) {
            None | Some(Err(InvalidScope::Empty)) => None,
            Some(scope) => Some(scope.map_err(|error| InvalidRequest::scope(format!("{error}.")))?),
        };
        Ok(Self { scope, access_token_lifetime, refresh_token_lifetime })
    }
}

/// What a token request is answered with (RFC 6749 §5.1).
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `bearer` (RFC 6750).
    pub token_type: String,
    /// What it may do, always stated.
    pub scope: String,
    /// Seconds that the access token lives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in: Option<Seconds>,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token: Option<String>,
    /// Seconds that the refresh token lives (an extension).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token_expires_in: Option<Seconds>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TokenResponse")
            .field("scope", &self.scope)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::ErrorCode;

    fn refresh(form: &str, dialect: Dialect) -> Result<TokenRequest, InvalidRequest> {
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        TokenRequest::parse(GrantType::RefreshToken, &parameters, dialect)
    }

    #[test]
    fn the_plural_is_read_at_the_record_door_when_the_singular_is_missing() {
        let scope_of = |form: &str, dialect| match refresh(form, dialect).unwrap() {
            TokenRequest::RefreshToken { wishes, .. } => {
                wishes.scope.map(|scope| scope.to_string())
            }
            _ => unreachable!(),
        };
        let plural = "refresh_token=x&scopes=write";
        assert_eq!(scope_of(plural, Dialect::Record).as_deref(), Some("write"));
        assert_eq!(scope_of(plural, Dialect::Standard), None);
        let both = "refresh_token=x&scopes=write&scope=read";
        assert_eq!(scope_of(both, Dialect::Record).as_deref(), Some("read"));
    }

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
    fn client_credentials_ask_nothing_of_a_refresh_token_that_will_not_be() {
        let parameters = Parameters::from_form(b"refresh_token_expires_in=1&scope=read").unwrap();
        let read = |grant_type| TokenRequest::parse(grant_type, &parameters, Dialect::Standard);
        let wishes = Wishes { scope: Some(Scope::read()), ..Wishes::NONE };
        match read(GrantType::ClientCredentials).unwrap() {
            TokenRequest::ClientCredentials { wishes: found } => assert_eq!(found, wishes),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_scope_is_one_string_and_an_empty_one_asks_for_nothing() {
        let read = |json: &str| {
            let parameters = Parameters::from_json(json.as_bytes()).unwrap();
            TokenRequest::parse(GrantType::ClientCredentials, &parameters, Dialect::Standard)
        };
        for refused in [r#"{"scope":["read"]}"#, r#"{"scope":"Read"}"#] {
            assert_eq!(read(refused).unwrap_err().code, ErrorCode::InvalidScope, "{refused}");
        }
        for nothing in ["{}", r#"{"scope":null}"#, r#"{"scope":""}"#, r#"{"scope":"  "}"#] {
            match read(nothing).unwrap() {
                TokenRequest::ClientCredentials { wishes } => assert_eq!(wishes, Wishes::NONE),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn no_token_is_written_for_debugging() {
        let response = TokenResponse {
            access_token: "a-secret".to_owned(),
            token_type: "bearer".to_owned(),
            scope: "read".to_owned(),
            expires_in: Some(Seconds(300)),
            refresh_token: Some("r-secret".to_owned()),
            refresh_token_expires_in: None,
        };
        let shown = format!("{response:?}");
        assert_eq!(shown, r#"TokenResponse { scope: "read", expires_in: Some(Seconds(300)), .. }"#);
    }

    #[test]
    fn what_is_missing_or_out_of_bounds_is_named() {
        for (form, description) in [
            ("scope=read", "refresh_token is missing."),
            ("refresh_token=x&expires_in=299", "expires_in must be 300 to 172800."),
            ("refresh_token=x&expires_in=172801", "expires_in must be 300 to 172800."),
            (
                "refresh_token=x&refresh_token_expires_in=604799",
                "refresh_token_expires_in must be 604800 to 7776000.",
            ),
            ("refresh_token=x&expires_in=abc", "expires_in must be 300 to 172800."),
        ] {
            assert_eq!(refresh(form, Dialect::Standard).unwrap_err().description, description);
        }
        assert!(refresh("refresh_token=x&expires_in=300", Dialect::Standard).is_ok());
    }
}
