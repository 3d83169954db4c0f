//! Users.

use std::sync::Arc;

use tokenry_core::{
    revision::Revision,
    user::{User, fold_email},
};
use tokenry_protocol::{ids::UserId, time::Timestamp};

use super::{
    calls::{Call, Query},
    changes::{Log, leave_changes},
    pages::List,
    pool::Pool,
    rows,
    values::values,
};
use crate::{
    Conditional, Insertion, Page, PageRequest, Result, Tombstone, UserDeletion, UserFilter,
    columns::{
        read_tombstone,
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
pub(super) async fn any(pool: &Arc<Pool>) -> Result<bool> {
    let any = "SELECT count(*) FROM (SELECT 1 FROM users WHERE deleted_at IS NULL LIMIT 1) AS one";
    Ok(rows::number::<u32>(&pool.run(Call::read(any, values![])).await?)? > 0)
}

/// Adds a user unless the address is taken.
pub(super) async fn insert(pool: &Arc<Pool>, user: &User) -> Result<Insertion> {
    let insertion = "WITH inserted AS (INSERT INTO users (id, email, folded_email, name, role, \
        password_hash, verified, suspended, password_epoch, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
        ON CONFLICT (folded_email) WHERE deleted_at IS NULL DO NOTHING RETURNING id) \
        SELECT count(*) FROM inserted";
    let values = values![
        user.id,
        user.email.as_str(),
        fold_email(&user.email),
        user.name.as_str(),
        user.role.as_str(),
        user.password_hash.as_deref(),
        user.verified,
        user.suspended,
        user.password_epoch,
        user.created_at,
        user.updated_at,
    ];
    match rows::written(&pool.run(Call::write(insertion, values)).await?)? {
        Conditional::Now => Ok(Insertion::Done),
        Conditional::Already => Ok(Insertion::Duplicate),
    }
}

/// By id.
pub(super) async fn find(pool: &Arc<Pool>, id: UserId) -> Result<Option<User>> {
    let by_id = user_where!("id = $1");
    rows::first(&pool.run(Call::read(by_id, values![id])).await?, |columns| read(columns))
}

/// Of a user who is deleted.
pub(super) async fn find_deleted(pool: &Arc<Pool>, id: UserId) -> Result<Option<Tombstone>> {
    let left = "SELECT name, deleted_at FROM users WHERE id = $1 AND deleted_at IS NOT NULL";
    rows::first(&pool.run(Call::read(left, values![id])).await?, |columns| read_tombstone(columns))
}

/// By folded address.
pub(super) async fn find_by_email(pool: &Arc<Pool>, folded_email: &str) -> Result<Option<User>> {
    let by_email = user_where!("folded_email = $1");
    rows::first(&pool.run(Call::read(by_email, values![folded_email])).await?, |columns| {
        read(columns)
    })
}

/// A page, in the order of id.
pub(super) async fn list(
    pool: &Arc<Pool>,
    filter: UserFilter,
    page: PageRequest,
) -> Result<Page<User>> {
    let list = List::new("users", "id", user_columns!(), &condition(filter));
    list.page(pool, page, |columns| read(columns)).await
}

/// Replaces everything but the id, the address and the time of creation, if nobody else did since.
pub(super) async fn update(log: &Arc<Log>, write: &Revision<User>) -> Result<Conditional> {
    let update = concat!(
        "WITH updated AS (UPDATE users SET name = $3, role = $4, password_hash = $5, \
         verified = $6, suspended = $7, password_epoch = $8, updated_at = $9 \
         WHERE id = $2 AND deleted_at IS NULL AND updated_at = $10 RETURNING id), \
         told AS (SELECT 'user'::text AS record, id AS record_id FROM updated), ",
        leave_changes!(),
        "SELECT count(*) FROM updated"
    );
    let user = write.record();
    let values = values![
        user.id,
        user.name.as_str(),
        user.role.as_str(),
        user.password_hash.as_deref(),
        user.verified,
        user.suspended,
        user.password_epoch,
        user.updated_at,
        write.before(),
    ];
    rows::written(&log.leave(Call::write(update, values)).await?.rows)
}

/// Ends a user. Tokens and sessions end by that; API tokens go at once, since there are few and
/// each counts against a limit. Of one that is bound to nobody its maker stands in
/// `assigned_user_id`. Of the person only the id stays.
///
/// Whoever makes the user own a client holds a lock on the user meanwhile. So the lock comes first,
/// and the clients are looked for when it is had.
pub(super) async fn delete(log: &Arc<Log>, id: UserId, now: Timestamp) -> Result<UserDeletion> {
    let lock = "SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    let end = concat!(
        "WITH ended AS (UPDATE users SET deleted_at = $3, email = '', folded_email = '', \
         name = '', password_hash = NULL WHERE id = $2 AND deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM clients WHERE user_id = $2 AND deleted_at IS NULL) RETURNING id), \
         api_tokens_ended AS (DELETE FROM api_tokens USING ended \
         WHERE api_tokens.assigned_user_id = ended.id RETURNING api_tokens.id), \
         told AS (SELECT 'user'::text AS record, id AS record_id FROM ended \
         UNION ALL SELECT 'api_token', id FROM api_tokens_ended), ",
        leave_changes!(),
        "SELECT count(*) FROM ended"
    );
    let call = Call::write(end, values![id, now]).behind(Query::new(lock, values![id]));
    let deleted = log.leave(call).await?;
    match rows::written(&deleted.rows)? {
        Conditional::Now => Ok(UserDeletion::Done),
        Conditional::Already if deleted.first.is_empty() => Ok(UserDeletion::NotFound),
        Conditional::Already => Ok(UserDeletion::OwnsClients),
    }
}
