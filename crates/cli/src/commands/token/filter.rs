//! Which tokens are meant: what is typed, and whether a token is one of them.

use clap::Args;
use tokenry_client::{
    Client, RefusalKind,
    models::{ClientId, OAuthTokenObject, Seconds, Timestamp, UserId, UserObject},
};
use tokenry_server::config::parse_span;

use crate::commands::client;

/// Where `--help` shows which tokens are meant.
const HEADING: &str = "Which tokens";

/// Which tokens. Everything given must hold.
#[derive(Args, Clone, Default)]
pub(super) struct FilterArgs {
    /// Your own alone, and not everybody's
    #[arg(long, help_heading = HEADING)]
    pub(super) mine: bool,
    /// Those of one client, by its identifier or its id
    #[arg(long, value_name = "IDENTIFIER|ID", help_heading = HEADING)]
    client: Option<String>,
    /// Those of one user, by address or id
    #[arg(long, value_name = "EMAIL|ID", help_heading = HEADING, value_parser = whose)]
    user: Option<Whose>,
    /// Those that may do this, as one of their scopes has it: read, users:write
    #[arg(long, value_name = "WORD", help_heading = HEADING)]
    scope: Option<String>,
    /// Those that nobody has used for so long: 90, 30m, 12h, 30d, 4w (a bare number is in seconds).
    /// One that was never used counts from when it was made
    #[arg(long, value_name = "DURATION", help_heading = HEADING, value_parser = span)]
    unused: Option<Seconds>,
    /// Those whose access token works for ever
    #[arg(long, help_heading = HEADING, conflicts_with = "expiring")]
    never_expires: bool,
    /// Those that end for good within so long: the access token, and its refresh token if there is
    /// one
    #[arg(long, value_name = "DURATION", help_heading = HEADING, value_parser = span)]
    expiring: Option<Seconds>,
    /// Those that were made longer ago
    #[arg(long, value_name = "DURATION", help_heading = HEADING, value_parser = span)]
    older: Option<Seconds>,
}

/// A user, as they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    Id(UserId),
    /// In lower case.
    Email(String),
}

/// The rules, at one point in time.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// The server keeps this one itself.
    pub(super) client: Option<ClientId>,
    user: Option<Whose>,
    scope: Option<String>,
    unused_since: Option<Timestamp>,
    never_expires: bool,
    ends: Option<(Timestamp, Timestamp)>,
    made_before: Option<Timestamp>,
}

fn whose(text: &str) -> Result<Whose, String> {
    match UserId::parse(text) {
        Ok(id) => Ok(Whose::Id(id)),
        Err(_) if text.contains('@') => Ok(Whose::Email(text.to_lowercase())),
        Err(_) => Err("give an e-mail address, or the id of a user".to_owned()),
    }
}

/// A span of the past or of the future, as it is typed.
pub(crate) fn span(text: &str) -> Result<Seconds, String> {
    let seconds = parse_span(text)?.as_secs();
    u32::try_from(seconds).map(Seconds).map_err(|_| "that is too long".to_owned())
}

impl FilterArgs {
    /// Whether there is a rule that not every token meets.
    pub(super) const fn is_given(&self) -> bool {
        self.client.is_some()
            || self.user.is_some()
            || self.scope.is_some()
            || self.unused.is_some()
            || self.never_expires
            || self.expiring.is_some()
            || self.older.is_some()
    }

    /// The rules, counted from now.
    pub(super) async fn filter(&self, server: &Client, now: Timestamp) -> anyhow::Result<Filter> {
        let client = match &self.client {
            Some(named) => Some(find_client(server, named).await?),
            None => None,
        };
        Ok(Filter {
            client,
            user: self.user.clone(),
            scope: self.scope.clone(),
            unused_since: self.unused.map(|span| now.minus(span)),
            never_expires: self.never_expires,
            ends: self.expiring.map(|span| (now, now.plus(span))),
            made_before: self.older.map(|span| now.minus(span)),
        })
    }
}

/// An id is taken as it is where one may not look at clients.
async fn find_client(server: &Client, named: &str) -> anyhow::Result<ClientId> {
    match client::find(server, named).await {
        Ok((id, _)) => Ok(id),
        Err(error) => {
            let refused = error.downcast_ref::<tokenry_client::Error>();
            let is_hidden =
                refused.and_then(tokenry_client::Error::kind) == Some(RefusalKind::Forbidden);
            ClientId::parse(named).ok().filter(|_| is_hidden).ok_or(error)
        }
    }
}

impl Filter {
    /// Whether a token is meant, as far as its own record tells.
    pub(super) fn matches(&self, token: &OAuthTokenObject) -> bool {
        let is_of_client = self.client.is_none() || token.client_id == self.client;
        let is_of_user = match &self.user {
            Some(Whose::Id(id)) => token.user_id == Some(*id),
            Some(Whose::Email(_)) | None => true,
        };
        let has_scope = |word: &String| token.scopes.as_ref().is_some_and(|all| all.contains(word));
        is_of_client
            && is_of_user
            && self.scope.as_ref().is_none_or(has_scope)
            && self.unused_since.is_none_or(|since| last_sign(token).is_some_and(|at| at < since))
            && (!self.never_expires || token.expires_at.is_none())
            && self.ends.is_none_or(|(from, to)| {
                ends_at(token).is_some_and(|end| (from..=to).contains(&end))
            })
            && self.made_before.is_none_or(|time| token.created_at.is_some_and(|at| at < time))
    }

    /// Whether only the record of its user can tell whether a token is meant.
    pub(super) const fn needs_users(&self) -> bool {
        matches!(self.user, Some(Whose::Email(_)))
    }

    /// Whether a token of this user is meant.
    pub(super) fn matches_user(&self, user: Option<&UserObject>) -> bool {
        let Some(Whose::Email(wanted)) = &self.user else { return true };
        let email = user.and_then(|user| user.email.as_ref());
        email.is_some_and(|email| email.to_lowercase() == *wanted)
    }

    /// Whether a token that is meant may be so no more a moment later: somebody uses it, or
    /// refreshes it.
    pub(super) const fn may_change(&self) -> bool {
        self.unused_since.is_some() || self.ends.is_some()
    }
}

/// When it was last used, or made if it never was.
fn last_sign(token: &OAuthTokenObject) -> Option<Timestamp> {
    token.used_at.or(token.created_at)
}

/// When it ends for good; `None` is never.
pub(in crate::commands) fn ends_at(token: &OAuthTokenObject) -> Option<Timestamp> {
    Some(token.expires_at?.max(token.refresh_token_expires_at.or(token.expires_at)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 86_400;
    const NOW: &str = "2026-11-28T12:00:00Z";

    fn now() -> Timestamp {
        Timestamp::parse(NOW).unwrap()
    }

    fn days_ago(days: u32) -> Option<Timestamp> {
        Timestamp::parse(NOW).map(|now| now.minus(Seconds(days * DAY)))
    }

    fn in_days(days: u32) -> Option<Timestamp> {
        Timestamp::parse(NOW).map(|now| now.plus(Seconds(days * DAY)))
    }

    /// The rules that name nobody.
    fn filter(arguments: &FilterArgs) -> Filter {
        Filter {
            client: None,
            user: arguments.user.clone(),
            scope: arguments.scope.clone(),
            unused_since: arguments.unused.map(|span| now().minus(span)),
            never_expires: arguments.never_expires,
            ends: arguments.expiring.map(|span| (now(), now().plus(span))),
            made_before: arguments.older.map(|span| now().minus(span)),
        }
    }

    fn times(
        created_at: Option<Timestamp>,
        used_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> OAuthTokenObject {
        OAuthTokenObject { created_at, used_at, expires_at, ..OAuthTokenObject::default() }
    }

    #[test]
    fn a_token_is_unused_since_its_last_use_or_since_it_was_made() {
        let month = FilterArgs { unused: Some(Seconds(30 * DAY)), ..FilterArgs::default() };
        for (token, expected) in [
            (times(days_ago(90), days_ago(31), None), true),
            (times(days_ago(90), days_ago(30), None), false),
            (times(days_ago(90), days_ago(1), None), false),
            (times(days_ago(31), None, None), true),
            (times(days_ago(29), None, None), false),
            // Of which nothing is known, nothing is held against it.
            (times(None, None, None), false),
        ] {
            assert_eq!(filter(&month).matches(&token), expected, "{token:?}");
        }
    }

    #[test]
    fn a_token_ends_when_nothing_of_it_is_left() {
        let week = FilterArgs { expiring: Some(Seconds(7 * DAY)), ..FilterArgs::default() };
        let refreshed = |days| OAuthTokenObject {
            refresh_token_expires_at: in_days(days),
            ..times(days_ago(1), None, in_days(1))
        };
        for (token, expected) in [
            (times(days_ago(1), None, in_days(7)), true),
            (times(days_ago(1), None, in_days(8)), false),
            (times(days_ago(9), None, days_ago(1)), false),
            (times(days_ago(1), None, None), false),
            (refreshed(7), true),
            (refreshed(8), false),
        ] {
            assert_eq!(filter(&week).matches(&token), expected, "{token:?}");
        }
        let never = FilterArgs { never_expires: true, ..FilterArgs::default() };
        assert!(filter(&never).matches(&times(None, None, None)));
        assert!(!filter(&never).matches(&refreshed(8)));
    }

    #[test]
    fn every_rule_must_hold() {
        let arguments = FilterArgs {
            scope: Some("read".to_owned()),
            older: Some(Seconds(90 * DAY)),
            user: Some(whose("29").unwrap()),
            ..FilterArgs::default()
        };
        let token = OAuthTokenObject {
            scopes: Some(vec!["users:write".to_owned(), "read".to_owned()]),
            user_id: UserId::new(29).ok(),
            ..times(days_ago(91), None, None)
        };
        assert!(filter(&arguments).matches(&token));
        for other in [
            OAuthTokenObject { scopes: None, ..token.clone() },
            OAuthTokenObject { scopes: Some(vec!["read:x".to_owned()]), ..token.clone() },
            OAuthTokenObject { user_id: UserId::new(30).ok(), ..token.clone() },
            OAuthTokenObject { user_id: None, ..token.clone() },
            OAuthTokenObject { created_at: days_ago(90), ..token.clone() },
            OAuthTokenObject { created_at: None, ..token.clone() },
        ] {
            assert!(!filter(&arguments).matches(&other), "{other:?}");
        }
    }

    #[test]
    fn a_user_is_named_by_id_or_by_an_address_in_any_case() {
        assert_eq!(whose("29"), Ok(Whose::Id(UserId::new(29).unwrap())));
        assert!(whose("ben").is_err());
        let arguments =
            FilterArgs { user: Some(whose("Ben@Acme.test").unwrap()), ..FilterArgs::default() };
        let filter = filter(&arguments);
        let user =
            |email: &str| UserObject { email: Some(email.to_owned()), ..UserObject::default() };
        assert!(filter.needs_users());
        assert!(filter.matches_user(Some(&user("ben@ACME.test"))));
        assert!(!filter.matches_user(Some(&user("ben@acme.test.example"))));
        assert!(
            !filter.matches_user(None),
            "of whom nobody knows who they are, nothing is revoked"
        );
    }
}
