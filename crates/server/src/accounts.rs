//! Making, changing and ending user accounts, for the command line: there is no endpoint for it.

use tokenry_core::{
    Entropy,
    api_token::{ApiToken, ApiTokenStatus, UnboundApiTokens},
    event::Actor,
    revision::Revision,
    revocation::revoke,
    user::{Role, User, UserChange, fold_email},
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::Kind,
};
use tokenry_store::{
    ApiTokenInsertion, Conditional, Deletion, IdSequence, Insertion, PageRequest, StoreError,
    TokenFilter, UserDeletion, UserFilter, Window,
};

use crate::{
    passwords::{self, PasswordError},
    settle::Stale,
    state::AppState,
};

const FIELD_MAX: usize = 255;
/// As often as a change is decided anew because another came first.
const ATTEMPTS_MAX: u32 = 16;
/// Tokens that are read at once.
const PAGE: u32 = 100;

/// Who is to be made.
pub struct NewUser {
    /// The address they sign in with.
    pub email: String,
    /// What others see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// `None`: one is made.
    pub password: Option<String>,
}

/// Who was made. Both secrets are shown now or never.
#[derive(Debug)]
pub struct CreatedUser {
    /// The id.
    pub id: UserId,
    /// As it was given, trimmed.
    pub email: String,
    /// An API token bound to the user, in full.
    pub api_token: String,
    /// The password, if it was made here.
    pub password: Option<String>,
}

/// Why nobody was made or ended.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The address.
    #[error("{0:?} is no email address: use the form name@example.com, at most 255 characters")]
    Email(String),
    /// How a user is named.
    #[error("write the address of a user, or an id as `tokenry user list` shows it")]
    Named,
    /// The name.
    #[error("a name has 1 to 255 characters and no control characters")]
    Name,
    /// The password.
    #[error(
        "a password has at least {} characters and at most {} bytes",
        passwords::LENGTH_MIN,
        passwords::LENGTH_MAX
    )]
    Password,
    /// The address is somebody's.
    #[error("there is a user {0} already: choose another address")]
    Taken(String),
    /// Nobody has the address.
    #[error("there is no user {0}")]
    Unknown(String),
    /// Nobody else could act as an administrator.
    #[error(
        "{0} is the last active administrator: nobody could manage clients and tokens any more"
    )]
    LastAdministrator(String),
    /// Others change the user all the time.
    #[error("others are changing {0} at this moment: try again")]
    Contended(String),
    /// The user answers for clients.
    #[error("{0} owns clients and stays: delete those clients or give them to somebody else first")]
    OwnsClients(String),
    /// No room for the API token.
    #[error("there are {0} API tokens already: delete one first")]
    TooManyApiTokens(u32),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a verified user with an API token of their own.
pub async fn create(state: &AppState, new: NewUser) -> Result<CreatedUser, AccountError> {
    let email = check_email(&new.email)?;
    let name = new.name.trim().to_owned();
    let name_fits = (1..=FIELD_MAX).contains(&name.chars().count());
    if !name_fits || name.chars().any(char::is_control) {
        return Err(AccountError::Name);
    }
    let (password_hash, made) = new_password(state, new.password)?;
    let now = state.now();
    let id: UserId = state.ids.next(IdSequence::Users).await?;
    let user = User {
        id,
        email: email.clone(),
        name,
        role: new.role,
        password_hash: Some(password_hash),
        verified: true,
        suspended: false,
        password_epoch: 0,
        created_at: now,
        updated_at: now,
    };
    if state.store.insert_user(user).await? != Insertion::Done {
        return Err(AccountError::Taken(email));
    }
    let api_token = match create_api_token(state, id, &email).await {
        Ok(api_token) => api_token,
        Err(error) => {
            // Nobody has seen the password, so the account would be nobody's.
            state.store.delete_user(id, now).await?;
            return Err(error);
        }
    };
    Ok(CreatedUser { id, email, api_token, password: made })
}

async fn create_api_token(
    state: &AppState,
    user_id: UserId,
    email: &str,
) -> Result<String, AccountError> {
    let now = state.now();
    let id: ApiTokenId = state.ids.next(IdSequence::ApiTokens).await?;
    let secret = state.environment.entropy.secret();
    let credential = state.keys().token.mint(Kind::ApiToken, id.get(), 0, secret);
    let token = ApiToken {
        id,
        hash: credential.hash(),
        description: "made with the account".to_owned(),
        status: ApiTokenStatus::Active,
        user_id,
        assigned_user_id: Some(user_id),
        created_at: now,
        updated_at: now,
        last_used: None,
    };
    let max = u32::try_from(state.config.api_tokens.count_max).unwrap_or(u32::MAX);
    match state.store.insert_api_token(token, max).await? {
        ApiTokenInsertion::Done => Ok(credential.reveal().to_owned()),
        ApiTokenInsertion::LimitReached => Err(AccountError::TooManyApiTokens(max)),
        ApiTokenInsertion::OwnerGone => Err(AccountError::Unknown(email.to_owned())),
    }
}

/// How a user is named: by address or by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// In any spelling that folds to the same.
    Email(String),
    /// An address holds more than digits, so a number is an id.
    Id(UserId),
}

impl std::str::FromStr for Named {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match UserId::parse(text) {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => check_email(text).map(Self::Email).map_err(|_| AccountError::Named),
        }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Email(email) => formatter.write_str(email),
            Self::Id(id) => write!(formatter, "{id}"),
        }
    }
}

/// Whether somebody must be left who can act as an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administrators {
    /// What would leave none is refused. Two processes that take away the last two at the same time
    /// are not told apart: this keeps operators from mistakes, and they can mend it.
    KeepOne,
    /// There may be none.
    MayBeNone,
}

/// The user of that name.
pub async fn find(state: &AppState, named: &Named) -> Result<User, AccountError> {
    let found = match named {
        Named::Email(email) => state.store.find_user_by_email(&fold_email(email)).await?,
        Named::Id(id) => state.store.find_user(*id).await?,
    };
    found.ok_or_else(|| AccountError::Unknown(named.to_string()))
}

/// Changes a user, over their newest version: the user as they are then.
pub async fn change(
    state: &AppState,
    named: &Named,
    change: &UserChange,
    administrators: Administrators,
) -> Result<User, AccountError> {
    for _ in 0..ATTEMPTS_MAX {
        let before = find(state, named).await?;
        let Some(after) = before.changed(change, state.now()) else { return Ok(before) };
        if before.is_active_administrator() && !after.is_active_administrator() {
            check_administrators(state, &before, administrators).await?;
        }
        let (id, write) = (before.id, Revision::new(&before, after));
        let after = write.record().clone();
        let written = state
            .settle(Stale::User(id), |store| async move { store.update_user(write).await })
            .await?;
        if written == Conditional::Now {
            return Ok(after);
        }
    }
    Err(AccountError::Contended(named.to_string()))
}

/// Whether another administrator would be left.
async fn check_administrators(
    state: &AppState,
    leaving: &User,
    administrators: Administrators,
) -> Result<(), AccountError> {
    let active = UserFilter { role: Some(Role::Admin), suspended: Some(false) };
    let two = PageRequest { window: Window::After(0), limit: 2 };
    let found = state.store.list_users(active, two).await?.items;
    let is_other_left = found.iter().any(|user| user.id != leaving.id);
    if is_other_left || administrators == Administrators::MayBeNone {
        return Ok(());
    }
    Err(AccountError::LastAdministrator(leaving.email.clone()))
}

/// A password as it is kept, and in clear if it was made here: `None` asks for one.
pub fn new_password(
    state: &AppState,
    given: Option<String>,
) -> Result<(String, Option<String>), AccountError> {
    let entropy = state.environment.entropy.as_ref();
    let made = if given.is_none() { Some(draw_password(entropy)) } else { None };
    let password = given.or_else(|| made.clone()).unwrap_or_default();
    check_password(&password)?;
    Ok((state.passwords.hash(&password, entropy)?, made))
}

fn check_password(password: &str) -> Result<(), AccountError> {
    let fits = password.chars().count() >= passwords::LENGTH_MIN;
    if fits && password.len() <= passwords::LENGTH_MAX {
        Ok(())
    } else {
        Err(AccountError::Password)
    }
}

/// How many credentials of a user were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndedCredentials {
    /// Token records.
    pub tokens: u64,
    /// API tokens.
    pub api_tokens: u64,
}

/// The API tokens of a user that are bound to nobody and work: they go on when their maker is
/// disabled.
pub async fn list_account_wide(
    state: &AppState,
    user: UserId,
) -> Result<Vec<ApiTokenId>, AccountError> {
    let settings = &state.config.api_tokens;
    if !settings.enabled || settings.unbound() == UnboundApiTokens::Refused {
        return Ok(Vec::new());
    }
    let works = |token: &ApiToken| {
        let is_on = token.status == ApiTokenStatus::Active;
        is_on && token.assigned_user_id.is_none() && token.is_of(user)
    };
    let all = state.store.list_api_tokens().await?;
    Ok(all.into_iter().filter(works).map(|token| token.id).collect())
}

/// Ends every token and API token of a user, and the API tokens that they made and that are bound
/// to nobody, one after the other, and tells how many so far.
pub async fn end_credentials(
    state: &AppState,
    user: UserId,
    mut tell: impl FnMut(EndedCredentials),
) -> Result<EndedCredentials, AccountError> {
    let mut ended = EndedCredentials::default();
    for api_token in state.store.list_api_tokens().await? {
        let is_theirs = api_token.is_of(user);
        if is_theirs && state.store.delete_api_token(api_token.id).await? == Deletion::Done {
            ended.api_tokens += 1;
            tell(ended);
        }
    }
    let filter = TokenFilter { user: Some(user), ..TokenFilter::default() };
    let (mut last, mut has_more) = (0, true);
    while has_more {
        let request = PageRequest { window: Window::After(last), limit: PAGE };
        let page = state.store.list_tokens(filter, request, state.now()).await?;
        for token in &page.items {
            let end = revoke(token, Actor::Server, state.now());
            if state.end_grant(end).await? == Conditional::Now {
                ended.tokens += 1;
                tell(ended);
            }
            last = token.id.get();
        }
        has_more = page.has_more && !page.items.is_empty();
    }
    Ok(ended)
}

/// Ends a user, with tokens, API tokens and sessions, and with the API tokens that they made and
/// that are bound to nobody.
pub async fn delete(
    state: &AppState,
    named: &Named,
    administrators: Administrators,
) -> Result<User, AccountError> {
    let user = find(state, named).await?;
    if user.is_active_administrator() {
        check_administrators(state, &user, administrators).await?;
    }
    let (id, now) = (user.id, state.now());
    let deleted = state
        .settle(Stale::User(id), |store| async move { store.delete_user(id, now).await })
        .await?;
    match deleted {
        UserDeletion::Done => Ok(user),
        UserDeletion::NotFound => Err(AccountError::Unknown(named.to_string())),
        UserDeletion::OwnsClients => Err(AccountError::OwnsClients(user.email)),
    }
}

/// Takes an address in the form `name@host`, trimmed, with nothing in it that other syntax would
/// split it at; at most 255 characters.
pub fn check_email(text: &str) -> Result<String, AccountError> {
    let email = text.trim();
    let fits = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    // A colon or a slash would end the user part of Basic authentication too early.
    let harmless = !email.chars().any(|c| c.is_control() || c.is_whitespace() || ":/".contains(c));
    if fits && harmless && email.chars().count() <= FIELD_MAX {
        Ok(email.to_owned())
    } else {
        Err(AccountError::Email(
            email.chars().filter(|c| !c.is_control()).take(FIELD_MAX).collect(),
        ))
    }
}

/// 20 letters and digits without look-alikes: more than 110 bits.
fn draw_password(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    const LENGTH: usize = 20;
    let mut password = String::with_capacity(LENGTH);
    while password.len() < LENGTH {
        // Bytes past the last whole multiple would make some letters likelier.
        let drawn = entropy.secret().into_iter().filter(|byte| *byte < 224);
        let letters = drawn.filter_map(|byte| LETTERS.get(usize::from(byte) % LETTERS.len()));
        password.extend(letters.copied().map(char::from).take(LENGTH - password.len()));
    }
    password
}
