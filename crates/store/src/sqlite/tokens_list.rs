//! Lists of tokens: what owners and administrators see, and what has been approved.

use rusqlite::{Connection, params};
use tokenry_core::grant::Token;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    scope::Scope,
    time::Timestamp,
};

use super::{
    pages::List,
    rows,
    tokens::{read, token_columns},
};
use crate::{Page, PageRequest, Result, TokenFilter};

/// Issued, and whose client and user are there.
macro_rules! standing {
    () => {
        "rotation > 0 \
         AND EXISTS (SELECT 1 FROM clients WHERE id = client_id AND deleted_at IS NULL) \
         AND EXISTS (SELECT 1 FROM users WHERE id = tokens.user_id AND deleted_at IS NULL)"
    };
}

/// One of the two tokens still works.
macro_rules! unexpired {
    ($now:literal) => {
        concat!(
            "(access_lifetime IS NULL OR issued_at + access_lifetime * 1000 > ",
            $now,
            " OR refresh_expires_at > ",
            $now,
            ")"
        )
    };
}

fn live(filter: TokenFilter, now: Timestamp) -> List {
    let mut list = List::new("tokens", token_columns!(), standing!());
    list.and(unexpired!("?"), now.as_millis().max(0).unsigned_abs());
    if let Some(user) = filter.user {
        list.and("user_id = ?", user.get());
    }
    match (filter.client, filter.user) {
        (None, _) => {}
        (Some(client), None) => list.and("client_id = ?", client.get()),
        // The plus keeps this index out: a user has few tokens, a client may have millions.
        (Some(client), Some(_)) => list.and("+client_id = ?", client.get()),
    }
    list
}

/// A page of live records, in the order of id.
pub(super) fn page(
    connection: &Connection,
    filter: TokenFilter,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<Token>> {
    live(filter, now).page(connection, page, read)
}

/// How many live records there are, up to `limit`.
pub(super) fn count(
    connection: &Connection,
    filter: TokenFilter,
    limit: u32,
    now: Timestamp,
) -> Result<u32> {
    live(filter, now).count(connection, limit)
}

/// What a user's live, consented grants to a client were approved for.
pub(super) fn approved_scopes(
    connection: &Connection,
    user: UserId,
    client: ClientId,
    now: Timestamp,
) -> Result<Vec<Scope>> {
    let approved = concat!(
        "SELECT granted FROM tokens WHERE user_id = ?1 AND +client_id = ?2 AND origin = 0 AND ",
        standing!(),
        " AND ",
        unexpired!("?3"),
        " ORDER BY id"
    );
    let values = params![user.get(), client.get(), now.as_millis()];
    rows::list(connection, approved, values, |columns| {
        columns.word(|words| Scope::parse(words).ok())
    })
}
