//! Changes of records that others change at the same time, through this node or another.
//!
//! The record is read, decided on, and written if it is as it was read; otherwise all of that is
//! done again, since what was decided on may not hold any more.

use crate::respond::ApiError;

/// Whoever loses is behind somebody whose change took effect. So many in a row are a crowd, and a
/// caller that comes back later is no worse off than one that stays.
const ATTEMPTS_MAX: u32 = 16;

/// The first answer of an `attempt`, which has none when somebody else's change came first.
pub(super) async fn until_written<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<Option<T>, ApiError>>,
{
    for _ in 0..ATTEMPTS_MAX {
        if let Some(answer) = attempt().await? {
            return Ok(answer);
        }
    }
    Err(ApiError::Contended)
}
