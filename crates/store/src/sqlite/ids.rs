//! Blocks of ids.

use std::ops::RangeInclusive;

use rusqlite::{Connection, params};
use tokenry_protocol::ids::ID_MAX;

use super::{calls::unavailable, rows};
use crate::{IdSequence, Result, columns::ReadColumns as _, words};

/// Takes the next `count` ids of a sequence.
pub(super) fn lease(
    connection: &Connection,
    sequence: IdSequence,
    count: u32,
) -> Result<RangeInclusive<u64>> {
    let taken = "UPDATE id_leases SET next = next + ?2 \
        WHERE sequence = ?1 AND next + ?2 - 1 <= ?3 RETURNING next - ?2, next - 1";
    let block = rows::find(
        connection,
        taken,
        params![words::id_sequence(sequence), count, ID_MAX],
        |columns| Ok(columns.number::<u64>()?..=columns.number()?),
    )?;
    block.ok_or_else(|| unavailable("the ids are spent"))
}

/// The highest id that was leased so far.
pub(super) fn last(connection: &Connection, sequence: IdSequence) -> Result<u64> {
    let next = "SELECT next - 1 FROM id_leases WHERE sequence = ?";
    rows::value(connection, next, [words::id_sequence(sequence)])
}
