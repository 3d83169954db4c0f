//! Clients.

use std::sync::Arc;

use tokenry_core::{
    client::{Client, ClientSecret},
    revision::Revision,
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier},
    scope::Scope,
    time::Timestamp,
};

use super::{
    calls::Call,
    changes::{Log, leave_changes},
    pages::List,
    pool::Pool,
    rows,
    values::{Bind as _, Value, values},
};
use crate::{
    ClientFilter, ClientUpdate, Conditional, Deletion, Insertion, Page, PageRequest, Result,
    StoreError, Tombstone,
    columns::{
        ReadColumns as _,
        clients::{client_columns, read},
        read_tombstone,
    },
    words,
};

/// A client that is not deleted.
macro_rules! client_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            client_columns!(),
            " FROM clients WHERE deleted_at IS NULL AND ",
            $condition
        )
    };
}

/// The unique index.
const IDENTIFIER: &str = "clients_identifier";

/// Adds a client unless its identifier is taken or its owner is gone. The owner is locked until
/// the client is there, so that it cannot go meanwhile.
pub(super) async fn insert(pool: &Arc<Pool>, client: &Client) -> Result<Insertion> {
    let insertion = "WITH owner AS \
        (SELECT id FROM users WHERE id = $5 AND deleted_at IS NULL FOR SHARE), \
        inserted AS (INSERT INTO clients (id, identifier, folded_identifier, name, user_id, \
        secret_hash, secret_generation, redirect_uris, company, description, logo_url, \
        allowed_scope, status, role, grant_types, access_token_lifetime_max, \
        refresh_token_lifetime_max, retry_window, created_at, updated_at) \
        SELECT $1::bigint, $2::text, $3::text, $4::text, id, $6::bytea, $7::bigint, $8::text, \
        $9::text, $10::text, $11::text, $12::text, $13::text, $14::text, $15::text, \
        $16::bigint, $17::bigint, $18::bigint, $19::bigint, $20::bigint \
        FROM owner \
        ON CONFLICT (folded_identifier) WHERE deleted_at IS NULL DO NOTHING RETURNING id) \
        SELECT (SELECT count(*) FROM owner), (SELECT count(*) FROM inserted)";
    let call = Call::write(insertion, fields(client)?);
    let (owners, inserted) = rows::only(&pool.run(call).await?, read_counts)?;
    Ok(match (owners, inserted) {
        (0, _) => Insertion::OwnerGone,
        (_, 0) => Insertion::Duplicate,
        _ => Insertion::Done,
    })
}

fn read_counts(columns: &mut rows::Columns<'_>) -> Result<(u64, u64)> {
    Ok((columns.number()?, columns.number()?))
}

/// Replaces everything but the id, if nobody else did since. What else stands in the way of a
/// change that was decided on another version says nothing: only the right one is written, and so
/// can be a duplicate.
pub(super) async fn update(log: &Arc<Log>, write: &Revision<Client>) -> Result<ClientUpdate> {
    let update = concat!(
        "WITH owner AS (SELECT id FROM users WHERE id = $6 AND deleted_at IS NULL FOR SHARE), \
         updated AS (UPDATE clients SET identifier = $3, folded_identifier = $4, name = $5, \
         user_id = owner.id, secret_hash = $7, secret_generation = $8, redirect_uris = $9, \
         company = $10, description = $11, logo_url = $12, allowed_scope = $13, status = $14, \
         role = $15, grant_types = $16, access_token_lifetime_max = $17, \
         refresh_token_lifetime_max = $18, retry_window = $19, created_at = $20, \
         updated_at = $21 FROM owner WHERE clients.id = $2 AND clients.deleted_at IS NULL \
         AND clients.updated_at = $22 RETURNING clients.id), \
         told AS (SELECT 'client'::text AS record, id AS record_id FROM updated), ",
        leave_changes!(),
        "SELECT (SELECT count(*) FROM owner), (SELECT count(*) FROM updated), \
         (SELECT count(*) FROM clients \
         WHERE id = $2 AND deleted_at IS NULL AND updated_at = $22)"
    );
    let mut values = fields(write.record())?;
    values.extend(values![write.before()]);
    let updated = match log.leave(Call::write(update, values)).await {
        Err(failure) if failure.violates(IDENTIFIER) => return Ok(ClientUpdate::Duplicate),
        updated => updated?,
    };
    let found = |columns: &mut rows::Columns<'_>| Ok((read_counts(columns)?, columns.number()?));
    Ok(match rows::only::<((u64, u64), u64)>(&updated.rows, found)? {
        ((_, 1), _) => ClientUpdate::Done,
        ((0, _), 1) => ClientUpdate::OwnerGone,
        _ => ClientUpdate::Already,
    })
}

/// All that a client is.
fn fields(client: &Client) -> Result<Vec<Value>> {
    let (hash, generation) = match &client.authentication {
        ClientSecret::Public => (None, None),
        ClientSecret::Confidential { hash, generation } => (Some(hash), Some(*generation)),
    };
    let status = words::client_status(client.status);
    let role = words::client_role(client.role);
    Ok(values![
        client.id,
        client.identifier.as_str(),
        client.identifier.folded(),
        client.name.as_str(),
        client.user_id,
        hash,
        generation,
        json(&client.redirect_uris)?,
        client.company.as_deref(),
        client.description.as_deref(),
        client.logo_url.as_deref(),
        client.allowed_scope.as_ref().map(Scope::to_string),
        status,
        role,
        client.grant_types.as_ref().map(json).transpose()?,
        client.access_token_lifetime_max,
        client.refresh_token_lifetime_max,
        client.retry_window,
        client.created_at,
        client.updated_at,
    ])
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// By id.
pub(super) async fn find(pool: &Arc<Pool>, id: ClientId) -> Result<Option<Client>> {
    let by_id = client_where!("id = $1");
    rows::first(&pool.run(Call::read(by_id, values![id])).await?, |columns| read(columns))
}

/// Of a client that is deleted.
pub(super) async fn find_deleted(pool: &Arc<Pool>, id: ClientId) -> Result<Option<Tombstone>> {
    let left = "SELECT name, deleted_at FROM clients WHERE id = $1 AND deleted_at IS NOT NULL";
    rows::first(&pool.run(Call::read(left, values![id])).await?, |columns| read_tombstone(columns))
}

/// By identifier, in its exact case.
pub(super) async fn find_by_identifier(
    pool: &Arc<Pool>,
    identifier: &ClientIdentifier,
) -> Result<Option<Client>> {
    let exactly = client_where!("folded_identifier = $1 AND identifier = $2");
    let names = values![identifier.folded(), identifier.as_str()];
    rows::first(&pool.run(Call::read(exactly, names)).await?, |columns| read(columns))
}

/// Ends a client. Its tokens end by that.
pub(super) async fn delete(log: &Arc<Log>, id: ClientId, now: Timestamp) -> Result<Deletion> {
    let end = concat!(
        "WITH ended AS (UPDATE clients SET deleted_at = $3, secret_hash = NULL, \
         secret_generation = NULL WHERE id = $2 AND deleted_at IS NULL RETURNING id), \
         told AS (SELECT 'client'::text AS record, id AS record_id FROM ended), ",
        leave_changes!(),
        "SELECT count(*) FROM ended"
    );
    match rows::written(&log.leave(Call::write(end, values![id, now])).await?.rows)? {
        Conditional::Now => Ok(Deletion::Done),
        Conditional::Already => Ok(Deletion::NotFound),
    }
}

/// Clients that are not deleted.
fn living(filter: &ClientFilter) -> List {
    let columns = client_columns!();
    let mut list = List::new("clients", "id", columns, "deleted_at IS NULL");
    if let Some(owner) = filter.owner {
        list.of("user_id", owner.bind());
    }
    for id in &filter.except {
        list.and("id <> ?", id.bind());
    }
    list
}

/// A page, in the order of id.
pub(super) async fn list(
    pool: &Arc<Pool>,
    filter: &ClientFilter,
    page: PageRequest,
) -> Result<Page<Client>> {
    living(filter).page(pool, page, |columns| read(columns)).await
}

/// How many, up to `limit`.
pub(super) async fn count(pool: &Arc<Pool>, filter: &ClientFilter, limit: u32) -> Result<u32> {
    living(filter).count(pool, limit).await
}
