//! API tokens.

use rusqlite::{Connection, params};
use tokenry_core::{api_token::ApiToken, revision::Revision};
use tokenry_protocol::{ids::ApiTokenId, time::Timestamp};

use super::{changes, rows, users};
use crate::{
    ApiTokenInsertion, ApiTokenUse, ChangedRecord, Conditional, Deletion, Result,
    columns::api_tokens::{account_wide, api_token_columns, assigned, read},
    words,
};

macro_rules! api_tokens {
    ($rest:literal) => {
        concat!("SELECT ", api_token_columns!(), " FROM api_tokens ", $rest)
    };
}

/// Adds an API token unless there are `limit`, or whom it would work for is gone; its maker, of one
/// that is bound to nobody.
pub(super) fn insert(
    connection: &Connection,
    token: &ApiToken,
    limit: u32,
) -> Result<ApiTokenInsertion> {
    let insertion = "INSERT INTO api_tokens (id, hash, description, status, user_id, \
        assigned_user_id, created_at, updated_at, last_used, account_wide) \
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 \
        WHERE (SELECT count(*) FROM api_tokens) < ?11";
    if !users::lives(connection, assigned(token))? {
        return Ok(ApiTokenInsertion::OwnerGone);
    }
    let values = params![
        token.id.get(),
        token.hash.as_bytes(),
        token.description,
        words::api_token_status(token.status),
        token.user_id.get(),
        assigned(token).get(),
        token.created_at.as_millis(),
        token.updated_at.as_millis(),
        token.last_used.map(Timestamp::as_millis),
        account_wide(token),
        limit,
    ];
    match rows::write_if(connection, insertion, values)? {
        Conditional::Now => Ok(ApiTokenInsertion::Done),
        Conditional::Already => Ok(ApiTokenInsertion::LimitReached),
    }
}

/// By id.
pub(super) fn find(connection: &Connection, id: ApiTokenId) -> Result<Option<ApiToken>> {
    rows::find(connection, api_tokens!("WHERE id = ?"), [id.get()], |columns| read(columns))
}

/// All of them, in the order of id.
pub(super) fn list(connection: &Connection) -> Result<Vec<ApiToken>> {
    rows::list(connection, api_tokens!("ORDER BY id"), [], |columns| read(columns))
}

/// Replaces description and status, if nobody else did since.
pub(super) fn update(connection: &Connection, write: &Revision<ApiToken>) -> Result<Conditional> {
    let update = "UPDATE api_tokens SET description = ?2, status = ?3, updated_at = ?4 \
        WHERE id = ?1 AND updated_at = ?5";
    let token = write.record();
    let values = params![
        token.id.get(),
        token.description,
        words::api_token_status(token.status),
        token.updated_at.as_millis(),
        write.before().as_millis(),
    ];
    let updated = rows::write_if(connection, update, values)?;
    if updated == Conditional::Now {
        changes::leave(connection, ChangedRecord::ApiToken(token.id))?;
    }
    Ok(updated)
}

/// Ends an API token.
pub(super) fn delete(connection: &Connection, id: ApiTokenId) -> Result<Deletion> {
    let end = "DELETE FROM api_tokens WHERE id = ?";
    match rows::write_if(connection, end, [id.get()])? {
        Conditional::Already => Ok(Deletion::NotFound),
        Conditional::Now => {
            changes::leave(connection, ChangedRecord::ApiToken(id))?;
            Ok(Deletion::Done)
        }
    }
}

/// Notes uses; never back in time.
pub(super) fn record_uses(connection: &Connection, uses: &[ApiTokenUse]) -> Result<()> {
    let later = "UPDATE api_tokens SET last_used = ?2 \
        WHERE id = ?1 AND (last_used IS NULL OR last_used < ?2)";
    for used in uses {
        rows::write(connection, later, params![used.id.get(), used.used_at.as_millis()])?;
    }
    Ok(())
}
