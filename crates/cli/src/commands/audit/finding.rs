//! What an audit finds: plain rules over records, and how each finding is mended.

use clap::ValueEnum;
use serde::Serialize;
use tokenry_client::models::{
    ApiTokenObject, OAuthClientObject, OAuthTokenObject, Timestamp, UserObject,
};
use tokenry_protocol::scope::{Scope, ScopeCatalog};

use super::record::Held;
use crate::commands::client::lacks_redirect;

/// Something that deserves a second look, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(super) enum Finding {
    /// It is an API token, which Zendesk ends on 30 April 2027
    ApiToken,
    /// Its access token works for ever
    NeverExpires,
    /// Nobody has ever used it
    NeverUsed,
    /// Nobody has used it for longer than --unused
    Unused,
    /// It may do more than its client may ask for now
    WiderThanClient,
    /// Its user is suspended
    UserSuspended,
    /// Its client has no redirect address, so that no user can renew their consent
    ClientWithoutRedirect,
}

impl Finding {
    /// As a table has it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::ApiToken => "API token",
            Self::NeverExpires => "never expires",
            Self::NeverUsed => "never used",
            Self::Unused => "unused",
            Self::WiderThanClient => "wider than its client",
            Self::UserSuspended => "user suspended",
            Self::ClientWithoutRedirect => "client without redirect address",
        }
    }

    /// What it means, beside how many of this kind there are.
    pub(super) fn meaning(self, kind: Held, unused: &str) -> String {
        let meaning = match self {
            Self::ApiToken => return "API token: Zendesk ends its own on 30 April 2027".to_owned(),
            Self::NeverExpires => "never expires".to_owned(),
            Self::NeverUsed => "never used".to_owned(),
            Self::Unused => format!("not used for {unused}"),
            Self::WiderThanClient => "may do more than its client may ask for".to_owned(),
            Self::UserSuspended => "user suspended".to_owned(),
            Self::ClientWithoutRedirect => {
                "client without a redirect address: nobody can consent again".to_owned()
            }
        };
        match kind {
            Held::AccessToken => meaning,
            Held::ApiToken => format!("API token: {meaning}"),
        }
    }

    /// The command that mends it in what is of this kind.
    pub(super) fn remedy(self, kind: Held, unused: &str) -> String {
        match (self, kind) {
            (Self::ApiToken, _) => "tokenry client create …, move its program there, then tokenry \
                                    api-token delete ID"
                .to_owned(),
            (_, Held::ApiToken) => "tokenry api-token delete ID".to_owned(),
            (Self::NeverExpires, _) => "tokenry token revoke --never-expires --dry-run".to_owned(),
            // One that was made yesterday may be about to be used, and rules do not mean it.
            (Self::NeverUsed, _) => format!(
                "tokenry token revoke ID, or of those that are old enough: tokenry token revoke \
                 --unused {unused} --dry-run"
            ),
            (Self::Unused, _) => format!("tokenry token revoke --unused {unused} --dry-run"),
            (Self::WiderThanClient, _) => {
                "tokenry token revoke ID, or tokenry client update CLIENT --scope SCOPES".to_owned()
            }
            (Self::UserSuspended, _) => "tokenry token revoke --user EMAIL --dry-run".to_owned(),
            (Self::ClientWithoutRedirect, _) => {
                "tokenry client update CLIENT --redirect-uri URL".to_owned()
            }
        }
    }
}

/// What there is to be said against a token.
pub(super) fn of_token(
    token: &OAuthTokenObject,
    client: Option<&OAuthClientObject>,
    user: Option<&UserObject>,
    unused_since: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if token.expires_at.is_none() {
        findings.push(Finding::NeverExpires);
    }
    findings.extend(of_use(token.used_at, unused_since));
    let allowed = client.and_then(|client| client.allowed_scopes.as_deref());
    if let (Some(allowed), Some(scopes)) = (allowed, token.scopes.as_deref())
        && is_wider(scopes, allowed)
    {
        findings.push(Finding::WiderThanClient);
    }
    findings.extend(of_user(user));
    if client.is_some_and(lacks_redirect) {
        findings.push(Finding::ClientWithoutRedirect);
    }
    findings
}

/// What there is to be said against an API token. One that is switched off harms nobody.
pub(super) fn of_api_token(
    token: &ApiTokenObject,
    user: Option<&UserObject>,
    unused_since: Timestamp,
) -> Vec<Finding> {
    if token.active == Some(false) {
        return Vec::new();
    }
    let mut findings = vec![Finding::ApiToken];
    findings.extend(of_use(token.last_used, unused_since));
    findings.extend(of_user(user));
    findings
}

fn of_use(used_at: Option<Timestamp>, unused_since: Timestamp) -> Option<Finding> {
    match used_at {
        None => Some(Finding::NeverUsed),
        Some(time) => (time < unused_since).then_some(Finding::Unused),
    }
}

fn of_user(user: Option<&UserObject>) -> Option<Finding> {
    user.is_some_and(|user| user.suspended == Some(true)).then_some(Finding::UserSuspended)
}

/// Whether scopes reach beyond a ceiling, by what they cover: `users:read` is within `read`.
fn is_wider(scopes: &[String], allowed: &[String]) -> bool {
    let parsed = |words: &[String]| Scope::parse(&words.join(" "));
    let resources = scopes.iter().chain(allowed).filter_map(|word| resource(word));
    match (parsed(scopes), parsed(allowed), ScopeCatalog::new(resources)) {
        (Ok(scope), Ok(ceiling), Ok(catalog)) => !scope.beyond(&ceiling, &catalog).is_empty(),
        // Words of another grammar cover themselves.
        _ => scopes.iter().any(|word| !allowed.contains(word)),
    }
}

/// The resource that a word speaks of, if it is not one of the general words.
fn resource(word: &str) -> Option<&str> {
    let name = word.split_once(':').map_or(word, |(name, _)| name);
    (!matches!(name, "read" | "write" | "unrestricted" | "impersonate")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn day(text: &str) -> Option<Timestamp> {
        Timestamp::parse(&format!("{text}T12:00:00Z"))
    }

    fn harmless() -> OAuthTokenObject {
        OAuthTokenObject {
            expires_at: day("2026-12-01"),
            used_at: day("2026-11-27"),
            scopes: Some(words("read")),
            ..OAuthTokenObject::default()
        }
    }

    fn client(redirect_uri: &[&str]) -> OAuthClientObject {
        OAuthClientObject {
            redirect_uri: Some(redirect_uri.iter().map(|&uri| uri.to_owned()).collect()),
            ..OAuthClientObject::default()
        }
    }

    #[test]
    fn every_finding_is_found_where_it_is_and_nowhere_else() {
        let since = day("2026-08-30").unwrap();
        let known = client(&["https://acme.test/cb"]);
        let (ada, eve) = (
            UserObject { suspended: Some(false), ..UserObject::default() },
            UserObject { suspended: Some(true), ..UserObject::default() },
        );
        let found = |token: OAuthTokenObject, client: &OAuthClientObject, user: &UserObject| {
            of_token(&token, Some(client), Some(user), since)
        };
        assert_eq!(found(harmless(), &known, &ada), []);
        let forever = OAuthTokenObject { expires_at: None, ..harmless() };
        assert_eq!(found(forever, &known, &ada), [Finding::NeverExpires]);
        let untouched = OAuthTokenObject { used_at: None, ..harmless() };
        assert_eq!(found(untouched, &known, &ada), [Finding::NeverUsed]);
        let forgotten = OAuthTokenObject { used_at: day("2026-08-29"), ..harmless() };
        assert_eq!(found(forgotten, &known, &ada), [Finding::Unused]);
        let at_the_edge = OAuthTokenObject { used_at: Some(since), ..harmless() };
        assert_eq!(found(at_the_edge, &known, &ada), []);
        assert_eq!(found(harmless(), &known, &eve), [Finding::UserSuspended]);
        assert_eq!(found(harmless(), &client(&[]), &ada), [Finding::ClientWithoutRedirect]);
        let narrow = OAuthClientObject {
            allowed_scopes: Some(words("users:read")),
            ..client(&["https://acme.test/cb"])
        };
        assert_eq!(found(harmless(), &narrow, &ada), [Finding::WiderThanClient]);
        assert_eq!(
            of_token(&harmless(), None, None, since),
            [],
            "what is unknown is not held against it"
        );
    }

    #[test]
    fn what_mends_an_access_token_is_not_what_mends_an_api_token() {
        for finding in Finding::value_variants() {
            let (token, api_token) =
                (finding.remedy(Held::AccessToken, "90d"), finding.remedy(Held::ApiToken, "90d"));
            assert!(api_token.contains("tokenry api-token delete ID"), "{api_token}");
            assert!(!api_token.contains("token revoke"), "{api_token}");
            assert_eq!(token == api_token, *finding == Finding::ApiToken, "{token}");
        }
        // A rule on age does not mean the young ones among those that were never used.
        let never_used = Finding::NeverUsed.remedy(Held::AccessToken, "90d");
        assert!(never_used.starts_with("tokenry token revoke ID"), "{never_used}");
    }

    #[test]
    fn an_api_token_is_a_finding_while_it_works() {
        let since = day("2026-08-30").unwrap();
        let token = ApiTokenObject { last_used: day("2026-11-27"), ..ApiTokenObject::default() };
        assert_eq!(of_api_token(&token, None, since), [Finding::ApiToken]);
        let never = ApiTokenObject { last_used: None, ..token.clone() };
        assert_eq!(of_api_token(&never, None, since), [Finding::ApiToken, Finding::NeverUsed]);
        let off = ApiTokenObject { active: Some(false), ..never };
        assert_eq!(of_api_token(&off, None, since), []);
    }

    #[test]
    fn a_scope_is_wider_by_what_it_covers() {
        for (scopes, allowed, expected) in [
            ("read", "read", false),
            ("users:read", "read", false),
            ("users", "users:read", true),
            ("users", "users:read users:write", false),
            ("read write", "unrestricted", false),
            ("read", "users:read", true),
            ("impersonate", "read write", true),
            ("Hc:Read", "Hc:Read", false),
            ("Hc:Read", "read", true),
        ] {
            assert_eq!(is_wider(&words(scopes), &words(allowed)), expected, "{scopes} / {allowed}");
        }
    }
}
