//! Sign-in sessions.

use rusqlite::{Connection, params};
use tokenry_core::sign_in_session::SignInSession;
use tokenry_protocol::ids::SignInSessionId;

use super::rows;
use crate::{
    Conditional, Deletion, Result,
    columns::sign_in_sessions::{read, sign_in_session_columns},
};

/// Adds a session.
pub(super) fn insert(connection: &Connection, session: &SignInSession) -> Result<()> {
    let insertion = "INSERT INTO sign_in_sessions \
        (id, hash, user_id, password_epoch, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)";
    let values = params![
        session.id.get(),
        session.hash.as_bytes(),
        session.user_id.get(),
        session.password_epoch,
        session.created_at.as_millis(),
        session.expires_at.as_millis(),
    ];
    rows::write(connection, insertion, values)?;
    Ok(())
}

/// By id, unless its user is gone.
pub(super) fn find(connection: &Connection, id: SignInSessionId) -> Result<Option<SignInSession>> {
    let by_id = concat!(
        "SELECT ",
        sign_in_session_columns!(),
        " FROM sign_in_sessions WHERE id = ? AND EXISTS \
         (SELECT 1 FROM users WHERE id = sign_in_sessions.user_id AND deleted_at IS NULL)"
    );
    rows::find(connection, by_id, [id.get()], |columns| read(columns))
}

/// Ends a session.
pub(super) fn delete(connection: &Connection, id: SignInSessionId) -> Result<Deletion> {
    let end = "DELETE FROM sign_in_sessions WHERE id = ?";
    match rows::write_if(connection, end, [id.get()])? {
        Conditional::Now => Ok(Deletion::Done),
        Conditional::Already => Ok(Deletion::NotFound),
    }
}
