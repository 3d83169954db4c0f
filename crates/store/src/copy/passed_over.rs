//! Ids that a database has passed over for an import, and that nothing in it ever had.
//!
//! What was revoked is a row that is gone, so a record that an import does not find is either new
//! to the database or was ended in it. Their ids tell them apart: an id below the next one was
//! given or taken in before. But an import raises the next ids first, so that no id is given twice,
//! and has to go on when it was broken off. So it notes from where to where it raised them, and
//! each batch moves the beginning behind its last row, in the same transaction. The notes are
//! among the [marks](super::mark).

use std::{collections::BTreeMap, ops::Range};

use super::{
    Result, Side,
    tables::{MARKS, Row, Table, Value},
    transfer,
};

/// Before the name of a sequence.
const NAMED: &str = "passed over: ";

/// What an import may write without asking.
pub(super) struct PassedOver {
    next: BTreeMap<String, i64>,
    ranges: BTreeMap<String, Range<i64>>,
}

impl PassedOver {
    /// What earlier imports have noted.
    pub(super) async fn read(target: &Side) -> Result<Self> {
        let mut next = transfer::leases(target).await?;
        next.retain(|sequence, _| transfer::is_of_ids(sequence));
        target.tell(target.end.make_marks().await)?;
        let marks = target.read_whole(&MARKS).await?;
        let mut ranges: BTreeMap<_, _> = marks.into_iter().filter_map(read_note).collect();
        for (sequence, range) in &mut ranges {
            // A note whose next ids were not raised any more: those that were given since count.
            if let Some(next) = next.get(sequence).filter(|next| **next < range.end) {
                *range = range.start.max(*next)..*next;
            }
        }
        Ok(Self { next, ranges })
    }

    /// Whether the row is new here: its id was never given, nor is it of a row that was imported.
    pub(super) fn has(&self, table: &Table, row: &Row) -> bool {
        let (Some(next), Some(id)) = (self.next.get(table.name), row.id()) else {
            return true;
        };
        id >= *next || self.ranges.get(table.name).is_some_and(|range| range.contains(&id))
    }

    /// Raises the next ids of a database where they are lower than these.
    pub(super) async fn raise(
        &mut self,
        target: &Side,
        next_ids: &BTreeMap<String, i64>,
    ) -> Result<()> {
        let (mut notes, mut raised) = (Vec::new(), Vec::new());
        for (sequence, ours) in &mut self.next {
            let Some(next) = next_ids.get(sequence).copied().filter(|next| *ours < *next) else {
                continue;
            };
            let before = self.ranges.get(sequence).filter(|range| range.end == *ours);
            let range = before.map_or(*ours, |range| range.start)..next;
            notes.push(note(sequence, &range));
            raised.push(Row(vec![Value::Text(sequence.clone()), Value::Integer(next)]));
            self.ranges.insert(sequence.clone(), range);
            *ours = next;
        }
        target.tell(target.end.write(&MARKS, notes).await)?;
        target.tell(target.end.write(&super::LEASES, raised).await)
    }

    /// The note that goes with a batch of which this is the last row.
    pub(super) fn behind(&mut self, table: &Table, last: Option<&Row>) -> Vec<Row> {
        let (Some(range), Some(id)) = (self.ranges.get_mut(table.name), last.and_then(Row::id))
        else {
            return Vec::new();
        };
        if !range.contains(&id) {
            return Vec::new();
        }
        range.start = id + 1;
        vec![note(table.name, range)]
    }
}

fn note(sequence: &str, range: &Range<i64>) -> Row {
    Row(vec![
        Value::Text(format!("{NAMED}{sequence}")),
        Value::Integer(range.start),
        Value::Bytes(range.end.to_be_bytes().to_vec()),
    ])
}

fn read_note(mark: Row) -> Option<(String, Range<i64>)> {
    let [Value::Text(name), Value::Integer(start), Value::Bytes(end)] =
        <[Value; 3]>::try_from(mark.0).ok()?
    else {
        return None;
    };
    let end = i64::from_be_bytes(end.try_into().ok()?);
    Some((name.strip_prefix(NAMED)?.to_owned(), start..end))
}
