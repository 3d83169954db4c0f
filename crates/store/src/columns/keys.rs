//! Keys, sealed.

use super::ReadColumns;
use crate::{Result, SealedKey, words};

/// In the order of [`read`].
macro_rules! key_columns {
    () => {
        "purpose, number, sealed, created_at"
    };
}
pub(crate) use key_columns;

/// From the columns of [`key_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<SealedKey> {
    Ok(SealedKey {
        purpose: columns.word(words::parse_key_purpose)?,
        number: columns.number()?,
        sealed: columns.bytes(|sealed| Some(sealed.map(<[u8]>::to_vec)))?,
        created_at: columns.time()?,
    })
}
