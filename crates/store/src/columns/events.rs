//! What is remembered of records.

use tokenry_core::event::{Actor, Event, EventKind};

use super::ReadColumns;
use crate::{Result, words};

/// In the order of [`read`].
macro_rules! event_columns {
    () => {
        "at, kind, token_id, client_id, user_id, actor, actor_id"
    };
}
pub(crate) use event_columns;

/// From the columns of [`event_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<Event> {
    Ok(Event {
        at: columns.time()?,
        kind: columns.word(EventKind::parse)?,
        token_id: columns.id()?,
        client_id: columns.id()?,
        user_id: columns.id()?,
        actor: read_actor(columns)?,
    })
}

fn read_actor(columns: &mut impl ReadColumns) -> Result<Actor> {
    let word = columns.word(|word| Some(word.to_owned()))?;
    columns.integer(|id| words::parse_actor(&word, id.map(u64::try_from).transpose().ok()?))
}
