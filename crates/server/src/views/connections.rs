//! Connected apps: what has access to one's account.

use askama::Template;
use tokenry_protocol::time::Timestamp;

use super::{
    layout::{ClientSummary, Logo, SignedInUser},
    scope_words::{ScopeKind, ScopeWords, describe_scope},
};
use crate::time_words::{ago, day, minute, until};

/// `/account/connections`. A form per connection posts `page_token` to
/// `/account/connections/{id}/revoke`; another posts it to `/sign-out`.
#[derive(Debug, Clone, Template)]
#[template(path = "connections.html")]
pub struct ConnectionsPage {
    /// Whose account it is.
    pub user: SignedInUser,
    /// For every form.
    pub page_token: String,
    /// One per grant.
    pub connections: Vec<Connection>,
    /// What just happened.
    pub notice: Option<ConnectionsNotice>,
    /// Where the list goes on, if it does.
    pub next_page: Option<String>,
    /// When the page is made; times are told relative to it.
    pub now: Timestamp,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The grant's id, which is its token's.
    pub id: u64,
    /// Who has access.
    pub client: ClientSummary,
    /// The scope tokens that were approved.
    pub scope_tokens: Vec<String>,
    /// Since when.
    pub connected_at: Timestamp,
    /// The last use.
    pub used_at: Option<Timestamp>,
    /// Until when.
    pub ending: Ending,
}

/// When access ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Neither token expires.
    Never,
    /// There is nothing to refresh it with.
    At(Timestamp),
    /// When the refresh token expires, unless it is used before.
    UnlessRenewed(Timestamp),
}

/// What to say above the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionsNotice {
    /// The button worked.
    AccessEnded {
        /// The client's name.
        client_name: String,
    },
    /// The grant was gone already.
    AlreadyEnded,
    /// The page token was no longer good; nothing happened.
    PageExpired,
}

impl ConnectionsPage {
    /// What `img-src` must list besides `'self'`, each once.
    pub fn image_sources(&self) -> Vec<&str> {
        let logos = self.connections.iter().filter_map(|c| c.client.logo.as_ref());
        let mut sources: Vec<&str> = logos.map(Logo::origin).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

/// A point in time for a page: relative to now, with the exact time beside it.
struct Told {
    at: Timestamp,
    relative: String,
    exact: String,
}

impl Connection {
    fn permissions(&self) -> Vec<ScopeWords> {
        let words = self.scope_tokens.iter();
        words.map(|token| describe_scope(token)).collect()
    }

    fn connected_on(&self) -> String {
        day(self.connected_at)
    }

    fn used(&self, now: Timestamp) -> Option<Told> {
        let at = self.used_at?;
        Some(Told { at, relative: ago(at, now), exact: minute(at) })
    }

    fn ends(&self, now: Timestamp) -> Option<Told> {
        let (at, exact) = match self.ending {
            Ending::Never => return None,
            Ending::At(at) => (at, minute(at)),
            Ending::UnlessRenewed(at) => (at, format!("{}, if it is not used", day(at))),
        };
        Some(Told { at, relative: until(at, now), exact })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connections_page;

    #[test]
    fn every_origin_of_a_picture_is_named_once() {
        let mut page = connections_page();
        let logo = super::super::Logo::parse("https://cdn.acme.test/logo.png");
        for connection in &mut page.connections {
            connection.client.logo.clone_from(&logo);
        }
        assert!(page.connections.len() > 1);
        assert_eq!(page.image_sources(), ["https://cdn.acme.test"]);
    }
}
