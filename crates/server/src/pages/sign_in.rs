//! Signing in with email and password.
//!
//! 1. The form comes from a page that this browser was given.
//! 2. The attempt is counted: per address, and per account or, from a browser that signed in to the
//!    account before, per browser.
//! 3. The password. An unknown user, a wrong password and a suspended user are one case: same time,
//!    same page.
//! 4. A new session. The one before it ends, whoever's it was, so no session that somebody else
//!    placed in the browser ever becomes the user's.

use axum::body::Body;
use http::StatusCode;
use tokenry_core::user::{User, fold_email};
use tokenry_protocol::{oauth::parameters::Parameters, secret::redacted};
use tokenry_store::StoreError;

use super::{
    answer::{self, Allowances, Opener},
    authorization_address::{Asking, asking},
    error::{PageResult, with_retry_after},
    known_browser,
    local_path::{CONNECTIONS, LocalPath},
    visit::Visit,
};
use crate::{
    extract::{
        cookies::{self, CookieName, Kept},
        page_token::{Binding, BrowserId},
        sign_in_session,
    },
    failure_limits::{Subject, TooManyFailures},
    views::{SignInMessage, SignInPage},
};

/// Why somebody is sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody is signed in.
    Nobody,
    /// Somebody is, and is to prove it once more.
    Again,
}

/// In the query: asks even a browser that is signed in.
const AGAIN: &str = "again";
/// The most characters of an address that are counted by: longer ones are nobody's.
const EMAIL_MAX: usize = 320;

/// Sends the browser here and then on to `return_to`.
pub async fn send(visit: &Visit, return_to: &LocalPath, reason: Reason) -> PageResult {
    let encoded: String = form_urlencoded::byte_serialize(return_to.as_str().as_bytes()).collect();
    let again = match reason {
        Reason::Nobody => String::new(),
        Reason::Again => format!("&{AGAIN}=1"),
    };
    let location = format!("/sign-in?return_to={encoded}{again}");
    if location.len() <= visit.state.config.limits.url_max {
        return Ok(answer::see_other(&location));
    }
    // Encoding grows an address, maybe past what we take: then the page comes at once, and keeps
    // the way back in its form.
    let message = (reason == Reason::Again).then_some(SignInMessage::SignInAgain);
    let form = Form { message, ..Form::empty(return_to.clone()) };
    page(visit, StatusCode::OK, form).await
}

/// What the form is filled with.
struct Form {
    return_to: LocalPath,
    email: String,
    message: Option<SignInMessage>,
}

impl Form {
    const fn empty(return_to: LocalPath) -> Self {
        Self { return_to, email: String::new(), message: None }
    }
}

/// `GET /sign-in`
pub async fn show(visit: Visit) -> PageResult {
    let query = visit.query()?;
    let return_to = return_to(&query);
    let signed_in = visit.signed_in().await?;
    let message = match (signed_in, query.has(AGAIN)) {
        // Another window of this browser was faster.
        (Some(_), false) => return Ok(answer::see_other(return_to.as_str())),
        (Some(_), true) => Some(SignInMessage::SignInAgain),
        (None, _) => None,
    };
    let form = Form { message, ..Form::empty(return_to) };
    page(&visit, StatusCode::OK, form).await
}

/// `POST /sign-in`
pub async fn submit(visit: Visit, body: Body) -> PageResult {
    let form = visit.form(body).await?;
    let email = form.text("email")?.unwrap_or_default().to_owned();
    let password = form.text("password")?.unwrap_or_default().to_owned();
    let refilled = |message| Form {
        return_to: return_to(&form),
        email: redacted(&email).into_owned(),
        message: Some(message),
    };
    let is_ours =
        browser(&visit).is_some_and(|id| visit.page_token_holds(Binding::SignIn(id), &form));
    if !is_ours {
        let form = refilled(SignInMessage::PageExpired);
        return page(&visit, StatusCode::FORBIDDEN, form).await;
    }
    match judge(&visit, &email, password).await? {
        Judgement::Proved(user) => begin(&visit, &user, &return_to(&form)).await,
        Judgement::Wrong => {
            let form = refilled(SignInMessage::WrongEmailOrPassword);
            page(&visit, StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
        Judgement::TooMany(TooManyFailures { retry_after }) => {
            let form = refilled(SignInMessage::TooManyAttempts { retry_after });
            let answer = page(&visit, StatusCode::TOO_MANY_REQUESTS, form).await?;
            Ok(with_retry_after(answer, retry_after))
        }
    }
}

enum Judgement {
    Proved(User),
    Wrong,
    TooMany(TooManyFailures),
}

async fn judge(visit: &Visit, email: &str, password: String) -> Result<Judgement, StoreError> {
    let state = &visit.state;
    let email: String = fold_email(email).chars().take(EMAIL_MAX).collect();
    let user = state.store.find_user_by_email(&email).await?;
    let known =
        user.as_ref().and_then(|user| known_browser::recognise(&visit.headers, user, state));
    let account = known.map_or(Subject::account(&email), Subject::KnownBrowser);
    let subjects = vec![account, Subject::address(visit.ip)];
    let user_id = user.as_ref().map(|user| user.id.get());
    let attempt = match state.failures.begin(subjects, state.now()) {
        Ok(attempt) => attempt,
        Err(too_many) => {
            tracing::warn!(user.id = user_id, "a sign-in is refused unseen: too many failed");
            return Ok(Judgement::TooMany(too_many));
        }
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let is_right = state.passwords.verify(password, hash).await;
    if let Some(user) = user.filter(|user| is_right && !user.suspended) {
        state.failures.forgive(attempt);
        return Ok(Judgement::Proved(user));
    }
    tracing::info!(user.id = user_id, "a sign-in failed");
    Ok(Judgement::Wrong)
}

async fn begin(visit: &Visit, user: &User, return_to: &LocalPath) -> PageResult {
    let state = &visit.state;
    let before = visit.signed_in().await?;
    let cookie = sign_in_session::begin(user, state).await?;
    if let Some(before) = before {
        let _: tokenry_store::Deletion =
            state.store.delete_sign_in_session(before.session.id).await?;
    }
    tracing::info!(user.id = user.id.get(), "signed in");
    let answer = answer::see_other(return_to.as_str());
    let answer = answer::with_cookie(answer, cookie);
    let known = known_browser::remember(&visit.headers, user, state);
    Ok(answer::with_cookie(answer, known))
}

/// Where to go afterwards: the request's wish if it is on this server.
fn return_to(parameters: &Parameters) -> LocalPath {
    let wish = parameters.text("return_to").ok().flatten();
    wish.and_then(LocalPath::parse).unwrap_or_else(|| LocalPath::own(CONNECTIONS))
}

fn browser(visit: &Visit) -> Option<BrowserId> {
    let cookie = cookies::find(&visit.headers, CookieName::Browser, &visit.state.base())?;
    BrowserId::parse(cookie)
}

async fn page(visit: &Visit, status: StatusCode, form: Form) -> PageResult {
    let state = &visit.state;
    let (client, allowances) = match asking(&form.return_to, state).await? {
        Some(Asking { client, form_target }) => {
            let images = client.logo.iter().map(|logo| logo.origin().to_owned());
            let allowances = Allowances {
                images: images.collect(),
                form_targets: vec![form_target],
                opener: Opener::Kept,
            };
            (Some(client), allowances)
        }
        None => (None, Allowances::default()),
    };
    let known = browser(visit);
    let id = known.unwrap_or_else(|| BrowserId::draw(state.environment.entropy.as_ref()));
    let content = SignInPage {
        page_token: visit.page_token(Binding::SignIn(id)),
        return_to: form.return_to.to_string(),
        email: form.email,
        client,
        message: form.message,
    };
    let answer = answer::page(status, &content, &allowances);
    if known.is_some() {
        return Ok(answer);
    }
    let cookie =
        cookies::set(CookieName::Browser, &id.to_string(), Kept::UntilClosed, &state.base());
    Ok(answer::with_cookie(answer, cookie))
}
