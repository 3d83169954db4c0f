//! `oauth::token::TokenRequest`: from a form or from JSON, at both doors.

use tokenry_protocol::{
    oauth::{
        parameters::Parameters,
        token::{
            ACCESS_TOKEN_LIFETIME, Dialect, GrantType, REFRESH_TOKEN_LIFETIME, TokenRequest, Wishes,
        },
    },
    pkce::CodeVerifier,
    scope::Scope,
};

pub(super) fn run(data: &[u8]) {
    let parameters = match data.first() {
        Some(b'{') => Parameters::from_json(data),
        _ => Parameters::from_form(data),
    };
    let Ok(parameters) = parameters else { return };
    for grant_type in GrantType::ALL {
        let standard = TokenRequest::parse(grant_type, &parameters, Dialect::Standard);
        let record = TokenRequest::parse(grant_type, &parameters, Dialect::Record);
        check(&parameters, grant_type, &standard);
        check(&parameters, grant_type, &record);
        // The doors differ in one name.
        if parameters.has("scope") || !parameters.has("scopes") {
            assert_eq!(format!("{standard:?}"), format!("{record:?}"));
        }
    }
}

type Read = Result<TokenRequest, tokenry_protocol::oauth::parameters::InvalidRequest>;

fn check(parameters: &Parameters, grant_type: GrantType, read: &Read) {
    let sent = |name| parameters.text(name).unwrap().unwrap_or_default();
    let wishes = match (grant_type, read) {
        (_, Err(error)) => return assert!(!error.description.is_empty()),
        (
            GrantType::AuthorizationCode,
            Ok(TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, wishes }),
        ) => {
            assert!(!code.is_empty());
            assert_eq!(code, sent("code"));
            assert_eq!(redirect_uri.as_deref().unwrap_or_default(), sent("redirect_uri"));
            check_verifier(code_verifier.as_deref().unwrap_or_default());
            wishes
        }
        (GrantType::RefreshToken, Ok(TokenRequest::RefreshToken { refresh_token, wishes })) => {
            assert!(!refresh_token.is_empty());
            assert_eq!(refresh_token, sent("refresh_token"));
            wishes
        }
        (GrantType::ClientCredentials, Ok(TokenRequest::ClientCredentials { wishes })) => {
            assert_eq!(wishes.refresh_token_lifetime, None);
            wishes
        }
        (_, Ok(other)) => panic!("{grant_type:?} was read as {other:?}"),
    };
    check_wishes(wishes);
}

/// RFC 7636 §4.1 and §4.6.
fn check_verifier(text: &str) {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let expected = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
    match CodeVerifier::parse(text) {
        Ok(verifier) => assert!(expected && verifier.challenge().is_answered_by(&verifier)),
        Err(_) => assert!(!expected),
    }
}

fn check_wishes(wishes: &Wishes) {
    let access = wishes.access_token_lifetime;
    assert!(access.is_none_or(|asked| ACCESS_TOKEN_LIFETIME.contains(&asked.0)));
    let refresh = wishes.refresh_token_lifetime;
    assert!(refresh.is_none_or(|asked| REFRESH_TOKEN_LIFETIME.contains(&asked.0)));
    if let Some(scope) = &wishes.scope {
        assert_eq!(Scope::parse(&scope.to_string()).as_ref(), Ok(scope));
    }
}
