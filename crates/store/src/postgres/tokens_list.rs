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

/// Issued, and whose client and user are there. Values that are looked up for each row, and not
/// tables that are joined: with those the planner may begin with all clients.
macro_rules! standing {
    () => {
        "rotation > 0 \
         AND (SELECT clients.deleted_at IS NULL FROM clients WHERE clients.id = tokens.client_id) \
         AND (SELECT users.deleted_at IS NULL FROM users WHERE users.id = tokens.user_id)"
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
    match (filter.user, filter.client) {
        (Some(user), client) => {
            list.of("user_id", user.bind());
            if let Some(client) = client {
                list.and("client_id = ?", client.bind());
            }
        }
        (None, Some(client)) => list.of("client_id", client.bind()),
        (None, None) => {}
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokenry_postgres_testing::shared;
    use tokenry_protocol::ids::{ClientId, UserId};

    use super::*;
    use crate::{
        Window,
        postgres::{PostgresAddress, PostgresOptions, PostgresStore, open},
    };

    /// Few owners with many tokens each, and one whose tokens are all the newest.
    const TOKENS: &str = "INSERT INTO tokens (id, client_id, user_id, origin, rotation, \
        created_at, granted, hash, issued_at) \
        SELECT n, CASE WHEN n > 19000 THEN 5 ELSE n % 4 + 1 END, \
        CASE WHEN n > 19000 THEN 5 ELSE n % 4 + 1 END, 1, 1, 0, 'read', sha256('x'), 0 \
        FROM generate_series(1, 20000) AS n; ANALYZE tokens";

    /// Whether the planner knows whose tokens are asked for or not.
    #[tokio::test]
    async fn a_list_of_one_owner_goes_over_the_tokens_of_that_owner_alone() {
        let url = shared().schema();
        let address = PostgresAddress::parse(&url).unwrap();
        drop(PostgresStore::open(address, PostgresOptions::default()).await.unwrap());
        let schema = url.rsplit("%3D").next().unwrap();
        let set = format!("SET search_path = {schema}; ");
        shared().execute(&format!("{set}{TOKENS}"));
        let settings = open::settings(&PostgresOptions::default());
        let client = TokenFilter { client: ClientId::new(5).ok(), ..TokenFilter::default() };
        let user = TokenFilter { user: UserId::new(5).ok(), ..TokenFilter::default() };
        for (filter, index) in [(client, "tokens_client"), (user, "tokens_user")] {
            for window in [Window::After(0), Window::Before(20_000), Window::Offset(100)] {
                let mut list = listed(filter, Timestamp::from_millis(1));
                let sql = list.statement(PageRequest { window, limit: 100 });
                let values: Vec<_> = list.values.iter().map(ToString::to_string).collect();
                for mode in ["force_generic_plan", "force_custom_plan"] {
                    let plan = shared().query(&format!(
                        "{set}{settings}; SET plan_cache_mode = {mode}; PREPARE listed AS {sql}; \
                         EXPLAIN EXECUTE listed ({})",
                        values.join(", ")
                    ));
                    let scans: HashSet<_> =
                        plan.lines().filter(|line| line.contains(" on tokens ")).collect();
                    let is_right =
                        scans.len() == 1 && scans.iter().all(|scan| scan.contains(index));
                    assert!(is_right && !plan.contains("Sort"), "{window:?}, {mode}:\n{plan}");
                }
            }
        }
    }
}
