//! Token request (RFC 6749 §4.1.3, §4.4.2, §6).

use std::fmt;

use super::{ACCESS_TOKEN_LIFETIME, GrantType, REFRESH_TOKEN_LIFETIME};
use crate::{
    oauth::parameters::{InvalidRequest, Parameters},
    scope::{InvalidScope, Scope},
    time::Seconds,
};

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
    /// `scope`: what the tokens shall do, separated by spaces; at most what the grant allows.
    /// Without it, all of that. `POST /oauth/tokens` reads `scopes` too, where there is no `scope`.
    ///
    /// Example: `"tickets:read users:read"`
    pub scope: Option<Scope>,
    /// `expires_in`: seconds that the access token shall live, 300 to 172,800. Without it, as the
    /// server is set; after a refresh, as before.
    ///
    /// Example: `1800`
    pub access_token_lifetime: Option<Seconds>,
    /// `refresh_token_expires_in`: seconds that the refresh token shall live, 604,800 to 7,776,000.
    /// Ignored for client credentials, which get none (RFC 6749 §4.4.3).
    ///
    /// Example: longer: `2592000`
    pub refresh_token_lifetime: Option<Seconds>,
}

/// The parameters of a token request, read but not yet judged.
///
/// `POST /oauth/token` takes them as a form, `POST /oauth/tokens` as a form or as the members of a
/// JSON object. The client proves itself beside them, by HTTP Basic or by `client_id` and
/// `client_secret`, never by both (RFC 6749 §2.3.1); a public client sends its `client_id` alone.
/// The answer is a [`TokenResponse`](super::TokenResponse), errors are
/// [`ErrorResponse`](crate::oauth::error::ErrorResponse)s.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// `grant_type=authorization_code`: a code becomes tokens, once (RFC 6749 §4.1.3).
    AuthorizationCode {
        /// `code`: as the browser brought it.
        ///
        /// Example: `"c0000000WI_tokenry_00000GQzBKDPo26EhpRs1jJQzr8zh2duCTDl4KR0NLq1S"`
        code: String,
        /// `redirect_uri`: the address of the authorization request, letter for letter, where that
        /// named one.
        ///
        /// Example: `"http://127.0.0.1:53123/callback"`
        redirect_uri: Option<String>,
        /// `code_verifier`: of which the authorization request sent the hash; required of public
        /// clients (RFC 7636 §4.5).
        ///
        /// Example: `"x3Jq0aV7mTnKc2LwR9sYdE5uHbG8fPzI1oN4tQ6kMvA"`
        code_verifier: Option<String>,
        /// What is asked of the tokens.
        wishes: Wishes,
    },
    /// `grant_type=refresh_token`: a pair becomes the next pair (RFC 6749 §6).
    RefreshToken {
        /// `refresh_token`: the newest of the record.
        ///
        /// Example: `"r0000000WI_tokenry_0000lJQ1paGiAaeV4UFk1ECbvx2IUSex0dltiOY4KT8Ir"`
        refresh_token: String,
        /// What is asked of the tokens.
        wishes: Wishes,
    },
    /// `grant_type=client_credentials`: a confidential client gets a token for itself (RFC 6749
    /// §4.4.2).
    ClientCredentials {
        /// What is asked of the token.
        wishes: Wishes,
    },
}

/// Without the credentials that it carries.
impl fmt::Debug for TokenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.grant_type().as_str(), self.wishes())
    }
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
    /// The grant type.
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
        }
    }

    /// The parameters of a request, by name, as a client sends them.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Wishes { scope, access_token_lifetime, refresh_token_lifetime } = self.wishes();
        let own = match self {
            Self::AuthorizationCode { code, redirect_uri, code_verifier, .. } => vec![
                ("code", Some(code.clone())),
                ("redirect_uri", redirect_uri.clone()),
                ("code_verifier", code_verifier.clone()),
            ],
            Self::RefreshToken { refresh_token, .. } => {
                vec![("refresh_token", Some(refresh_token.clone()))]
            }
            Self::ClientCredentials { .. } => Vec::new(),
        };
        let wishes = [
            ("scope", scope.as_ref().map(ToString::to_string)),
            ("expires_in", access_token_lifetime.map(|lifetime| lifetime.to_string())),
            ("refresh_token_expires_in", refresh_token_lifetime.map(|span| span.to_string())),
        ];
        let sent = own.into_iter().chain(wishes);
        std::iter::once(("grant_type", self.grant_type().as_str().to_owned()))
            .chain(sent.filter_map(|(name, value)| Some((name, value?))))
            .collect()
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::ErrorCode;

    fn refresh(form: &str, dialect: Dialect) -> Result<TokenRequest, InvalidRequest> {
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        TokenRequest::parse(GrantType::RefreshToken, &parameters, dialect)
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads_at_both_doors() {
        let wishes = Wishes {
            scope: Some(Scope::parse("read users:write").unwrap()),
            access_token_lifetime: Some(Seconds(300)),
            refresh_token_lifetime: Some(Seconds(604_800)),
        };
        for request in [
            TokenRequest::AuthorizationCode {
                code: "c&d".to_owned(),
                redirect_uri: Some("https://a.test/?x=1".to_owned()),
                code_verifier: Some("~".repeat(43)),
                wishes: wishes.clone(),
            },
            TokenRequest::RefreshToken { refresh_token: "r+%".to_owned(), wishes },
            TokenRequest::ClientCredentials { wishes: Wishes::NONE },
        ] {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(request.pairs());
            let parameters = Parameters::from_form(form.finish().as_bytes()).unwrap();
            let grant_type = parameters.text("grant_type").unwrap().and_then(GrantType::parse);
            assert_eq!(grant_type, Some(request.grant_type()));
            for dialect in [Dialect::Record, Dialect::Standard] {
                let read = TokenRequest::parse(request.grant_type(), &parameters, dialect);
                assert_eq!(read.unwrap(), request);
            }
            assert!(!format!("{request:?}").contains("r+%"));
        }
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
