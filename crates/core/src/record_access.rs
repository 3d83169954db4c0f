//! Which token records a user sees, and so may end.

use tokenry_protocol::time::{Seconds, Timestamp};

use crate::{
    client::Client,
    grant::Token,
    user::{Role, User},
};

/// For how long administrators can still list a consented grant after both its tokens have expired.
pub const EXPIRED_GRANTS_LISTED: Seconds = Seconds(30 * 86_400);

/// Whether `caller` sees a record whose client and user are those given; `None` when they are gone.
///
/// A record is visible from the first token until it is revoked or both tokens have expired: to its
/// own user and to administrators. For everybody else it does not exist.
pub fn sees(
    caller: &User,
    token: &Token,
    (client, user): (Option<&Client>, Option<&User>),
    now: Timestamp,
) -> bool {
    let is_live = token.issued().is_some_and(|issued| !issued.is_expired(now));
    let is_whole = client.is_some() && user.is_some();
    let is_theirs = token.user_id == caller.id || caller.role == Role::Admin;
    is_live && is_whole && is_theirs
}
