//! Making and ending user accounts, for the command line: there is no endpoint for it.

use tokenry_core::{
    Entropy,
    api_token::{ApiToken, ApiTokenStatus},
    user::{Role, User, fold_email},
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::Kind,
};
use tokenry_store::{ApiTokenInsertion, IdSequence, Insertion, StoreError, UserDeletion};

use crate::{
    passwords::{self, PasswordError},
    settle::Stale,
    state::AppState,
};

const FIELD_MAX: usize = 255;

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
    let entropy = state.environment.entropy.as_ref();
    let made = if new.password.is_none() { Some(draw_password(entropy)) } else { None };
    let password = new.password.or_else(|| made.clone()).unwrap_or_default();
    if password.chars().count() < passwords::LENGTH_MIN || password.len() > passwords::LENGTH_MAX {
        return Err(AccountError::Password);
    }
    let now = state.now();
    let id: UserId = state.ids.next(IdSequence::Users).await?;
    let user = User {
        id,
        email: email.clone(),
        name,
        role: new.role,
        password_hash: Some(state.passwords.hash(&password, entropy)?),
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
        assigned_user_id: user_id,
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

/// Ends a user, with tokens, API tokens and sessions.
pub async fn delete(state: &AppState, email: &str) -> Result<UserId, AccountError> {
    let unknown = || AccountError::Unknown(email.trim().to_owned());
    let user = state.store.find_user_by_email(&fold_email(email)).await?.ok_or_else(unknown)?;
    let (id, now) = (user.id, state.now());
    let deleted = state
        .settle(Stale::User(id), |store| async move { store.delete_user(id, now).await })
        .await?;
    match deleted {
        UserDeletion::Done => Ok(id),
        UserDeletion::NotFound => Err(unknown()),
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
