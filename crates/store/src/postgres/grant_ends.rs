//! Ends of records: the row goes with its uses, the event stays, other processes are told.

use std::{collections::BTreeSet, sync::Arc};

use tokenry_core::{event::Event, revocation::GrantEnd};

use super::{
    batches::Batch,
    calls::{Call, Failure},
    changes::{Log, leave_changes},
    ids::RowIds,
    rows,
    values::{column, values},
};
use crate::{Conditional, Result, words};

/// Ends records.
pub(super) struct End {
    pub(super) log: Arc<Log>,
    pub(super) event_ids: Arc<RowIds>,
}

const END: &str = concat!(
    "WITH ends AS (SELECT ends.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], \
     $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[]) \
     AS ends (event_id, id, at, kind, client_id, user_id, actor, actor_id) \
     JOIN tokens ON tokens.id = ends.id ORDER BY tokens.id FOR UPDATE OF tokens), \
     ended AS (DELETE FROM tokens USING ends WHERE tokens.id = ends.id \
     RETURNING ends.event_id, ends.id, ends.at, ends.kind, ends.client_id, ends.user_id, \
     ends.actor, ends.actor_id), \
     uses AS (DELETE FROM token_uses USING ended WHERE token_uses.id = ended.id), \
     remembered AS (INSERT INTO events \
     (id, at, kind, token_id, client_id, user_id, actor, actor_id) \
     SELECT event_id, at, kind, id, client_id, user_id, actor, actor_id FROM ended), \
     told AS (SELECT 'token'::text AS record, id AS record_id FROM ended), ",
    leave_changes!(),
    "SELECT event_id FROM ended"
);

impl Batch for End {
    type Request = GrantEnd;
    type Answer = Conditional;

    fn order(end: &GrantEnd) -> u64 {
        end.id().get()
    }

    async fn carry_out(
        &self,
        ends: &[GrantEnd],
    ) -> std::result::Result<Vec<Result<Conditional>>, Failure> {
        let first = self.event_ids.take(ends.len()).await?;
        let event_ids: Vec<u64> = (first..).take(ends.len()).collect();
        let word = |event: &Event| words::actor(event.actor);
        let values = values![
            column(&event_ids, |id| *id),
            column(ends, GrantEnd::id),
            column(ends, |end| end.event().at),
            column(ends, |end| end.event().kind.as_str()),
            column(ends, |end| end.event().client_id),
            column(ends, |end| end.event().user_id),
            column(ends, |end| word(end.event()).0),
            column(ends, |end| word(end.event()).1),
        ];
        let found = self.log.carry_out(Call::write(END, values)).await?;
        let ended: BTreeSet<u64> = rows::numbers(&found.rows)?;
        let told = |id| if ended.contains(id) { Conditional::Now } else { Conditional::Already };
        Ok(event_ids.iter().map(|id| Ok(told(id))).collect())
    }
}
