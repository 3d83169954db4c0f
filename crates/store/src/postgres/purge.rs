//! Purging, in bounded steps: a look for what is over, then its removal.
//!
//! 1. [`look`] goes by id, so no index on expiry is needed.
//! 2. [`remove`] looks at each row again, because a token may have been refreshed since, and a user
//!    may have got an API token since. It locks rows in the order of id.
//!
//! A look also tells when the next of its rows will be over, so that nobody needs to look before.
//! Events, refusals and changes have no look: those that are over are the first ones, and counted.

use std::sync::Arc;

use tokenry_protocol::time::{Seconds, Timestamp};

use super::{
    calls::{Call, Repeat},
    pool::Pool,
    rows,
    values::{column, values},
};
use crate::{PurgeRequest, PurgeStep, PurgeSubject, Result, columns::ReadColumns as _};

/// How long the row of a node that leaves no changes stays. Whoever polls must never be away for
/// this long without forgetting what they have cached.
const SILENT_NODES_KEPT: &str = "interval '7 days'";

/// What a look has found.
struct Look {
    /// Rows that are over.
    over: Vec<u64>,
    /// Where the next look starts; `None` at the end.
    next: Option<u64>,
    /// When the first of the other rows will be over; `None` if time alone ends none of them.
    due: Option<Timestamp>,
}

/// When a row is over.
struct Rule {
    table: &'static str,
    /// Since when, or from when on: NULL is never by time alone, and 0 whatever the time is.
    over_at: String,
}

const SIGN_IN_SESSIONS: &str = "CASE WHEN EXISTS (SELECT 1 FROM users \
    WHERE users.id = sign_in_sessions.user_id AND deleted_at IS NOT NULL) \
    THEN 0 ELSE expires_at END";

// What is left of their tokens is over whether they are there or not.
const CLIENTS: &str = "CASE WHEN deleted_at IS NOT NULL THEN 0::bigint END";

const USERS: &str = "CASE WHEN deleted_at IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM clients WHERE clients.user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM sign_in_sessions WHERE sign_in_sessions.user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM api_tokens \
    WHERE users.id IN (api_tokens.user_id, api_tokens.assigned_user_id)) \
    THEN 0::bigint END";

fn tokens(grants_kept: Seconds) -> String {
    let kept = grants_kept.as_millis();
    format!(
        "CASE \
         WHEN NOT EXISTS (SELECT 1 FROM clients \
         WHERE clients.id = tokens.client_id AND clients.deleted_at IS NULL) \
         OR NOT EXISTS (SELECT 1 FROM users \
         WHERE users.id = tokens.user_id AND users.deleted_at IS NULL) \
         THEN 0 \
         WHEN rotation = 0 THEN code_expires_at \
         WHEN access_lifetime IS NOT NULL \
         THEN greatest(issued_at + access_lifetime * 1000, refresh_expires_at) \
         + CASE WHEN origin = 0 THEN {kept} ELSE 0 END END"
    )
}

/// One step.
pub(super) async fn step(pool: &Arc<Pool>, request: PurgeRequest) -> Result<PurgeStep> {
    let (table, over_at) = match request.subject {
        PurgeSubject::Events { kept } => return numbered(pool, request, "events", kept).await,
        PurgeSubject::Refusals { kept } => return numbered(pool, request, "refusals", kept).await,
        PurgeSubject::Changes { kept } => return changes(pool, request, kept).await,
        PurgeSubject::Tokens { grants_kept } => ("tokens", tokens(grants_kept)),
        PurgeSubject::SignInSessions => ("sign_in_sessions", SIGN_IN_SESSIONS.to_owned()),
        PurgeSubject::Clients => ("clients", CLIENTS.to_owned()),
        PurgeSubject::Users => ("users", USERS.to_owned()),
    };
    let rule = Rule { table, over_at };
    let Look { over, next, due } = look(pool, request, &rule).await?;
    let found = over.len();
    let removed = if over.is_empty() { 0 } else { remove(pool, request, &rule, &over).await? };
    if table == "tokens" {
        remove_stray_uses(pool, request.after, next).await?;
    }
    // Of what was kept after all nobody knows when it will be over.
    let is_known = usize::try_from(removed).is_ok_and(|removed| removed == found);
    let due = if is_known { due } else { Some(request.now) };
    Ok(PurgeStep { removed, next, due })
}

/// Step 1: looks at `limit` rows.
async fn look(pool: &Arc<Pool>, request: PurgeRequest, rule: &Rule) -> Result<Look> {
    let Rule { table, over_at } = rule;
    let sql =
        format!("SELECT id, {over_at} AS over_at FROM {table} WHERE id > $1 ORDER BY id LIMIT $2");
    let found = pool.run(Call::read(sql, values![request.after, request.limit])).await?;
    let rows: Vec<(u64, Option<Timestamp>)> =
        rows::list(&found, |columns| Ok((columns.number()?, columns.time_set()?)))?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|looked_at| looked_at == request.limit);
    let next = rows.last().filter(|_| is_full).map(|(id, _)| *id);
    let (over, left): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|(_, over_at)| over_at.is_some_and(|over_at| over_at <= request.now));
    let due = left.into_iter().filter_map(|(_, over_at)| over_at).min();
    Ok(Look { over: over.into_iter().map(|(id, _)| id).collect(), next, due })
}

/// Step 2: removes those of `ids` that are still over, and says how many.
async fn remove(pool: &Arc<Pool>, request: PurgeRequest, rule: &Rule, ids: &[u64]) -> Result<u32> {
    let Rule { table, over_at } = rule;
    let uses = match *table {
        "tokens" => {
            ", uses AS (DELETE FROM token_uses USING removed WHERE token_uses.id = removed.id)"
        }
        _ => "",
    };
    let sql = format!(
        "WITH locked AS (SELECT id FROM {table} WHERE id = ANY ($1::bigint[]) \
         ORDER BY id FOR UPDATE), \
         removed AS (DELETE FROM {table} USING locked \
         WHERE {table}.id = locked.id AND {over_at} <= $2 RETURNING {table}.id){uses} \
         SELECT count(*) FROM removed"
    );
    let values = values![column(ids, |id| *id), request.now];
    let removed = pool.run(Call::new(Repeat::Harmless, sql, values)).await?;
    rows::number(&removed)
}

/// A use that was noted while its token was removed is nobody's.
async fn remove_stray_uses(pool: &Arc<Pool>, after: u64, last: Option<u64>) -> Result<()> {
    let stray = "DELETE FROM token_uses WHERE id > $1 AND id <= $2 \
        AND NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.id = token_uses.id)";
    let last = last.unwrap_or(u64::MAX);
    pool.run(Call::new(Repeat::Harmless, stray, values![after, last])).await?;
    Ok(())
}

/// All but the latest, from the first on.
async fn numbered(
    pool: &Arc<Pool>,
    request: PurgeRequest,
    table: &str,
    kept: u64,
) -> Result<PurgeStep> {
    let sql = format!(
        "WITH removed AS (DELETE FROM {table} WHERE id IN (SELECT id FROM {table} \
         WHERE id <= (SELECT max(id) FROM {table}) - $1 ORDER BY id LIMIT $2) RETURNING id) \
         SELECT count(*) FROM removed"
    );
    let values = values![kept, request.limit];
    let removed = pool.run(Call::new(Repeat::Harmless, sql, values)).await?;
    Ok(step_of(request, rows::number(&removed)?))
}

/// All but the latest of each node, and in the end the node if it is silent.
async fn changes(pool: &Arc<Pool>, request: PurgeRequest, kept: u64) -> Result<PurgeStep> {
    let silent = format!("nodes.changed_at < now() - {SILENT_NODES_KEPT}");
    let old = format!(
        "WITH removed AS (DELETE FROM changes WHERE (node, number) IN \
         (SELECT old.node, old.number FROM nodes CROSS JOIN LATERAL \
         (SELECT node, number FROM changes WHERE changes.node = nodes.node \
         AND changes.number <= CASE WHEN {silent} THEN nodes.last_change \
         ELSE nodes.last_change - $1 END ORDER BY changes.number LIMIT $2) AS old \
         ORDER BY old.node, old.number LIMIT $2) RETURNING node) \
         SELECT count(*) FROM removed"
    );
    let values = values![kept.max(1), request.limit];
    let removed = pool.run(Call::new(Repeat::Harmless, old, values)).await?;
    let step = step_of(request, rows::number(&removed)?);
    if step.next.is_none() {
        let gone = format!(
            "DELETE FROM nodes WHERE {silent} \
             AND NOT EXISTS (SELECT 1 FROM changes WHERE changes.node = nodes.node)"
        );
        pool.run(Call::new(Repeat::Harmless, gone, values![])).await?;
    }
    Ok(step)
}

/// Steps that take the first of what is over are numbered: each starts where the last one was.
const fn step_of(request: PurgeRequest, removed: u32) -> PurgeStep {
    let is_full = removed >= request.limit && removed > 0;
    let next = if is_full { Some(request.after.saturating_add(1)) } else { None };
    PurgeStep { removed, next, due: None }
}
