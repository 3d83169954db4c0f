//! API tokens.

use tokenry_core::api_token::ApiToken;
use tokenry_protocol::ids::UserId;

use super::ReadColumns;
use crate::{Result, words};

/// In the order of [`read`].
macro_rules! api_token_columns {
    () => {
        "id, hash, description, status, user_id, assigned_user_id, created_at, updated_at, \
         last_used, account_wide"
    };
}
pub(crate) use api_token_columns;

/// From the columns of [`api_token_columns`]. One that is bound to nobody has its maker in the
/// place of the user: for programs of the schema before it works for nobody else.
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<ApiToken> {
    let token = ApiToken {
        id: columns.id()?,
        hash: columns.hash()?,
        description: columns.text()?,
        status: columns.word(words::parse_api_token_status)?,
        user_id: columns.id()?,
        assigned_user_id: Some(columns.id()?),
        created_at: columns.time()?,
        updated_at: columns.time()?,
        last_used: columns.time_set()?,
    };
    let is_account_wide = columns.truth(|is_so| Some(is_so.unwrap_or(false)))?;
    Ok(if is_account_wide { ApiToken { assigned_user_id: None, ..token } } else { token })
}

/// What stands in `assigned_user_id`.
pub(crate) fn assigned(token: &ApiToken) -> UserId {
    token.assigned_user_id.unwrap_or(token.user_id)
}

/// What stands in `account_wide`: nothing where a program of the schema before would write nothing.
pub(crate) fn account_wide(token: &ApiToken) -> Option<bool> {
    token.assigned_user_id.is_none().then_some(true)
}
