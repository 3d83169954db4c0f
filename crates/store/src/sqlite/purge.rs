//! Purging, in bounded steps: a reader looks for what is over, the writer removes it.
//!
//! 1. [`look`] runs on a reader's connection and goes by id, so no index on expiry is needed and a
//!    sweep over millions of live rows costs the writer nothing.
//! 2. [`remove`] is one small event. It looks at each row again, because a token may have been
//!    refreshed since, and a user may have got an API token since.
//!
//! A look also tells when the next of its rows will be over, so that nobody needs to look before.

use rusqlite::Connection;
use tokenry_protocol::time::{Seconds, Timestamp};

use super::{listings, rows};
use crate::{Conditional, PurgeRequest, PurgeSubject, Result, columns::ReadColumns as _};

/// What a look has found.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Rows that are over.
    pub(super) over: Vec<u64>,
    /// Where the next look starts; `None` at the end.
    pub(super) next: Option<u64>,
    /// When the first of the other rows will be over; `None` if time alone ends none of them.
    pub(super) due: Option<Timestamp>,
}

/// When a row is over.
struct Rule {
    table: &'static str,
    /// Since when, or from when on: NULL is never by time alone, and 0 whatever the time is.
    over_at: String,
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

const SIGN_IN_SESSIONS: &str = "iif(EXISTS (SELECT 1 FROM users \
    WHERE id = sign_in_sessions.user_id AND deleted_at IS NOT NULL), 0, expires_at)";

// What is left of their tokens is over whether they are there or not.
const CLIENTS: &str = "iif(deleted_at IS NOT NULL, 0, NULL)";

const USERS: &str = "iif(deleted_at IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM clients WHERE user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM sign_in_sessions WHERE user_id = users.id) \
    AND NOT EXISTS (SELECT 1 FROM api_tokens WHERE users.id IN (user_id, assigned_user_id)), \
    0, NULL)";

fn tokens(grants_kept: Seconds) -> String {
    let kept = grants_kept.as_millis();
    format!(
        "CASE \
         WHEN NOT EXISTS \
         (SELECT 1 FROM clients WHERE id = tokens.client_id AND deleted_at IS NULL) \
         OR NOT EXISTS (SELECT 1 FROM users WHERE id = tokens.user_id AND deleted_at IS NULL) \
         THEN 0 \
         WHEN rotation = 0 THEN code_expires_at \
         WHEN access_lifetime IS NOT NULL \
         THEN max(issued_at + access_lifetime * 1000, coalesce(refresh_expires_at, issued_at)) \
         + iif(origin = 0, {kept}, 0) END"
    )
}

/// All but the latest.
fn older(table: &str, number: &str, kept: u64) -> String {
    format!("iif({number} <= (SELECT max({number}) FROM {table}) - {kept}, 0, NULL)")
}

fn rule(subject: PurgeSubject) -> Rule {
    let (table, over_at, order) = match subject {
        PurgeSubject::Tokens { grants_kept } => ("tokens", tokens(grants_kept), Order::None),
        PurgeSubject::SignInSessions => {
            ("sign_in_sessions", SIGN_IN_SESSIONS.to_owned(), Order::None)
        }
        PurgeSubject::Events { kept } => ("events", older("events", "id", kept), Order::ById),
        PurgeSubject::Refusals { kept } => ("refusals", older("refusals", "id", kept), Order::ById),
        // The last one stays, or numbers would begin again.
        PurgeSubject::Changes { kept } => {
            ("changes", older("changes", "number", kept.max(1)), Order::ById)
        }
        PurgeSubject::Clients => ("clients", CLIENTS.to_owned(), Order::None),
        PurgeSubject::Users => ("users", USERS.to_owned(), Order::None),
    };
    Rule { table, over_at, order }
}

/// Step 1: looks at `limit` rows.
pub(super) fn look(connection: &Connection, request: PurgeRequest) -> Result<Look> {
    let Rule { table, over_at, order } = rule(request.subject);
    let limit = request.limit;
    let sql = format!(
        "SELECT rowid, {over_at} FROM {table} WHERE rowid > ?1 ORDER BY rowid LIMIT {limit}"
    );
    let after = i64::try_from(request.after).unwrap_or(i64::MAX);
    let rows: Vec<(u64, Option<Timestamp>)> = rows::list(connection, &sql, [after], |columns| {
        Ok((columns.number()?, columns.time_set()?))
    })?;
    let is_over = |over_at: &Option<Timestamp>| over_at.is_some_and(|at| at <= request.now);
    let is_full = u32::try_from(rows.len()).is_ok_and(|looked_at| looked_at == limit);
    let next = rows
        .last()
        .filter(|(_, over_at)| is_full && (order == Order::None || is_over(over_at)))
        .map(|(id, _)| *id);
    let (over, left): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(_, over_at)| is_over(over_at));
    let due = left.into_iter().filter_map(|(_, over_at)| over_at).min();
    Ok(Look { over: over.into_iter().map(|(id, _)| id).collect(), next, due })
}

/// Step 2: removes those of `ids` that are still over, and says how many.
pub(super) fn remove(connection: &Connection, request: PurgeRequest, ids: &[u64]) -> Result<u32> {
    let Rule { table, over_at, .. } = rule(request.subject);
    let sql = format!("DELETE FROM {table} WHERE rowid = ?1 AND {over_at} <= ?2");
    let mut removed = Vec::new();
    for id in ids {
        let row = i64::try_from(*id).unwrap_or(i64::MAX);
        let values = [row, request.now.as_millis()];
        if rows::write_if(connection, &sql, values)? == Conditional::Now {
            removed.push(*id);
        }
    }
    if matches!(request.subject, PurgeSubject::Tokens { .. }) {
        listings::note_gone(connection, &removed)?;
    }
    Ok(u32::try_from(removed.len()).unwrap_or(u32::MAX))
}
