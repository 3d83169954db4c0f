//! When tokens were last used, and at which rotation: a table of its own, because it changes more
//! often than anything else. Neither ever goes back.

use std::{collections::BTreeMap, sync::Arc};

use tokenry_protocol::ids::TokenId;

use super::{
    batches::Batch,
    calls::{Call, Failure, Repeat},
    pool::Pool,
    values::{column, values},
};
use crate::{Result, TokenUse};

/// The most uses of a statement: a flush of many must not hold up anybody for long.
const USES_PER_STATEMENT: usize = 1_000;

/// Notes uses.
pub(super) struct Note(pub(super) Arc<Pool>);

impl Batch for Note {
    type Request = Vec<TokenUse>;
    type Answer = ();

    fn order(uses: &Vec<TokenUse>) -> u64 {
        uses.first().map_or(0, |used| used.id.get())
    }

    async fn carry_out(
        &self,
        flushes: &[Vec<TokenUse>],
    ) -> std::result::Result<Vec<Result<()>>, Failure> {
        let later = "INSERT INTO token_uses (id, used_at, used_rotation) \
            SELECT uses.id, uses.used_at, uses.used_rotation \
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
            AS uses (id, used_at, used_rotation) \
            JOIN tokens ON tokens.id = uses.id AND tokens.rotation > 0 ORDER BY uses.id \
            ON CONFLICT (id) DO UPDATE SET \
            used_at = greatest(token_uses.used_at, excluded.used_at), \
            used_rotation = greatest(token_uses.used_rotation, excluded.used_rotation) \
            WHERE token_uses.used_at < excluded.used_at \
            OR token_uses.used_rotation < excluded.used_rotation";
        let latest = latest(flushes);
        for part in latest.chunks(USES_PER_STATEMENT) {
            let values = values![
                column(part, |used| used.id),
                column(part, |used| used.used_at),
                column(part, |used| used.rotation),
            ];
            self.0.carry_out(&Call::new(Repeat::Harmless, later, values)).await?;
        }
        Ok(flushes.iter().map(|_| Ok(())).collect())
    }
}

/// One use a record, in the order of id.
fn latest(flushes: &[Vec<TokenUse>]) -> Vec<TokenUse> {
    let mut latest: BTreeMap<TokenId, TokenUse> = BTreeMap::new();
    for used in flushes.iter().flatten() {
        let known = latest.entry(used.id).or_insert(*used);
        known.used_at = used.used_at.max(known.used_at);
        known.rotation = used.rotation.max(known.rotation);
    }
    latest.into_values().collect()
}
