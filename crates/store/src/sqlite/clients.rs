//! Clients.

use rusqlite::{Connection, ToSql, params};
use tokenry_core::{
    client::{Client, ClientSecret},
    revision::Revision,
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier},
    scope::Scope,
    time::{Seconds, Timestamp},
};

use super::{changes, pages::List, rows, users};
use crate::{
    ChangedRecord, ClientFilter, ClientUpdate, Conditional, Deletion, Insertion, Page, PageRequest,
    Result, StoreError, Tombstone,
    columns::{
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

/// Adds a client unless its identifier is taken or its owner is gone.
pub(super) fn insert(connection: &Connection, client: &Client) -> Result<Insertion> {
    let insertion = "INSERT INTO clients (id, identifier, folded_identifier, name, user_id, \
        secret_hash, secret_generation, redirect_uris, company, description, logo_url, \
        allowed_scope, status, role, grant_types, access_token_lifetime_max, \
        refresh_token_lifetime_max, retry_window, created_at, updated_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
        ?19, ?20) ON CONFLICT (folded_identifier) WHERE deleted_at IS NULL DO NOTHING";
    if !users::lives(connection, client.user_id)? {
        return Ok(Insertion::OwnerGone);
    }
    match write(connection, insertion, client, &[])? {
        Conditional::Now => Ok(Insertion::Done),
        Conditional::Already => Ok(Insertion::Duplicate),
    }
}

/// Replaces everything but the id, if nobody else did since.
pub(super) fn update(connection: &Connection, revision: &Revision<Client>) -> Result<ClientUpdate> {
    let taken = "SELECT EXISTS (SELECT 1 FROM clients \
        WHERE folded_identifier = ? AND deleted_at IS NULL AND id <> ?)";
    let update = "UPDATE clients SET identifier = ?2, folded_identifier = ?3, name = ?4, \
        user_id = ?5, secret_hash = ?6, secret_generation = ?7, redirect_uris = ?8, company = ?9, \
        description = ?10, logo_url = ?11, allowed_scope = ?12, status = ?13, role = ?14, \
        grant_types = ?15, access_token_lifetime_max = ?16, refresh_token_lifetime_max = ?17, \
        retry_window = ?18, created_at = ?19, updated_at = ?20 \
        WHERE id = ?1 AND deleted_at IS NULL AND updated_at = ?21";
    let (before, client) = (revision.before(), revision.record());
    // What else stands in the way of a change that was decided on another version says nothing.
    if find(connection, client.id)?.is_none_or(|found| found.updated_at != before) {
        return Ok(ClientUpdate::Already);
    }
    if !users::lives(connection, client.user_id)? {
        return Ok(ClientUpdate::OwnerGone);
    }
    let folded = client.identifier.folded();
    if rows::value(connection, taken, params![folded, client.id.get()])? {
        return Ok(ClientUpdate::Duplicate);
    }
    match write(connection, update, client, params![before.as_millis()])? {
        Conditional::Already => Ok(ClientUpdate::Already),
        Conditional::Now => {
            changes::leave(connection, ChangedRecord::Client(client.id))?;
            Ok(ClientUpdate::Done)
        }
    }
}

/// Runs a statement over all that a client is, and over what its condition takes.
fn write(
    connection: &Connection,
    sql: &str,
    client: &Client,
    condition: &[&dyn ToSql],
) -> Result<Conditional> {
    let (hash, generation) = match &client.authentication {
        ClientSecret::Public => (None, None),
        ClientSecret::Confidential { hash, generation } => {
            (Some(hash.as_bytes()), Some(generation))
        }
    };
    let status = words::client_status(client.status);
    let role = words::client_role(client.role);
    let seconds = |span: Option<Seconds>| span.map(|span| span.0);
    let values: &[&dyn ToSql] = params![
        client.id.get(),
        client.identifier.as_str(),
        client.identifier.folded(),
        client.name,
        client.user_id.get(),
        hash,
        generation,
        json(&client.redirect_uris)?,
        client.company,
        client.description,
        client.logo_url,
        client.allowed_scope.as_ref().map(Scope::to_string),
        status,
        role,
        client.grant_types.as_ref().map(json).transpose()?,
        seconds(client.access_token_lifetime_max),
        seconds(client.refresh_token_lifetime_max),
        seconds(client.retry_window),
        client.created_at.as_millis(),
        client.updated_at.as_millis(),
    ];
    rows::write_if(connection, sql, [values, condition].concat().as_slice())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// By id.
pub(super) fn find(connection: &Connection, id: ClientId) -> Result<Option<Client>> {
    rows::find(connection, client_where!("id = ?"), [id.get()], |columns| read(columns))
}

/// Of a client that is deleted.
pub(super) fn find_deleted(connection: &Connection, id: ClientId) -> Result<Option<Tombstone>> {
    let left = "SELECT name, deleted_at FROM clients WHERE id = ? AND deleted_at IS NOT NULL";
    rows::find(connection, left, [id.get()], |columns| read_tombstone(columns))
}

/// By identifier, in its exact case.
pub(super) fn find_by_identifier(
    connection: &Connection,
    identifier: &ClientIdentifier,
) -> Result<Option<Client>> {
    let exactly = client_where!("folded_identifier = ? AND identifier = ?");
    let names = params![identifier.folded(), identifier.as_str()];
    rows::find(connection, exactly, names, |columns| read(columns))
}

/// Ends a client. Its tokens end by that.
pub(super) fn delete(connection: &Connection, id: ClientId, now: Timestamp) -> Result<Deletion> {
    let end = "UPDATE clients SET deleted_at = ?2, secret_hash = NULL, secret_generation = NULL \
        WHERE id = ?1 AND deleted_at IS NULL";
    match rows::write_if(connection, end, params![id.get(), now.as_millis()])? {
        Conditional::Already => Ok(Deletion::NotFound),
        Conditional::Now => {
            changes::leave(connection, ChangedRecord::Client(id))?;
            Ok(Deletion::Done)
        }
    }
}

/// Clients that are not deleted.
fn living(filter: &ClientFilter) -> List {
    let columns = client_columns!();
    let mut list = List::new("clients", columns, "deleted_at IS NULL");
    if let Some(owner) = filter.owner {
        list.and("user_id = ?", owner.get());
    }
    for id in &filter.except {
        list.and("id <> ?", id.get());
    }
    list
}

/// A page, in the order of id.
pub(super) fn list(
    connection: &Connection,
    filter: &ClientFilter,
    page: PageRequest,
) -> Result<Page<Client>> {
    living(filter).page(connection, page, |columns| read(columns))
}

/// How many, up to `limit`.
pub(super) fn count(connection: &Connection, filter: &ClientFilter, limit: u32) -> Result<u32> {
    living(filter).count(connection, limit)
}
