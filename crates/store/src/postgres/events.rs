//! What is remembered of records.

use std::sync::Arc;

use tokenry_core::event::Event;
use tokenry_protocol::ids::TokenId;

use super::{calls::Call, ids::RowIds, pool::Pool, rows, values::values};
use crate::{
    Result,
    columns::events::{event_columns, read},
    words,
};

/// Remembers an event.
pub(super) async fn record(pool: &Arc<Pool>, ids: &RowIds, event: &Event) -> Result<()> {
    let recorded = "INSERT INTO events \
        (id, at, kind, token_id, client_id, user_id, actor, actor_id) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (actor, actor_id) = words::actor(event.actor);
    let values = values![
        ids.take(1).await?,
        event.at,
        event.kind.as_str(),
        event.token_id,
        event.client_id,
        event.user_id,
        actor,
        actor_id,
    ];
    pool.run(Call::write(recorded, values)).await?;
    Ok(())
}

/// What is remembered of a record, oldest first. Of one moment the ids of each node ascend.
pub(super) async fn list(pool: &Arc<Pool>, id: TokenId) -> Result<Vec<Event>> {
    let of_record =
        concat!("SELECT ", event_columns!(), " FROM events WHERE token_id = $1 ORDER BY at, id");
    let found = pool.run(Call::read(of_record, values![id])).await?;
    rows::list(&found, |columns| read(columns))
}
