//! API tokens.

use std::{collections::BTreeMap, sync::Arc};

use tokenry_core::{api_token::ApiToken, revision::Revision};
use tokenry_protocol::ids::ApiTokenId;

use super::{
    calls::{Call, Query, Repeat},
    changes::{Log, leave_changes},
    pool::Pool,
    rows,
    values::{column, values},
};
use crate::{
    ApiTokenInsertion, ApiTokenUse, Conditional, Deletion, Result,
    columns::{
        ReadColumns as _,
        api_tokens::{account_wide, api_token_columns, assigned, read},
    },
    words,
};

macro_rules! api_tokens {
    ($rest:literal) => {
        concat!("SELECT ", api_token_columns!(), " FROM api_tokens ", $rest)
    };
}

/// Adds an API token unless there are `limit`, or whom it would work for is gone; its maker, of one
/// that is bound to nobody.
///
/// Whoever adds one locks the row that their ids are leased from, and counts when the lock is had.
pub(super) async fn insert(
    pool: &Arc<Pool>,
    token: &ApiToken,
    limit: u32,
) -> Result<ApiTokenInsertion> {
    let lock = "SELECT sequence FROM id_leases WHERE sequence = 'api_tokens' FOR UPDATE";
    let insertion = "WITH assigned AS \
        (SELECT id FROM users WHERE id = $6 AND deleted_at IS NULL FOR SHARE), \
        inserted AS (INSERT INTO api_tokens (id, hash, description, status, user_id, \
        assigned_user_id, created_at, updated_at, last_used, account_wide) \
        SELECT $1::bigint, $2::bytea, $3::text, $4::text, $5::bigint, id, $7::bigint, \
        $8::bigint, $9::bigint, $10::boolean FROM assigned \
        WHERE (SELECT count(*) FROM api_tokens) < $11 RETURNING id) \
        SELECT (SELECT count(*) FROM assigned), (SELECT count(*) FROM inserted)";
    let values = values![
        token.id,
        &token.hash,
        token.description.as_str(),
        words::api_token_status(token.status),
        token.user_id,
        assigned(token),
        token.created_at,
        token.updated_at,
        token.last_used,
        account_wide(token),
        limit,
    ];
    let call = Call::write(insertion, values).behind(Query::new(lock, values![]));
    let inserted = pool.run(call).await?;
    let counts = |columns: &mut rows::Columns<'_>| Ok((columns.number()?, columns.number()?));
    Ok(match rows::only::<(u64, u64)>(&inserted, counts)? {
        (0, _) => ApiTokenInsertion::OwnerGone,
        (_, 0) => ApiTokenInsertion::LimitReached,
        _ => ApiTokenInsertion::Done,
    })
}

/// By id.
pub(super) async fn find(pool: &Arc<Pool>, id: ApiTokenId) -> Result<Option<ApiToken>> {
    let by_id = api_tokens!("WHERE id = $1");
    rows::first(&pool.run(Call::read(by_id, values![id])).await?, |columns| read(columns))
}

/// All of them, in the order of id.
pub(super) async fn list(pool: &Arc<Pool>) -> Result<Vec<ApiToken>> {
    let all = api_tokens!("ORDER BY id");
    rows::list(&pool.run(Call::read(all, values![])).await?, |columns| read(columns))
}

/// Replaces description and status, if nobody else did since.
pub(super) async fn update(log: &Arc<Log>, write: &Revision<ApiToken>) -> Result<Conditional> {
    let update = concat!(
        "WITH updated AS (UPDATE api_tokens SET description = $3, status = $4, updated_at = $5 \
         WHERE id = $2 AND updated_at = $6 RETURNING id), \
         told AS (SELECT 'api_token'::text AS record, id AS record_id FROM updated), ",
        leave_changes!(),
        "SELECT count(*) FROM updated"
    );
    let token = write.record();
    let values = values![
        token.id,
        token.description.as_str(),
        words::api_token_status(token.status),
        token.updated_at,
        write.before(),
    ];
    rows::written(&log.leave(Call::write(update, values)).await?.rows)
}

/// Ends an API token.
pub(super) async fn delete(log: &Arc<Log>, id: ApiTokenId) -> Result<Deletion> {
    let end = concat!(
        "WITH ended AS (DELETE FROM api_tokens WHERE id = $2 RETURNING id), \
         told AS (SELECT 'api_token'::text AS record, id AS record_id FROM ended), ",
        leave_changes!(),
        "SELECT count(*) FROM ended"
    );
    match rows::written(&log.leave(Call::write(end, values![id])).await?.rows)? {
        Conditional::Already => Ok(Deletion::NotFound),
        Conditional::Now => Ok(Deletion::Done),
    }
}

/// Notes uses; never back in time.
pub(super) async fn record_uses(pool: &Arc<Pool>, uses: Vec<ApiTokenUse>) -> Result<()> {
    let later = "WITH used AS (SELECT api_tokens.id, uses.at FROM api_tokens \
        JOIN unnest($1::bigint[], $2::bigint[]) AS uses (id, at) ON uses.id = api_tokens.id \
        ORDER BY api_tokens.id FOR UPDATE OF api_tokens) \
        UPDATE api_tokens SET last_used = used.at FROM used \
        WHERE api_tokens.id = used.id AND (last_used IS NULL OR last_used < used.at)";
    let mut latest = BTreeMap::new();
    for used in uses {
        let at = latest.entry(used.id).or_insert(used.used_at);
        *at = used.used_at.max(*at);
    }
    let latest: Vec<_> = latest.into_iter().collect();
    let values = values![column(&latest, |(id, _)| *id), column(&latest, |(_, at)| *at)];
    pool.run(Call::new(Repeat::Harmless, later, values)).await?;
    Ok(())
}
