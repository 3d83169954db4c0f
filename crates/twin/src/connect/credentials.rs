//! As whom one connects: of each kind of credential the one that shows most.

use serde::Serialize;
use tokenry_protocol::{ids::UserId, redirect_uri::ClientKind};

use crate::account::{Account, AccountApiToken, AccountClient, AccountUser};

/// As many users as are told with their passwords.
const SIGN_INS_MAX: usize = 10;
const ADMIN: &str = "admin";

/// One credential of each kind; `None` where the account has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Credentials {
    /// Whom the API token works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// An API token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_token: Option<String>,
    /// An access token; one without expiry where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The identifier of a confidential client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// The refresh token that lives longest, with its client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// Who can sign in on the pages.
    pub sign_ins: Vec<SignIn>,
    /// A client and where it has codes sent.
    #[serde(skip)]
    pub(super) consent: Option<(String, String)>,
}

/// What a refresh needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refresh {
    /// The refresh token.
    pub refresh_token: String,
    /// The identifier of its client.
    pub client_id: String,
    /// The secret of its client, if that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// Who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// `admin`, `agent` or `end-user`.
    pub role: String,
}

impl Credentials {
    /// Chooses from an account; administrators go before others, for they may call everything.
    pub(super) fn choose(account: &Account) -> Self {
        let basic = basic(account);
        let client = account
            .clients
            .iter()
            .find(|client| client.kind == ClientKind::Confidential && !client.disabled);
        let consent = client.or_else(|| account.clients.iter().find(|client| !client.disabled));
        Self {
            email: basic.map(|(user, _)| user.email.clone()),
            api_token: basic.map(|(_, token)| token.token.clone()),
            access_token: access_token(account, basic.map(|(user, _)| user.id)),
            client_id: client.map(|client| client.identifier.clone()),
            client_secret: client.and_then(|client| client.secret.clone()),
            refresh: refresh(account),
            sign_ins: sign_ins(account),
            consent: consent.and_then(consent_of),
        }
    }
}

fn consent_of(client: &AccountClient) -> Option<(String, String)> {
    // A public client would have to show a challenge as well (RFC 7636).
    let asks_plainly = client.kind == ClientKind::Confidential;
    let redirect_uri = client.redirect_uri.first().filter(|_| asks_plainly)?;
    Some((client.identifier.clone(), redirect_uri.clone()))
}

fn is_admin(user: &AccountUser) -> bool {
    user.role == ADMIN && !user.suspended
}

/// An API token that works, with whom it works for.
fn basic(account: &Account) -> Option<(&AccountUser, &AccountApiToken)> {
    let anybody = account.users.iter().find(|user| is_admin(user));
    let working = account.api_tokens.iter().filter(|token| token.active).filter_map(|token| {
        let bound = token.assigned_user_id.and_then(|id| account.user(id));
        let user = if token.assigned_user_id.is_some() { bound } else { anybody }?;
        (!user.suspended).then_some((user, token))
    });
    // The first of those with the least key.
    working.min_by_key(|(user, _)| !is_admin(user))
}

fn access_token(account: &Account, preferred: Option<UserId>) -> Option<String> {
    let usable = account.tokens.iter().filter(|token| {
        account.client(token.client_id).is_some_and(|client| !client.disabled)
            && account.user(token.user_id).is_some_and(|user| !user.suspended)
    });
    let chosen = usable.min_by_key(|token| {
        let lives_shorter = token.expires_at.map(|at| std::cmp::Reverse(at.as_millis()));
        // `None` goes before every end.
        (lives_shorter.is_some(), Some(token.user_id) != preferred, lives_shorter)
    });
    chosen.map(|token| token.access_token.clone())
}

fn refresh(account: &Account) -> Option<Refresh> {
    let usable = account.tokens.iter().filter_map(|token| {
        let client = account.client(token.client_id).filter(|client| !client.disabled)?;
        let user = account.user(token.user_id).filter(|user| !user.suspended)?;
        let (refresh, ends_at) = (token.refresh_token.as_ref()?, token.refresh_token_expires_at?);
        Some((ends_at, user.id, refresh, client))
    });
    let (_, _, refresh_token, client) = usable.max_by_key(|(ends_at, ..)| *ends_at)?;
    Some(Refresh {
        refresh_token: refresh_token.clone(),
        client_id: client.identifier.clone(),
        client_secret: client.secret.clone(),
    })
}

fn sign_ins(account: &Account) -> Vec<SignIn> {
    let able = account.users.iter().filter(|user| !user.suspended).filter_map(|user| {
        let (email, role) = (user.email.clone(), user.role.clone());
        Some(SignIn { email, password: user.password.clone()?, role })
    });
    able.take(SIGN_INS_MAX).collect()
}
