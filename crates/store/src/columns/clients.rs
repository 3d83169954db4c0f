//! Clients.

use tokenry_core::client::{Client, ClientSecret};
use tokenry_protocol::ids::ClientIdentifier;

use super::ReadColumns;
use crate::{Result, words};

/// All but those of the tombstone, in the order of [`read`].
macro_rules! client_columns {
    () => {
        "id, identifier, name, user_id, secret_hash, secret_generation, redirect_uris, company, \
         description, logo_url, allowed_scope, status, role, grant_types, \
         access_token_lifetime_max, refresh_token_lifetime_max, retry_window, created_at, \
         updated_at"
    };
}
pub(crate) use client_columns;

/// From the columns of [`client_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<Client> {
    Ok(Client {
        id: columns.id()?,
        identifier: columns.word(|text| ClientIdentifier::parse(text).ok())?,
        name: columns.text()?,
        user_id: columns.id()?,
        authentication: read_secret(columns)?,
        redirect_uris: columns.json()?,
        company: columns.text_set()?,
        description: columns.text_set()?,
        logo_url: columns.text_set()?,
        allowed_scope: columns.scope_set()?,
        status: columns.word(words::parse_client_status)?,
        role: columns.word(words::parse_client_role)?,
        grant_types: columns.json_set()?,
        access_token_lifetime_max: columns.seconds_set()?,
        refresh_token_lifetime_max: columns.seconds_set()?,
        retry_window: columns.seconds_set()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

fn read_secret(columns: &mut impl ReadColumns) -> Result<ClientSecret> {
    let hash = columns.hash_set()?;
    columns.integer(|generation| match (hash, generation) {
        (None, None) => Some(ClientSecret::Public),
        (Some(hash), Some(generation)) => {
            let generation = u32::try_from(generation).ok()?;
            Some(ClientSecret::Confidential { hash, generation })
        }
        _ => None,
    })
}
