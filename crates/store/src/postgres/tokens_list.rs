//! Lists of tokens: what owners and administrators see, and what has been approved. A list of one
//! client's or user's goes over the index that begins with them and ends in the id.

use std::sync::Arc;

use tokenry_core::grant::Token;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    scope::Scope,
    time::Timestamp,
};

use super::{
    calls::Call,
    pages::List,
    pool::Pool,
    rows::Columns,
    tokens::from_tokens,
    values::{Bind as _, values},
};
use crate::{
    Page, PageRequest, Result, TokenFilter,
    columns::{
        ReadColumns as _,
        tokens::{read, token_columns},
    },
};

/// Issued, and whose client and user are there.
macro_rules! standing {
    () => {
        "rotation > 0 \
         AND EXISTS (SELECT 1 FROM clients \
         WHERE clients.id = tokens.client_id AND clients.deleted_at IS NULL) \
         AND EXISTS (SELECT 1 FROM users \
         WHERE users.id = tokens.user_id AND users.deleted_at IS NULL)"
    };
}

/// One of the two tokens worked after a time.
macro_rules! unexpired {
    ($since:literal) => {
        concat!(
            "(access_lifetime IS NULL OR issued_at + access_lifetime * 1000 > ",
            $since,
            " OR refresh_expires_at > ",
            $since,
            ")"
        )
    };
}

/// The same, unless it is a consented grant.
macro_rules! unexpired_or_consented {
    ($since:literal) => {
        concat!("(origin = 0 OR ", unexpired!($since), ")")
    };
}

fn listed(filter: TokenFilter, now: Timestamp) -> List {
    let mut list = List::new(from_tokens!(), "tokens.id", token_columns!(), standing!());
    if let Some(user) = filter.user {
        list.and("user_id = ?", user.bind());
    }
    if let Some(client) = filter.client {
        list.and("client_id = ?", client.bind());
    }
    list.and(unexpired!("?"), now.minus(filter.grants_kept).bind());
    list.and(unexpired_or_consented!("?"), now.bind());
    list
}

/// A page of records, in the order of id.
pub(super) async fn page(
    pool: &Arc<Pool>,
    filter: TokenFilter,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<Token>> {
    listed(filter, now).page(pool, page, |columns| read(columns)).await
}

/// How many records there are, up to `limit`.
pub(super) async fn count(
    pool: &Arc<Pool>,
    filter: TokenFilter,
    limit: u32,
    now: Timestamp,
) -> Result<u32> {
    listed(filter, now).count(pool, limit).await
}

/// What a user's live, consented grants to a client were approved for.
pub(super) async fn approved_scopes(
    pool: &Arc<Pool>,
    user: UserId,
    client: ClientId,
    now: Timestamp,
) -> Result<Vec<Scope>> {
    let approved = concat!(
        "SELECT granted FROM tokens WHERE user_id = $1 AND client_id = $2 AND origin = 0 AND ",
        standing!(),
        " AND ",
        unexpired!("$3"),
        " ORDER BY id"
    );
    let found = pool.run(Call::read(approved, values![user, client, now])).await?;
    found.iter().map(|row| Columns::new(row).scope()).collect()
}
