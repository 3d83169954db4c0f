//! Sign-in sessions.

use tokenry_core::sign_in_session::SignInSession;

use super::ReadColumns;
use crate::Result;

/// In the order of [`read`].
macro_rules! sign_in_session_columns {
    () => {
        "id, hash, user_id, password_epoch, created_at, expires_at"
    };
}
pub(crate) use sign_in_session_columns;

/// From the columns of [`sign_in_session_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<SignInSession> {
    Ok(SignInSession {
        id: columns.id()?,
        hash: columns.hash()?,
        user_id: columns.id()?,
        password_epoch: columns.number()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
