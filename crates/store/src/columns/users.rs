//! Users.

use tokenry_core::user::{Role, User};

use super::ReadColumns;
use crate::{Result, UserFilter};

/// All but those of the tombstone, in the order of [`read`].
macro_rules! user_columns {
    () => {
        "id, email, name, role, password_hash, verified, suspended, password_epoch, created_at, \
         updated_at"
    };
}
pub(crate) use user_columns;

/// From the columns of [`user_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<User> {
    Ok(User {
        id: columns.id()?,
        email: columns.text()?,
        name: columns.text()?,
        role: columns.word(Role::parse)?,
        password_hash: columns.text_set()?,
        verified: columns.flag()?,
        suspended: columns.flag()?,
        password_epoch: columns.number()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

/// What holds of the users on a list: words of this program alone.
pub(crate) fn condition(filter: UserFilter) -> String {
    let role = filter.role.map(|role| format!(" AND role = '{}'", role.as_str()));
    let suspended = match filter.suspended {
        Some(true) => " AND suspended",
        Some(false) => " AND NOT suspended",
        None => "",
    };
    format!("deleted_at IS NULL{}{suspended}", role.unwrap_or_default())
}
