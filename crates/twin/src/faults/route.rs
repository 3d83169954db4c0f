//! Which calls a fault is for.

use std::{fmt, str::FromStr};

use http::Method;
use tokenry_protocol::oauth::token::GrantType;
use tokenry_server::{config::nearest, request_path::without_json};

use super::error::FaultError;

const TOKEN_ENDPOINT: [&str; 2] = ["/oauth/tokens", "/oauth/token"];
const RECORD_API: &str = "/api/v2/";
const VERIFY: &str = "/api/v2/oauth/tokens/current";
/// The double's own addresses, whose calls no fault reaches.
const CONTROL: &str = "/twin";

/// A call, as far as faults look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// `GET`, `POST`, …
    pub method: &'a Method,
    /// Without the query.
    pub path: &'a str,
    /// What a request at the token endpoint asks for; `None` of every other call, and of a
    /// grant type that there is not.
    pub grant_type: Option<GrantType>,
    /// What can be expired, revoked or rotated before the call.
    pub presents: Presented,
}

/// What a call comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// No token: Basic credentials, a code, or nothing.
    NoToken,
    /// As bearer, or as `?access_token=`.
    AccessToken,
    /// At the token endpoint.
    RefreshToken,
}

impl Seen<'_> {
    /// Whether a rule without `route` is for it. Pages, their assets and health checks are asked
    /// for beside a test and would use up what is meant for its next call.
    fn is_of_the_api(&self) -> bool {
        self.path.starts_with(RECORD_API) || self.path.starts_with("/oauth/")
    }

    /// What browsers ask before a script's call (Fetch §3.2.2). No client under test decides about
    /// it, and it would use up what is meant for the call.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
    }

    fn is_control(&self) -> bool {
        let rest = self.path.strip_prefix(CONTROL);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn is_at_token_endpoint(&self) -> bool {
        self.method == Method::POST && TOKEN_ENDPOINT.contains(&self.path)
    }
}

/// Whether `seen` is a call of `route`; without one, whether it is a call of the API at all.
pub(super) fn is_for(route: Option<&RoutePattern>, seen: &Seen<'_>) -> bool {
    !seen.is_control() && route.map_or_else(|| seen.is_of_the_api(), |route| route.matches(seen))
}

/// Paths, or one of the words for what clients do most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutePattern {
    /// A kind of call.
    Word(RouteWord),
    /// A path with wildcards.
    Path(PathPattern),
}

/// Kinds of calls that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteWord {
    /// A token request, at either door.
    TokenEndpoint,
    /// Everything under `/api/v2/`.
    RecordApi,
    /// A token request that refreshes.
    Refresh,
    /// A token request that redeems an authorization code.
    Code,
    /// A token request of a client for itself.
    ClientCredentials,
    /// The look of a bearer token at itself.
    Verify,
}

impl RouteWord {
    /// Every word.
    pub const ALL: [Self; 6] = [
        Self::TokenEndpoint,
        Self::RecordApi,
        Self::Refresh,
        Self::Code,
        Self::ClientCredentials,
        Self::Verify,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenEndpoint => "token-endpoint",
            Self::RecordApi => "record-api",
            Self::Refresh => "refresh",
            Self::Code => "code",
            Self::ClientCredentials => "client-credentials",
            Self::Verify => "verify",
        }
    }

    /// Which calls it stands for.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::TokenEndpoint => "`POST /oauth/tokens` and `POST /oauth/token`",
            Self::RecordApi => "everything under `/api/v2/`",
            Self::Refresh => "a token request with `grant_type=refresh_token`",
            Self::Code => "a token request with `grant_type=authorization_code`",
            Self::ClientCredentials => "a token request with `grant_type=client_credentials`",
            Self::Verify => "`GET /api/v2/oauth/tokens/current`",
        }
    }

    fn matches(self, seen: &Seen<'_>) -> bool {
        let asks_for = |grant_type| seen.grant_type == Some(grant_type);
        match self {
            Self::TokenEndpoint => seen.is_at_token_endpoint(),
            Self::RecordApi => seen.path.starts_with(RECORD_API),
            Self::Refresh => asks_for(GrantType::RefreshToken),
            Self::Code => asks_for(GrantType::AuthorizationCode),
            Self::ClientCredentials => asks_for(GrantType::ClientCredentials),
            Self::Verify => seen.method == Method::GET && without_json(seen.path) == VERIFY,
        }
    }
}

/// A path in which `*` stands for any run of characters, slashes too, and `{id}` for a number. With
/// `.json` or without it is the same, as in the record API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    fn matches(&self, path: &str) -> bool {
        glob(without_json(&self.0), without_json(path))
    }
}

/// Whether `pattern` takes all of `text`.
fn glob(pattern: &str, text: &str) -> bool {
    let wildcard = pattern.find(['*', '{']).unwrap_or(pattern.len());
    let Some((plain, rest)) = pattern.split_at_checked(wildcard) else { return false };
    let Some(text) = text.strip_prefix(plain) else { return false };
    if let Some(rest) = rest.strip_prefix('*') {
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        return starts.any(|at| text.get(at..).is_some_and(|text| glob(rest, text)));
    }
    if let Some(rest) = rest.strip_prefix(ID) {
        let behind = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        return behind.len() < text.len() && glob(rest, behind);
    }
    text.is_empty()
}

const ID: &str = "{id}";
/// More than any pattern needs: each costs a loop within the loops of those before it.
const WILDCARDS_MAX: usize = 4;

impl RoutePattern {
    /// Whether the call is one of these.
    pub fn matches(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Word(word) => word.matches(seen),
            Self::Path(path) => path.matches(seen.path),
        }
    }
}

impl FromStr for RoutePattern {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let words = RouteWord::ALL;
        if let Some(word) = words.into_iter().find(|word| word.as_str() == text) {
            return Ok(Self::Word(word));
        }
        let fault = |right: String| FaultError::value("route", text, right);
        if !text.starts_with('/') {
            let meant = nearest(text, words.map(RouteWord::as_str));
            let names = || words.map(RouteWord::as_str).join(", ");
            return Err(fault(match meant {
                Some(meant) => format!("{meant}, or a path that begins with /"),
                None => format!("a path that begins with /, or one of {}", names()),
            }));
        }
        let is_visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'?' | b'#');
        if !text.bytes().all(is_visible) {
            return Err(fault("a path as it is sent, without query, comma and spaces".to_owned()));
        }
        if text.replace(ID, "").contains(['{', '}']) {
            return Err(fault("{id} for a number and * for anything".to_owned()));
        }
        if text.matches('*').count() > WILDCARDS_MAX {
            return Err(fault(format!("a path with at most {WILDCARDS_MAX} times *")));
        }
        Ok(Self::Path(PathPattern(text.to_owned())))
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Word(word) => word.as_str(),
            Self::Path(PathPattern(path)) => path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(method: &'a Method, path: &'a str) -> Seen<'a> {
        Seen { method, path, grant_type: None, presents: Presented::NoToken }
    }

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<RoutePattern>().unwrap().matches(&seen(&Method::GET, path))
    }

    #[test]
    fn a_star_takes_anything_and_an_id_a_number() {
        for (pattern, path, expected) in [
            ("/oauth/*", "/oauth/tokens", true),
            ("/oauth/*", "/oauth/authorizations/new", true),
            ("/oauth/*", "/oauth", false),
            ("/oauth/tokens", "/oauth/tokens", true),
            ("/oauth/tokens", "/oauth/tokens/5", false),
            ("/api/v2/oauth/tokens/{id}", "/api/v2/oauth/tokens/2001", true),
            ("/api/v2/oauth/tokens/{id}", "/api/v2/oauth/tokens/current", false),
            ("/api/v2/oauth/tokens/{id}", "/api/v2/oauth/tokens/", false),
            ("/api/v2/oauth/clients/{id}/*", "/api/v2/oauth/clients/41/generate_secret", true),
            ("/api/v2/*/{id}", "/api/v2/oauth/tokens/7", true),
            ("/api/v2/*/{id}", "/api/v2/oauth/tokens/7/x", false),
            ("/*", "/healthz", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn json_at_the_end_makes_no_difference_in_the_record_api() {
        for pattern in ["/api/v2/oauth/tokens/{id}", "/api/v2/oauth/tokens/{id}.json"] {
            for path in ["/api/v2/oauth/tokens/7", "/api/v2/oauth/tokens/7.json"] {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
        }
        assert!(!matches("/oauth/tokens", "/oauth/tokens.json"));
    }

    #[test]
    fn words_stand_for_kinds_of_calls() {
        let words = |seen: &Seen<'_>| {
            let matching = RouteWord::ALL.into_iter().filter(|word| word.matches(seen));
            matching.map(RouteWord::as_str).collect::<Vec<_>>().join(" ")
        };
        let at_door = |grant_type| {
            let seen = seen(&Method::POST, "/oauth/token");
            words(&Seen { grant_type: Some(grant_type), ..seen })
        };
        assert_eq!(at_door(GrantType::RefreshToken), "token-endpoint refresh");
        assert_eq!(at_door(GrantType::AuthorizationCode), "token-endpoint code");
        assert_eq!(at_door(GrantType::ClientCredentials), "token-endpoint client-credentials");
        assert_eq!(words(&seen(&Method::GET, "/oauth/tokens")), "");
        let current = "/api/v2/oauth/tokens/current.json";
        assert_eq!(words(&seen(&Method::GET, current)), "record-api verify");
        assert_eq!(words(&seen(&Method::DELETE, current)), "record-api");
    }

    #[test]
    fn without_a_route_a_rule_is_for_the_api_and_nothing_reaches_the_controls() {
        let every: RoutePattern = "/*".parse().unwrap();
        for (path, without, with) in [
            ("/api/v2/users/me", true, true),
            ("/oauth/tokens", true, true),
            ("/healthz", false, true),
            ("/assets/tokenry.css", false, true),
            ("/twins", false, true),
            ("/twin", false, false),
            ("/twin/faults", false, false),
        ] {
            assert_eq!(is_for(None, &seen(&Method::GET, path)), without, "{path}");
            assert_eq!(is_for(Some(&every), &seen(&Method::GET, path)), with, "{path}");
        }
    }

    #[test]
    fn what_is_no_route_is_told_what_is() {
        for (text, told) in [
            ("refrehs", "route=refrehs: write refresh, or a path that begins with /"),
            (
                "oauth/tokens",
                "route=oauth/tokens: write a path that begins with /, or one of token-endpoint, \
                 record-api, refresh, code, client-credentials, verify",
            ),
            ("/a,b", "route=/a,b: write a path as it is sent, without query, comma and spaces"),
            ("/a/{name}", "route=/a/{name}: write {id} for a number and * for anything"),
            ("/*/*/*/*/*", "route=/*/*/*/*/*: write a path with at most 4 times *"),
        ] {
            assert_eq!(text.parse::<RoutePattern>().unwrap_err().to_string(), told);
        }
    }
}
