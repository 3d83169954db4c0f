//! Purging, in bounded steps: a reader looks for what is over, the writer removes it.
//!
//! 1. [`look`] runs on a reader's connection and goes by id, so no index on expiry is needed and a
//!    sweep over millions of live rows costs the writer nothing.
//! 2. [`remove`] is one small event. It looks at each row again, because a token may have been
//!    refreshed since, and a user may have got an API token since.

use rusqlite::{Connection, params_from_iter};

use super::{listings, rows};
use crate::{Conditional, PurgeRequest, PurgeSubject, Result};

/// What a look has found.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Rows that are over.
    pub(super) over: Vec<u64>,
    /// Where the next look starts; `None` at the end.
    pub(super) next: Option<u64>,
}

/// When a row is over.
struct Rule {
    table: &'static str,
    /// `?2` and further stand for `values`.
    over: &'static str,
    values: Vec<i64>,
    order: Order,
}

/// Whether rows are over in the order of their ids.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Behind the first that is not, there is none.
    ById,
    /// Every row must be looked at.
    None,
}

const TOKENS: &str = "\
    NOT EXISTS (SELECT 1 FROM clients WHERE id = tokens.client_id AND deleted_at IS NULL) \
    OR NOT EXISTS (SELECT 1 FROM users WHERE id = tokens.user_id AND deleted_at IS NULL) \
    OR CASE WHEN rotation = 0 THEN code_expires_at <= ?2 \
    ELSE access_lifetime IS NOT NULL \
    AND max(issued_at + access_lifetime * 1000, coalesce(refresh_expires_at, issued_at)) \
    <= iif(origin = 0, ?3, ?2) END";

const SIGN_IN_SESSIONS: &str = "expires_at <= ?2 OR EXISTS \
    (SELECT 1 FROM users WHERE id = sign_in_sessions.user_id AND deleted_at IS NOT NULL)";

// What is left of their tokens is over whether they are there or not.
const CLIENTS: &str = "deleted_at IS NOT NULL";

const USERS: &str = "deleted_at IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM clients WHERE user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM sign_in_sessions WHERE user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM api_tokens WHERE users.id IN (user_id, assigned_user_id))";

fn rule(request: PurgeRequest) -> Rule {
    let now = request.now.as_millis();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (table, over, values, order) = match request.subject {
        PurgeSubject::Tokens { grants_kept } => {
            let ended_by = request.now.minus(grants_kept).as_millis();
            ("tokens", TOKENS, vec![now, ended_by], Order::None)
        }
        PurgeSubject::SignInSessions => {
            let values = vec![now];
            ("sign_in_sessions", SIGN_IN_SESSIONS, values, Order::None)
        }
        PurgeSubject::Events { kept } => {
            let over = "id <= (SELECT max(id) FROM events) - ?2";
            ("events", over, vec![number(kept)], Order::ById)
        }
        PurgeSubject::Changes { kept } => {
            let over = "number <= (SELECT max(number) FROM changes) - ?2";
            // The last one stays, or numbers would begin again.
            ("changes", over, vec![number(kept.max(1))], Order::ById)
        }
        PurgeSubject::Clients => ("clients", CLIENTS, Vec::new(), Order::None),
        PurgeSubject::Users => ("users", USERS, Vec::new(), Order::None),
    };
    Rule { table, over, values, order }
}

/// Step 1: looks at `limit` rows.
pub(super) fn look(connection: &Connection, request: PurgeRequest) -> Result<Look> {
    let Rule { table, over, values, order } = rule(request);
    let limit = request.limit;
    let sql = format!(
        "SELECT rowid, ({over}) FROM {table} WHERE rowid > ?1 ORDER BY rowid LIMIT {limit}"
    );
    let after = i64::try_from(request.after).unwrap_or(i64::MAX);
    let values = std::iter::once(after).chain(values);
    let rows: Vec<(u64, bool)> =
        rows::list(connection, &sql, params_from_iter(values), |columns| {
            Ok((columns.plain()?, columns.plain()?))
        })?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|looked_at| looked_at == limit);
    let next = rows
        .last()
        .filter(|(_, is_over)| is_full && (order == Order::None || *is_over))
        .map(|(id, _)| *id);
    let over = rows.into_iter().filter_map(|(id, is_over)| is_over.then_some(id)).collect();
    Ok(Look { over, next })
}

/// Step 2: removes those of `ids` that are still over, and says how many.
pub(super) fn remove(connection: &Connection, request: PurgeRequest, ids: &[u64]) -> Result<u32> {
    let Rule { table, over, values, .. } = rule(request);
    let sql = format!("DELETE FROM {table} WHERE rowid = ?1 AND ({over})");
    let mut removed = Vec::new();
    for id in ids {
        let row = i64::try_from(*id).unwrap_or(i64::MAX);
        let values = std::iter::once(row).chain(values.iter().copied());
        if rows::write_if(connection, &sql, params_from_iter(values))? == Conditional::Now {
            removed.push(*id);
        }
    }
    if matches!(request.subject, PurgeSubject::Tokens { .. }) {
        listings::note_gone(connection, &removed)?;
    }
    Ok(u32::try_from(removed.len()).unwrap_or(u32::MAX))
}
