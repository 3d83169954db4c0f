//! Users.

use rusqlite::{Connection, params};
use tokenry_core::{
    revision::Revision,
    user::{User, fold_email},
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    time::Timestamp,
};

use super::{changes, pages::List, rows};
use crate::{
    ChangedRecord, Conditional, Insertion, Page, PageRequest, Result, Tombstone, UserDeletion,
    UserFilter,
    columns::{
        ReadColumns as _, read_tombstone,
        users::{condition, read, user_columns},
    },
};

/// A user who is not deleted.
macro_rules! user_where {
    ($condition:literal) => {
        concat!("SELECT ", user_columns!(), " FROM users WHERE deleted_at IS NULL AND ", $condition)
    };
}

/// Whether there is any.
pub(super) fn any(connection: &Connection) -> Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM users WHERE deleted_at IS NULL)";
    rows::value(connection, any, [])
}

/// Whether this one is there.
pub(super) fn lives(connection: &Connection, id: UserId) -> Result<bool> {
    let lives = "SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND deleted_at IS NULL)";
    rows::value(connection, lives, [id.get()])
}

/// Adds a user unless the address is taken.
pub(super) fn insert(connection: &Connection, user: &User) -> Result<Insertion> {
    let insertion = "INSERT INTO users (id, email, folded_email, name, role, password_hash, \
        verified, suspended, password_epoch, created_at, updated_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
        ON CONFLICT (folded_email) WHERE deleted_at IS NULL DO NOTHING";
    let values = params![
        user.id.get(),
        user.email,
        fold_email(&user.email),
        user.name,
        user.role.as_str(),
        user.password_hash,
        user.verified,
        user.suspended,
        user.password_epoch,
        user.created_at.as_millis(),
        user.updated_at.as_millis(),
    ];
    match rows::write_if(connection, insertion, values)? {
        Conditional::Now => Ok(Insertion::Done),
        Conditional::Already => Ok(Insertion::Duplicate),
    }
}

/// By id.
pub(super) fn find(connection: &Connection, id: UserId) -> Result<Option<User>> {
    rows::find(connection, user_where!("id = ?"), [id.get()], |columns| read(columns))
}

/// Of a user who is deleted.
pub(super) fn find_deleted(connection: &Connection, id: UserId) -> Result<Option<Tombstone>> {
    let left = "SELECT name, deleted_at FROM users WHERE id = ? AND deleted_at IS NOT NULL";
    rows::find(connection, left, [id.get()], |columns| read_tombstone(columns))
}

/// By folded address.
pub(super) fn find_by_email(connection: &Connection, folded_email: &str) -> Result<Option<User>> {
    rows::find(connection, user_where!("folded_email = ?"), [folded_email], |columns| read(columns))
}

/// A page, in the order of id.
pub(super) fn list(
    connection: &Connection,
    filter: UserFilter,
    page: PageRequest,
) -> Result<Page<User>> {
    let list = List::new("users", user_columns!(), &condition(filter));
    list.page(connection, page, |columns| read(columns))
}

/// Replaces everything but the id, the address and the time of creation, if nobody else did since.
pub(super) fn update(connection: &Connection, write: &Revision<User>) -> Result<Conditional> {
    let update = "UPDATE users SET name = ?2, role = ?3, password_hash = ?4, verified = ?5, \
        suspended = ?6, password_epoch = ?7, updated_at = ?8 \
        WHERE id = ?1 AND deleted_at IS NULL AND updated_at = ?9";
    let user = write.record();
    let values = params![
        user.id.get(),
        user.name,
        user.role.as_str(),
        user.password_hash,
        user.verified,
        user.suspended,
        user.password_epoch,
        user.updated_at.as_millis(),
        write.before().as_millis(),
    ];
    let updated = rows::write_if(connection, update, values)?;
    if updated == Conditional::Now {
        changes::leave(connection, ChangedRecord::User(user.id))?;
    }
    Ok(updated)
}

/// Ends a user. Tokens and sessions end by that; API tokens go at once, since there are few and
/// each counts against a limit. Of the person only the id stays.
pub(super) fn delete(connection: &Connection, id: UserId, now: Timestamp) -> Result<UserDeletion> {
    if !lives(connection, id)? {
        return Ok(UserDeletion::NotFound);
    }
    let owns_clients = "SELECT EXISTS \
        (SELECT 1 FROM clients WHERE user_id = ? AND deleted_at IS NULL)";
    if rows::value(connection, owns_clients, [id.get()])? {
        return Ok(UserDeletion::OwnsClients);
    }
    let end = "UPDATE users SET deleted_at = ?2, email = '', folded_email = '', name = '', \
        password_hash = NULL WHERE id = ?1";
    rows::write(connection, end, params![id.get(), now.as_millis()])?;
    changes::leave(connection, ChangedRecord::User(id))?;

    // Of one that is bound to nobody its maker stands there.
    let end_api_tokens = "DELETE FROM api_tokens WHERE assigned_user_id = ? RETURNING id";
    let ended =
        rows::list(connection, end_api_tokens, [id.get()], |columns| columns.id::<ApiTokenId>())?;
    for api_token in ended {
        changes::leave(connection, ChangedRecord::ApiToken(api_token))?;
    }
    Ok(UserDeletion::Done)
}
