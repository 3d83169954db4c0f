//! Sign-in sessions.

use std::sync::Arc;

use tokenry_core::sign_in_session::SignInSession;
use tokenry_protocol::ids::SignInSessionId;

use super::{calls::Call, pool::Pool, rows, values::values};
use crate::{
    Conditional, Deletion, Result,
    columns::sign_in_sessions::{read, sign_in_session_columns},
};

/// Adds a session.
pub(super) async fn insert(pool: &Arc<Pool>, session: &SignInSession) -> Result<()> {
    let insertion = "INSERT INTO sign_in_sessions \
        (id, hash, user_id, password_epoch, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    let values = values![
        session.id,
        &session.hash,
        session.user_id,
        session.password_epoch,
        session.created_at,
        session.expires_at,
    ];
    pool.run(Call::write(insertion, values)).await?;
    Ok(())
}

/// By id, unless its user is gone.
pub(super) async fn find(pool: &Arc<Pool>, id: SignInSessionId) -> Result<Option<SignInSession>> {
    let by_id = concat!(
        "SELECT ",
        sign_in_session_columns!(),
        " FROM sign_in_sessions WHERE id = $1 AND EXISTS \
         (SELECT 1 FROM users WHERE id = sign_in_sessions.user_id AND deleted_at IS NULL)"
    );
    rows::first(&pool.run(Call::read(by_id, values![id])).await?, |columns| read(columns))
}

/// Ends a session.
pub(super) async fn delete(pool: &Arc<Pool>, id: SignInSessionId) -> Result<Deletion> {
    let end = "WITH ended AS (DELETE FROM sign_in_sessions WHERE id = $1 RETURNING id) \
        SELECT count(*) FROM ended";
    match rows::written(&pool.run(Call::write(end, values![id])).await?)? {
        Conditional::Now => Ok(Deletion::Done),
        Conditional::Already => Ok(Deletion::NotFound),
    }
}
