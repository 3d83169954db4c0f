//! The server that one is signed in at.

use tokenry_client::{
    Answer, Client, Credentials, Error, RefusalKind, Server, TransportErrorKind,
    models::{Metadata, OAuthTokenObject, Timestamp, UserObject},
};

use super::{http_date, records, report::Report};
use crate::connection::{self, ConnectionArgs, Target};

/// Clocks that differ by more are worth a look, and by this much wrong.
const SKEW_NOTABLE_MILLIS: u64 = 30_000;
const SKEW_MAX_MILLIS: u64 = 300_000;

/// Checks whether the server is there, what it says of itself, and what one may do there.
pub(super) async fn check(arguments: &ConnectionArgs, target: Target, report: &mut Report) {
    let Target { server, credentials, profile } = target;
    let client = match connection::client(arguments, &server, credentials.clone()) {
        Ok(client) => client,
        Err(error) => return report.failed("server", &error, "name another with --server"),
    };
    if !check_transport(arguments, &server, report) {
        return;
    }
    if !check_metadata(&client, report).await {
        return;
    }
    if matches!(credentials, Credentials::None) {
        let found = format!("nobody is signed in at {server}");
        return report.warn("sign-in", found, format!("tokenry login --server {server}"));
    }
    let by = profile.map(|name| format!(" by the profile {name}")).unwrap_or_default();
    let Some(user) = check_user(&client, &by, report).await else {
        return;
    };
    if matches!(credentials, Credentials::Bearer(_) | Credentials::Source(_)) {
        check_token(&client, report).await;
    }
    records::check(&client, &credentials, &user, report).await;
}

/// Whether credentials may be sent there at all.
fn check_transport(arguments: &ConnectionArgs, server: &Server, report: &mut Report) -> bool {
    if server.is_safe() {
        let how = if server.as_str().starts_with("https:") { "https" } else { "this machine" };
        report.ok("transport", format!("{server}: {how}"));
        return true;
    }
    let found = format!("{server} is plain http: everybody on the way reads the credentials");
    report.wrong("transport", found, "put TLS in front of the server, and name it with https://");
    arguments.insecure_http()
}

/// Asks the server who it is. Whether it was reached.
async fn check_metadata(client: &Client, report: &mut Report) -> bool {
    match client.authorization_server().metadata().answer().await {
        Ok(answer) => {
            report.ok("reachable", format!("answers {}", answer.status.as_u16()));
            check_issuer(client.server(), &answer.value, report);
            check_skew(&answer, report);
            true
        }
        Err(error) if error.kind() == Some(RefusalKind::NotFound) => {
            report.ok("reachable", "answers, and has no metadata, as Zendesk");
            true
        }
        Err(Error::Unreadable(error)) => {
            report.warn(
                "metadata",
                format!("/.well-known/oauth-authorization-server: {}", error.what()),
                "is it the address of a Tokenry or Zendesk server?",
            );
            true
        }
        Err(error) => {
            let is_connect = matches!(
                &error,
                Error::Transport(error) if error.kind() == TransportErrorKind::Connect
            );
            let mend = "is the address right, does the server run, and is its certificate one that \
                        this machine trusts and that has not ended?";
            if is_connect {
                report.wrong("reachable", error, mend);
            } else {
                report.failed("reachable", &error.into(), mend);
            }
            false
        }
    }
}

fn check_issuer(server: &Server, metadata: &Metadata, report: &mut Report) {
    let issuer = Server::parse(&metadata.issuer).ok();
    if issuer.as_ref() == Some(server) {
        report.ok("issuer", &metadata.issuer);
    } else {
        report.wrong(
            "issuer",
            format!("the server says that it is {}, and is asked as {server}", metadata.issuer),
            "name it by that address, or set `base_url` of the server to the one that clients use",
        );
    }
    let endpoints = [
        ("authorization_endpoint", &metadata.authorization_endpoint),
        ("token_endpoint", &metadata.token_endpoint),
    ];
    let missing: Vec<_> =
        endpoints.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        report.ok("metadata", "names the endpoints");
    } else {
        let found = format!("names no {}", missing.join(" and no "));
        report.warn("metadata", found, "clients that discover a server cannot use this one");
    }
}

fn check_skew(answer: &Answer<Metadata>, report: &mut Report) {
    let date = answer.headers.get("date").and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(http_date::parse) else {
        return;
    };
    let skew = theirs.millis_since(connection::now());
    let found = format!("{} s between the server's clock and this machine's", skew / 1_000);
    let mend = "set both clocks, and keep them with a time service such as chrony";
    match skew.unsigned_abs() {
        SKEW_MAX_MILLIS.. => report.wrong("clocks", found, mend),
        SKEW_NOTABLE_MILLIS.. => report.warn("clocks", found, mend),
        _ => report.ok("clocks", "the server's and this machine's agree"),
    }
}

async fn check_user(client: &Client, by: &str, report: &mut Report) -> Option<UserObject> {
    let mend = "sign in again: tokenry login";
    match client.users().me().await {
        Ok(answer) => match answer.user {
            Some(user) if user.id.is_some() => {
                let name = user.email.as_deref().or(user.name.as_deref()).unwrap_or("somebody");
                report.ok("sign-in", format!("as {name}{by}"));
                Some(user)
            }
            _ => {
                report.wrong("sign-in", "the server does not know these credentials", mend);
                None
            }
        },
        Err(error) => {
            report.failed("sign-in", &error.into(), mend);
            None
        }
    }
}

async fn check_token(client: &Client, report: &mut Report) {
    let Ok(answer) = client.oauth_tokens().current().await else {
        return;
    };
    let OAuthTokenObject { scopes, expires_at, .. } = answer.token.unwrap_or_default();
    let scopes = scopes.unwrap_or_default().join(" ");
    report.ok("scopes", if scopes.is_empty() { "none are told" } else { &scopes });
    if expires_at.is_none() {
        let found = "the access token that one is signed in with never expires";
        report.warn("access token", found, "sign in with one that does: tokenry login");
    }
}

/// Whole days from one moment to another.
pub(super) const fn days(from: Timestamp, to: Timestamp) -> i64 {
    to.millis_since(from) / 86_400_000
}
