//! Who is signed in at a browser: the session cookie, its session, and the user it speaks for.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use tokenry_core::{sign_in_session::SignInSession, user::User};
use tokenry_protocol::{
    ids::SignInSessionId,
    secret::{Credential, Kind},
    time::Seconds,
};
use tokenry_store::{IdSequence, StoreError};

use super::cookies::{self, CookieName, Kept};
use crate::state::AppState;

/// A browser at which a user is signed in.
pub struct SignedIn {
    /// The session.
    pub session: SignInSession,
    /// Who.
    pub user: Arc<User>,
}

/// The session that the request's cookie names and proves, if it still speaks for its user.
pub async fn find(headers: &HeaderMap, state: &AppState) -> Result<Option<SignedIn>, StoreError> {
    let Some(cookie) = cookies::find(headers, CookieName::Session, &state.base()) else {
        return Ok(None);
    };
    let Some((id, cookie)) = read(cookie, state) else {
        return Ok(None);
    };
    let session = state.store.find_sign_in_session(id).await?;
    let user = match &session {
        Some(session) => state.directory.find_user(session.user_id).await?,
        None => None,
    };
    let refused = match (session, user) {
        (Some(session), Some(user)) if session.accepts(&cookie, &user, state.now()) => {
            return Ok(Some(SignedIn { session, user }));
        }
        (Some(_), Some(_)) => "session over",
        (Some(_), None) => "user deleted",
        (None, _) => "unknown",
    };
    state.note_refusal(&cookie, refused);
    Ok(None)
}

/// A forged cookie is refused without a look at the store.
fn read(cookie: &str, state: &AppState) -> Option<(SignInSessionId, Credential)> {
    let cookie = state.keys().token.read(cookie, &[Kind::SignInSession]).ok()?;
    Some((SignInSessionId::new(cookie.parts().id).ok()?, cookie))
}

/// Begins a session for a user who has just proved who they are, and gives its cookie.
pub async fn begin(user: &User, state: &AppState) -> Result<HeaderValue, StoreError> {
    let id: SignInSessionId = state.ids.next(IdSequence::SignInSessions).await?;
    let secret = state.environment.entropy.secret();
    let cookie = state.keys().token.mint(Kind::SignInSession, id.get(), 0, secret);
    let lifetime = state.config.sign_in.session_lifetime.as_secs();
    let lifetime = Seconds(u32::try_from(lifetime).unwrap_or(u32::MAX));
    let now = state.now();
    let session = SignInSession {
        id,
        hash: cookie.hash(),
        user_id: user.id,
        password_epoch: user.password_epoch,
        created_at: now,
        expires_at: now.plus(lifetime),
    };
    state.store.insert_sign_in_session(session).await?;
    Ok(cookies::set(CookieName::Session, cookie.reveal(), Kept::For(lifetime), &state.base()))
}

/// Makes the browser forget its session.
pub fn forget(state: &AppState) -> HeaderValue {
    cookies::set(CookieName::Session, "", Kept::Over, &state.base())
}
