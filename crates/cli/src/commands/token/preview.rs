//! What is about to be revoked, in a few lines: how many of which client and of which user, when
//! they were used, and a few of them.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use tokenry_client::models::Timestamp;
use tokenry_server::time_words;

use super::record::TokenRecord;
use crate::{
    output::escaped,
    progress::{counted, grouped},
};

/// Clients and users that are named, and tokens that are shown.
const SHOWN: usize = 5;

/// The tokens that are about to be revoked.
pub(super) struct Preview<'a> {
    tokens: &'a [TokenRecord],
    now: Timestamp,
}

impl<'a> Preview<'a> {
    pub(super) const fn new(tokens: &'a [TokenRecord], now: Timestamp) -> Self {
        Self { tokens, now }
    }

    fn counts(&self, name: impl Fn(&TokenRecord) -> Option<String>) -> String {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for token in self.tokens {
            *counts.entry(name(token).unwrap_or_else(|| "nobody".to_owned())).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let shown = counts.iter().take(SHOWN);
        let mut parts: Vec<String> =
            shown.map(|(name, count)| format!("{} {}", grouped(*count), escaped(name))).collect();
        if counts.len() > SHOWN {
            parts.push(format!("and {} more", counts.len() - SHOWN));
        }
        parts.join(", ")
    }

    fn uses(&self) -> String {
        let used = || self.tokens.iter().filter_map(|token| token.token.used_at);
        let never = self.tokens.len() - used().count();
        let mut parts = Vec::new();
        if let (Some(first), Some(last)) = (used().min(), used().max()) {
            let words = |time| time_words::ago(time, self.now);
            parts.push(if first == last {
                words(first)
            } else {
                format!("the longest ago {}, the latest {}", words(first), words(last))
            });
        }
        if never > 0 {
            parts.push(format!("{} never", grouped(wide(never))));
        }
        parts.join("; ")
    }

    fn one(&self, token: &TokenRecord) -> String {
        let used = token.token.used_at.map_or_else(
            || "never used".to_owned(),
            |time| format!("used {}", time_words::ago(time, self.now)),
        );
        let scopes = token.token.scopes.as_ref().map(|scopes| scopes.join(" "));
        escaped(&format!("{}: {}, {used}", token.name(), scopes.unwrap_or_default()))
    }
}

impl Display for Preview<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.tokens.len();
        writeln!(formatter, "{}:", counted(wide(count), "token"))?;
        writeln!(formatter, "  by client  {}", self.counts(TokenRecord::client))?;
        writeln!(formatter, "  by user    {}", self.counts(TokenRecord::user))?;
        writeln!(formatter, "  last used  {}", self.uses())?;
        for (at, token) in self.tokens.iter().take(SHOWN).enumerate() {
            let label = if at == 0 { "such as" } else { "" };
            writeln!(formatter, "  {label:<9}  {}", self.one(token))?;
        }
        Ok(())
    }
}

pub(super) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokenry_client::models::{OAuthTokenObject, TokenId, UserId};

    use super::*;

    #[test]
    fn a_preview_counts_and_shows_a_few_and_obeys_nothing_that_others_wrote() {
        let now = Timestamp::parse("2026-11-28T12:00:00Z").unwrap();
        let token = |id: u64, used_at: Option<&str>| TokenRecord {
            token: OAuthTokenObject {
                id: TokenId::new(id).ok(),
                user_id: UserId::new(1 + id % 7).ok(),
                scopes: Some(vec!["read".to_owned()]),
                used_at: used_at.and_then(Timestamp::parse),
                ..OAuthTokenObject::default()
            },
            client_identifier: Some(if id == 1 { "a\u{1b}[2J" } else { "acme" }.to_owned()),
            user_email: None,
        };
        let mut tokens: Vec<_> = (1..=1_200).map(|id| token(id, None)).collect();
        tokens[0].token.used_at = Timestamp::parse("2026-11-25T12:00:00Z");
        tokens[1].token.used_at = Timestamp::parse("2026-09-01T12:00:00Z");
        assert_eq!(
            Preview::new(&tokens, now).to_string(),
            "1,200 tokens:\n  \
             by client  1,199 acme, 1 a\\u{1b}[2J\n  \
             by user    172 user 2, 172 user 3, 172 user 4, 171 user 1, 171 user 5, and 2 more\n  \
             last used  the longest ago 2 months ago, the latest 3 days ago; 1,198 never\n  \
             such as    1 of a\\u{1b}[2J for user 2: read, used 3 days ago\n             \
             2 of acme for user 3: read, used 2 months ago\n             \
             3 of acme for user 4: read, never used\n             \
             4 of acme for user 5: read, never used\n             \
             5 of acme for user 6: read, never used\n"
        );
    }
}
