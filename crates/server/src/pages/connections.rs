//! Connected apps: what has access to one's account, and ending it.

use axum::body::Body;
use http::StatusCode;
use tokenry_core::{
    event::Actor,
    grant::{Issued, Token},
    revocation::revoke as end_of,
};
use tokenry_protocol::{
    ids::{ClientId, TokenId},
    time::{Seconds, Timestamp},
};
use tokenry_store::{Conditional, PageRequest, StoreError, TokenFilter, Window};

use super::{
    answer::{self, Allowances, Opener},
    error::PageResult,
    local_path::{CONNECTIONS, LocalPath},
    shown,
    sign_in::{self, Reason},
    visit::Visit,
};
use crate::{
    extract::{
        cookies::{self, CookieName, Kept},
        page_token::{self, Binding},
        sign_in_session::SignedIn,
    },
    request_path::PathSegment,
    state::AppState,
    views::{Connection, ConnectionsNotice, ConnectionsPage, Ending},
};

/// How many grants one page shows.
const PAGE_LENGTH: u32 = 50;
/// Long enough for the redirect that it survives.
const NOTICE_KEPT: Seconds = Seconds(60);
/// In place of a client's id: there was nothing left to end.
const NOTHING_LEFT: &str = "0";

/// `POST /account/connections/{id}/revoke`
pub async fn revoke(visit: Visit, id: Option<PathSegment>, body: Body) -> PageResult {
    let id = id.and_then(|id| TokenId::parse(&id.decoded()?).ok());
    revoked(&visit, id, body).await
}

/// `GET /account/connections`
pub async fn show(visit: Visit) -> PageResult {
    let Some(signed_in) = visit.signed_in().await? else {
        let come_back = LocalPath::parse(visit.target());
        let come_back = come_back.unwrap_or_else(|| LocalPath::own(CONNECTIONS));
        return sign_in::send(&visit, &come_back, Reason::Nobody).await;
    };
    let notice = read_notice(&visit, &signed_in).await?;
    let had_notice =
        cookies::find(&visit.headers, CookieName::Notice, &visit.state.base()).is_some();
    let answer = page(&visit, StatusCode::OK, &signed_in, notice).await?;
    if !had_notice {
        return Ok(answer);
    }
    let told = cookies::set(CookieName::Notice, "", Kept::Over, &visit.state.base());
    Ok(answer::with_cookie(answer, told))
}

async fn revoked(visit: &Visit, id: Option<TokenId>, body: Body) -> PageResult {
    let state = &visit.state;
    let form = visit.form(body).await?;
    let Some(signed_in) = visit.signed_in().await? else {
        return sign_in::send(visit, &LocalPath::own(CONNECTIONS), Reason::Nobody).await;
    };
    if !visit.page_token_holds(Binding::Session(&signed_in.session), &form) {
        let notice = Some(ConnectionsNotice::PageExpired);
        return page(visit, StatusCode::FORBIDDEN, &signed_in, notice).await;
    }
    let found = match id {
        Some(id) => state.store.find_token(id).await?,
        None => None,
    };
    // Somebody else's record answers as one that does not exist.
    let own = found.filter(|token| {
        let is_live = |issued: &Issued| !issued.is_expired(visit.now);
        token.user_id == signed_in.user.id && token.issued().is_some_and(is_live)
    });
    let ended = match own {
        Some(token) => end(visit, &token, &signed_in).await?,
        None => None,
    };
    let notice = ended.map_or_else(|| NOTHING_LEFT.to_owned(), |client| client.to_string());
    let answer = answer::see_other(CONNECTIONS);
    Ok(answer::with_cookie(answer, write_notice(visit, &signed_in, &notice)))
}

/// Ends a record by the rules of the record API; `None` when somebody was faster.
async fn end(
    visit: &Visit,
    token: &Token,
    signed_in: &SignedIn,
) -> Result<Option<ClientId>, StoreError> {
    let state = &visit.state;
    let end = end_of(token, Actor::User(signed_in.user.id), visit.now);
    let ended = state.end_grant(end).await?;
    tracing::info!(
        token.id = token.id.get(),
        client.id = token.client_id.get(),
        user.id = signed_in.user.id.get(),
        "a user ended a connection"
    );
    Ok((ended == Conditional::Now).then_some(token.client_id))
}

async fn page(
    visit: &Visit,
    status: StatusCode,
    signed_in: &SignedIn,
    notice: Option<ConnectionsNotice>,
) -> PageResult {
    let state = &visit.state;
    let after = visit.query().ok();
    let after = after.as_ref().and_then(|query| query.text("after").ok()?);
    let after = after.and_then(|after| TokenId::parse(after).ok());
    let filter = TokenFilter { user: Some(signed_in.user.id), ..TokenFilter::default() };
    let request =
        PageRequest { window: Window::After(after.map_or(0, TokenId::get)), limit: PAGE_LENGTH };
    let listed = state.store.list_tokens(filter, request, visit.now).await?;
    let last = listed.items.last().map(|token| token.id);
    let next_page =
        last.filter(|_| listed.has_more).map(|last| format!("{CONNECTIONS}?after={last}"));
    let mut connections = Vec::new();
    for token in listed.items {
        connections.extend(connection(token, state).await?);
    }
    let content = ConnectionsPage {
        user: shown::user(&signed_in.user),
        page_token: visit.page_token(Binding::Session(&signed_in.session)),
        connections,
        notice,
        next_page,
        now: visit.now,
    };
    let images = content.image_sources().into_iter().map(str::to_owned);
    let allowances =
        Allowances { images: images.collect(), form_targets: Vec::new(), opener: Opener::Severed };
    Ok(answer::page(status, &content, &allowances))
}

/// `None` when the client was deleted while the list was read.
async fn connection(mut token: Token, state: &AppState) -> Result<Option<Connection>, StoreError> {
    state.verifier.overlay(&mut token);
    let Some(client) = state.directory.find_client(token.client_id).await? else {
        return Ok(None);
    };
    let grant_ends_at = state.policy.grant_end(token.created_at);
    Ok(token.issued().map(|issued| Connection {
        id: token.id.get(),
        client: shown::client(&client),
        scope_tokens: token.granted.tokens().iter().map(ToString::to_string).collect(),
        connected_at: token.created_at,
        used_at: issued.used_at,
        ending: ending(issued, grant_ends_at),
    }))
}

/// `grant_ends_at` is what no refresh goes beyond.
fn ending(issued: &Issued, grant_ends_at: Option<Timestamp>) -> Ending {
    match (issued.access.expires_at(), &issued.refresh) {
        (None, _) => Ending::Never,
        (Some(at), None) => Ending::At(at),
        (Some(at), Some(refresh)) => {
            let at = at.max(refresh.expires_at);
            if grant_ends_at.is_some_and(|end| refresh.expires_at >= end) {
                Ending::At(at)
            } else {
                Ending::UnlessRenewed(at)
            }
        }
    }
}

/// What the next page says travels in a cookie that this session alone can have been given: an
/// address could be made up by anybody, to make people believe that they ended something.
fn write_notice(visit: &Visit, signed_in: &SignedIn, notice: &str) -> http::HeaderValue {
    let proof = visit.page_token(Binding::Notice(&signed_in.session, notice));
    let value = format!("{notice}.{proof}");
    let kept = Kept::For(NOTICE_KEPT);
    cookies::set(CookieName::Notice, &value, kept, &visit.state.base())
}

async fn read_notice(
    visit: &Visit,
    signed_in: &SignedIn,
) -> Result<Option<ConnectionsNotice>, StoreError> {
    let state = &visit.state;
    let cookie = cookies::find(&visit.headers, CookieName::Notice, &state.base());
    let Some((notice, proof)) = cookie.and_then(|cookie| cookie.split_once('.')) else {
        return Ok(None);
    };
    let binding = Binding::Notice(&signed_in.session, notice);
    if !page_token::holds(&state.keys().page, binding, proof, visit.now) {
        return Ok(None);
    }
    let client = match ClientId::parse(notice) {
        Ok(id) => state.directory.find_client(id).await?,
        Err(_) => return Ok(Some(ConnectionsNotice::AlreadyEnded)),
    };
    Ok(client.map(|client| ConnectionsNotice::AccessEnded { client_name: client.name.clone() }))
}
