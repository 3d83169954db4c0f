//! When credentials were refused last.

use tokenry_core::refusal::Refusal;
use tokenry_protocol::secret::Kind;

use super::ReadColumns;
use crate::Result;

/// In the order of [`read`].
macro_rules! refusal_columns {
    () => {
        "record_id, kind, at, reason, place"
    };
}
pub(crate) use refusal_columns;

/// From the columns of [`refusal_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<Refusal> {
    Ok(Refusal {
        id: columns.number()?,
        kind: columns.word(Kind::parse)?,
        at: columns.time()?,
        reason: columns.text()?.into(),
        place: columns.text()?.into(),
    })
}
