//! Changes.

use super::ReadColumns;
use crate::{ChangedRecord, Result, words};

/// What changed, from the columns `record, record_id`.
pub(crate) fn read_record(columns: &mut impl ReadColumns) -> Result<ChangedRecord> {
    let word = columns.word(|word| Some(word.to_owned()))?;
    columns
        .integer(|id| words::parse_changed_record(&word, id.map(u64::try_from).transpose().ok()?))
}
