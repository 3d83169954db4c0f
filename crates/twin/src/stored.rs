//! An account as its database has it now. Credentials are known from elsewhere: of those, the ones
//! that the database knows.

use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    client::{Client, ClientSecret, ClientStatus},
    jwt_access_token::named,
    user::User,
};
use tokenry_protocol::secret::{Credential, SecretHash};
use tokenry_server::state::AppState;
use tokenry_store::{Store, StoreError};

use crate::account::{Account, AccountApiToken, AccountClient, AccountToken, AccountUser};

impl Account {
    /// Without what is gone or was replaced by something that nobody knows in the clear.
    pub(crate) async fn as_stored(&self, state: &AppState) -> Result<Self, StoreError> {
        let (store, mut stored) = (state.store.as_ref(), Self::default());
        for known in &self.users {
            if let Some(user) = store.find_user(known.id).await? {
                // It counts the passwords that came after the planted one.
                let is_planted = user.password_epoch == 0;
                let password = known.password.clone().filter(|_| is_planted);
                stored.users.push(AccountUser::of(&user, password));
            }
        }
        for known in &self.clients {
            if let Some(client) = store.find_client(known.id).await? {
                let secret = known.secret.clone().filter(|secret| is_secret_of(secret, &client));
                let global = state.config.record_api.is_global(client.id);
                let told = AccountClient { global, ..AccountClient::of(&client, secret) };
                stored.clients.push(told);
            }
        }
        for known in &self.api_tokens {
            if let Some(token) = store.find_api_token(known.id).await? {
                stored.api_tokens.push(AccountApiToken::of(&token, known.token.clone()));
            }
        }
        for known in &self.tokens {
            stored.tokens.extend(token_as_stored(known, store).await?);
        }
        Ok(stored)
    }
}

async fn token_as_stored(
    known: &AccountToken,
    store: &dyn Store,
) -> Result<Option<AccountToken>, StoreError> {
    let found = store.find_token(known.id).await?;
    let Some(issued) = found.as_ref().and_then(|token| token.issued()) else { return Ok(None) };
    if !is_of(&known.access_token, &issued.access.hash) {
        return Ok(None);
    }
    let refresh = issued.refresh.as_ref();
    Ok(Some(AccountToken {
        expires_at: issued.access.expires_at(),
        refresh_token_expires_at: refresh.map(|refresh| refresh.expires_at),
        ..known.clone()
    }))
}

fn is_secret_of(secret: &str, client: &Client) -> bool {
    match &client.authentication {
        ClientSecret::Public => false,
        ClientSecret::Confidential { hash, .. } => is_of(secret, hash),
    }
}

fn is_of(text: &str, hash: &SecretHash) -> bool {
    named(text).is_some_and(|credential: Credential| credential.hash().matches(hash))
}

impl AccountUser {
    /// A user as they are stored, with their password.
    pub(crate) fn of(user: &User, password: Option<String>) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.as_str().to_owned(),
            password,
            verified: user.verified,
            suspended: user.suspended,
        }
    }
}

impl AccountClient {
    /// A client of the account's own as it is stored, with its secret.
    pub(crate) fn of(client: &Client, secret: Option<String>) -> Self {
        Self {
            id: client.id,
            identifier: client.identifier.to_string(),
            name: client.name.clone(),
            kind: client.kind(),
            secret,
            redirect_uri: client.redirect_uris.iter().map(ToString::to_string).collect(),
            user_id: client.user_id,
            disabled: client.status == ClientStatus::Disabled,
            global: false,
        }
    }
}

impl AccountApiToken {
    /// An API token as it is stored, in full.
    pub(crate) fn of(stored: &ApiToken, token: String) -> Self {
        Self {
            id: stored.id,
            token,
            description: stored.description.clone(),
            user_id: stored.user_id,
            assigned_user_id: stored.assigned_user_id,
            active: stored.status == ApiTokenStatus::Active,
        }
    }
}
