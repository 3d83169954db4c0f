//! What is remembered of records.

use rusqlite::{Connection, params};
use tokenry_core::event::Event;
use tokenry_protocol::ids::TokenId;

use super::rows;
use crate::{
    Result,
    columns::events::{event_columns, read},
    words,
};

/// Remembers an event.
pub(super) fn record(connection: &Connection, event: &Event) -> Result<()> {
    let recorded = "INSERT INTO events (at, kind, token_id, client_id, user_id, actor, actor_id) \
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    let (actor, actor_id) = words::actor(event.actor);
    let values = params![
        event.at.as_millis(),
        event.kind.as_str(),
        event.token_id.get(),
        event.client_id.get(),
        event.user_id.get(),
        actor,
        actor_id,
    ];
    rows::write(connection, recorded, values)?;
    Ok(())
}

/// What is remembered of a record, oldest first.
pub(super) fn list(connection: &Connection, id: TokenId) -> Result<Vec<Event>> {
    let of_record =
        concat!("SELECT ", event_columns!(), " FROM events WHERE token_id = ? ORDER BY id");
    rows::list(connection, of_record, [id.get()], |columns| read(columns))
}
