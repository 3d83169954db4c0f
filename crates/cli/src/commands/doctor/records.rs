//! What is kept at the server and deserves a look: API tokens, tokens without end, clients.

use tokenry_client::{
    Client, Credentials, Error, Server,
    models::{ApiTokenObject, OAuthClientObject, Timestamp, UserObject},
};

use super::{report::Report, server::days};
use crate::{
    commands::client::lacks_redirect,
    connection::{self, is_zendesk},
    progress::counted,
};

/// Records that are looked at, at most: enough to know that something is to be done.
const PAGES_MAX: usize = 20;
/// So many API tokens in use are many.
const API_TOKENS_MANY: usize = 10;
/// An API token that was used within these days is in use.
const IN_USE_DAYS: i64 = 30;
/// When Zendesk ends API tokens.
const API_TOKENS_END: (&str, i64) = ("30 April 2027", 1_809_043_200);

/// Checks what an administrator sees.
pub(super) async fn check(
    client: &Client,
    credentials: &Credentials,
    user: &UserObject,
    report: &mut Report,
) {
    let role = user.role.as_deref().unwrap_or("unknown");
    if role != "admin" {
        return report.warn(
            "role",
            format!("{role}: others' tokens, clients and API tokens are not seen"),
            "sign in as an administrator to have them checked",
        );
    }
    report.ok("role", role);
    check_api_tokens(client, report).await;
    if is_zendesk(client.server()) && matches!(credentials, Credentials::ApiToken { .. }) {
        let found = format!("an API token, which Zendesk takes until {}", API_TOKENS_END.0);
        report.warn("signed in by", found, "sign in with an access token: tokenry login");
    }
    told("tokens without end", check_tokens(client, report).await, report);
    told("clients", check_clients(client, report).await, report);
}

/// What could not be looked at is no proof that it is right.
fn told(check: &'static str, done: Result<(), Error>, report: &mut Report) {
    if let Err(error) = done {
        let mend = "the credentials may lack the scope for it: sign in with an API token";
        report.warn(check, format!("cannot be looked at: {error}"), mend);
    }
}

async fn check_api_tokens(client: &Client, report: &mut Report) {
    let tokens = match client.api_tokens().list().await {
        Ok(answer) => answer.api_tokens,
        Err(error) => return told("API tokens", Err(error), report),
    };
    let (found, mend) = judged(client.server(), &tokens, connection::now());
    match mend {
        Some(mend) => report.warn("API tokens", found, mend),
        None => report.ok("API tokens", found),
    }
}

/// What there is to say of the API tokens of a server, and to mend.
fn judged(
    server: &Server,
    tokens: &[ApiTokenObject],
    now: Timestamp,
) -> (String, Option<&'static str>) {
    let used = tokens.iter().filter(|token| is_in_use(token, now)).count();
    let found = format!("{used} in use, of {}", counted_len(tokens.len(), "API token"));
    let (end, seconds) = API_TOKENS_END;
    let left = days(now, Timestamp::from_seconds(seconds));
    if is_zendesk(server) && !tokens.is_empty() {
        let when = if left < 0 { "has ended" } else { "ends" };
        let found = format!("{found}; Zendesk {when} them on {end}");
        let mend = "`tokenry api-token list` shows which; let their programs use access tokens of \
                    a client instead: `tokenry client create`";
        return (found, Some(mend));
    }
    let mend = "each is as good as a password and never ends: prefer access tokens of clients, \
                which do. `tokenry api-token list` shows who uses them";
    (found, (used > API_TOKENS_MANY).then_some(mend))
}

fn is_in_use(token: &ApiTokenObject, now: Timestamp) -> bool {
    let is_recent = |used| days(used, now) <= IN_USE_DAYS;
    token.active != Some(false) && token.last_used.is_some_and(is_recent)
}

async fn check_tokens(client: &Client, report: &mut Report) -> Result<(), Error> {
    let mut pages = client.oauth_tokens().list().all(true).pages();
    let (mut endless, mut looked_at) = (0, 0);
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await? else {
            break;
        };
        looked_at += page.tokens.len();
        endless += page.tokens.iter().filter(|token| token.expires_at.is_none()).count();
    }
    let of = counted_len(looked_at, "token");
    if endless == 0 {
        report.ok("tokens without end", format!("none of {of}"));
    } else {
        let found = format!("{endless} of {of} never expire");
        let mend = "`tokenry token list --never-expires` shows which; a lifetime for new ones is \
                    set by `tokens.access_token_lifetime` or a client's own limit";
        report.warn("tokens without end", found, mend);
    }
    Ok(())
}

async fn check_clients(client: &Client, report: &mut Report) -> Result<(), Error> {
    let mut pages = client.oauth_clients().list().pages();
    let (mut nowhere, mut looked_at) = (Vec::new(), 0);
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await? else {
            break;
        };
        looked_at += page.clients.len();
        nowhere.extend(page.clients.into_iter().filter(lacks_redirect).map(name));
    }
    let of = counted_len(looked_at, "client");
    if nowhere.is_empty() {
        report.ok("clients", format!("{of}, none without a redirect address that needs one"));
    } else {
        let shown = nowhere.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let found = format!("{} of {of} without a redirect address: {shown}", nowhere.len());
        let mend = "no user can come back to them: `tokenry client update NAME --redirect-uri \
                    URL`, or `--grant-type client_credentials` for one that acts for itself";
        report.warn("clients", found, mend);
    }
    Ok(())
}

fn name(client: OAuthClientObject) -> String {
    let id = client.id.map(|id| id.to_string());
    client.identifier.or(id).unwrap_or_else(|| "one without a name".to_owned())
}

fn counted_len(count: usize, noun: &str) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(used: usize, count: usize, now: Timestamp) -> Vec<ApiTokenObject> {
        let token = |index| ApiTokenObject {
            last_used: (index < used).then_some(now),
            ..ApiTokenObject::default()
        };
        (0..count).map(token).collect()
    }

    #[test]
    fn api_tokens_are_to_be_replaced_at_zendesk_before_their_end_and_elsewhere_when_they_are_many()
    {
        let now = Timestamp::parse("2026-12-01T00:00:00Z").unwrap();
        let (own, zendesk) = (Server::parse("https://auth.acme.test"), Server::zendesk("acme"));
        for (server, used, count, expected) in [
            (&own, 10, 40, None),
            (&own, 11, 11, Some("11 in use, of 11 API tokens")),
            (&zendesk, 0, 0, None),
            (&zendesk, 0, 1, Some("0 in use, of 1 API token; Zendesk ends them on 30 April 2027")),
        ] {
            let server = server.as_ref().unwrap();
            let (found, mend) = judged(server, &tokens(used, count, now), now);
            assert_eq!(mend.map(|_| found.as_str()), expected, "{server}");
        }
    }

    #[test]
    fn what_was_used_long_ago_or_is_disabled_is_not_in_use() {
        let now = Timestamp::parse("2026-12-01T00:00:00Z").unwrap();
        let of = |used: &str, active| ApiTokenObject {
            last_used: Timestamp::parse(used),
            active: Some(active),
            ..ApiTokenObject::default()
        };
        assert!(is_in_use(&of("2026-11-15T00:00:00Z", true), now));
        assert!(!is_in_use(&of("2026-11-15T00:00:00Z", false), now));
        assert!(!is_in_use(&of("2026-10-01T00:00:00Z", true), now));
    }
}
