//! API tokens.

use tokenry_core::api_token::ApiToken;

use super::ReadColumns;
use crate::{Result, words};

/// In the order of [`read`].
macro_rules! api_token_columns {
    () => {
        "id, hash, description, status, user_id, assigned_user_id, created_at, updated_at, \
         last_used"
    };
}
pub(crate) use api_token_columns;

/// From the columns of [`api_token_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<ApiToken> {
    Ok(ApiToken {
        id: columns.id()?,
        hash: columns.hash()?,
        description: columns.text()?,
        status: columns.word(words::parse_api_token_status)?,
        user_id: columns.id()?,
        assigned_user_id: columns.id()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
        last_used: columns.time_set()?,
    })
}
