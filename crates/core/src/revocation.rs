//! Ending a grant: by the record API, by RFC 7009, or because it was attacked.

use tokenry_protocol::{
    ids::TokenId,
    secret::{Credential, Kind},
    time::Timestamp,
};

use crate::{
    client::Client,
    client_authentication::AuthenticatedClient,
    credentials::{Mint, TokenKeys},
    event::{Actor, Event, EventKind},
    grant::Token,
};

/// The end of a record: the row goes, and the event stays.
#[derive(Debug, Clone)]
pub struct GrantEnd {
    event: Event,
}

impl GrantEnd {
    pub(crate) const fn new(token: &Token, kind: EventKind, actor: Actor, now: Timestamp) -> Self {
        let Token { id, client_id, user_id, .. } = *token;
        Self { event: Event { at: now, kind, token_id: id, client_id, user_id, actor } }
    }

    /// The record.
    pub const fn id(&self) -> TokenId {
        self.event.token_id
    }

    /// What is remembered.
    pub const fn event(&self) -> &Event {
        &self.event
    }
}

/// A user ends a record that the caller has been shown to see.
pub const fn revoke(token: &Token, actor: Actor, now: Timestamp) -> GrantEnd {
    GrantEnd::new(token, EventKind::Revoked, actor, now)
}

/// A client ends a token of its own (RFC 7009 §2.1): either token of a pair ends both. `None` when
/// there is nothing to end, which the client is not told (§2.2).
pub fn revoke_presented(
    client: &AuthenticatedClient,
    token: Option<&Token>,
    presented: &Credential,
    now: Timestamp,
) -> Option<GrantEnd> {
    let token = token.filter(|token| token.client_id == client.client().id)?;
    let issued = token.issued()?;
    let hash = presented.hash();
    let is_live = match presented.parts().kind {
        Kind::AccessToken => issued.access.accepts(&hash, now),
        Kind::RefreshToken => {
            issued.refresh.as_ref().is_some_and(|refresh| refresh.accepts(&hash, now))
        }
        _ => false,
    };
    is_live.then(|| revoke(token, Actor::Client(client.client().id), now))
}

/// Another client's credential of ours in this client's hands: somebody has leaked or stolen it.
pub fn presented_by_foreign_client(
    client: &Client,
    token: &Token,
    presented: &Credential,
    keys: &TokenKeys,
    now: Timestamp,
) -> Option<Event> {
    // Other kinds count their ids on their own, so one may carry this record's number by chance.
    let kind = presented.parts().kind;
    let is_of_grant =
        matches!(kind, Kind::AccessToken | Kind::RefreshToken | Kind::AuthorizationCode);
    let is_foreign = is_of_grant && token.client_id != client.id;
    (is_foreign && keys.recognise(presented) == Mint::Ours).then(|| {
        let actor = Actor::Client(client.id);
        GrantEnd::new(token, EventKind::PresentedByForeignClient, actor, now).event
    })
}
