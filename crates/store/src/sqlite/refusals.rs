//! When credentials were refused last.

use rusqlite::{Connection, params};
use tokenry_core::refusal::Refusal;

use super::rows;
use crate::{
    Result,
    columns::refusals::{read, refusal_columns},
};

/// Notes refusals; never back in time.
pub(super) fn record(connection: &Connection, refusals: &[Refusal]) -> Result<()> {
    let latest = "INSERT INTO refusals (record_id, kind, at, reason, place) \
        VALUES (?, ?, ?, ?, ?) ON CONFLICT (record_id, kind) DO UPDATE SET \
        at = excluded.at, reason = excluded.reason, place = excluded.place \
        WHERE refusals.at <= excluded.at";
    for refusal in refusals {
        let values = params![
            refusal.id,
            refusal.kind.as_str(),
            refusal.at.as_millis(),
            refusal.reason,
            refusal.place,
        ];
        rows::write(connection, latest, values)?;
    }
    Ok(())
}

/// The last refusals of the credentials of any kind that name this id, the oldest first.
pub(super) fn list(connection: &Connection, id: u64) -> Result<Vec<Refusal>> {
    let of_record = concat!(
        "SELECT ",
        refusal_columns!(),
        " FROM refusals WHERE record_id = ? ORDER BY at, kind"
    );
    rows::list(connection, of_record, [id], |columns| read(columns))
}
