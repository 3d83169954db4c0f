//! Users and clients of tests.

use std::sync::OnceLock;

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    revision::Revision,
    user::{Role, User},
};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, ClientIdentifier, UserId},
    redirect_uri::{ClientKind, RedirectUri},
    secret::{Credential, Kind},
};
use tokenry_server::id_lease::IdLeases;
use tokenry_store::{
    ApiTokenInsertion, ClientUpdate, Conditional, IdSequence, Insertion, Store as _,
};

use super::TestApp;

/// Every test user's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// A user, with what only the user knows.
#[derive(Debug, Clone)]
pub struct TestUser {
    pub id: UserId,
    pub email: String,
    pub name: String,
    /// In full, bound to the user.
    pub api_token: String,
}

/// A client, with what only the client knows.
#[derive(Debug, Clone)]
pub struct TestClient {
    pub id: ClientId,
    pub identifier: String,
    pub redirect_uri: String,
    secret: Option<String>,
}

impl TestClient {
    /// The secret of a confidential client.
    #[track_caller]
    pub fn secret(&self) -> &str {
        self.secret.as_deref().expect("a confidential client")
    }

    pub fn is_public(&self) -> bool {
        self.secret.is_none()
    }
}

impl TestApp {
    pub async fn admin(&self, name: &str) -> TestUser {
        self.user(name, Role::Admin).await
    }

    pub async fn agent(&self, name: &str) -> TestUser {
        self.user(name, Role::Agent).await
    }

    pub async fn end_user(&self, name: &str) -> TestUser {
        self.user(name, Role::EndUser).await
    }

    /// A verified user with an API token and [`PASSWORD`]; the address is `name@acme.test`.
    pub async fn user(&self, name: &str, role: Role) -> TestUser {
        let id = self.fresh_id(IdSequence::Users).await;
        let api_token = self.fresh_id(IdSequence::ApiTokens).await;
        self.add_user(id, api_token, name, role).await
    }

    /// The same with chosen ids.
    pub async fn add_user(
        &self,
        id: UserId,
        api_token: ApiTokenId,
        name: &str,
        role: Role,
    ) -> TestUser {
        let first_name = name.split(' ').next().unwrap_or(name);
        let email = format!("{}@acme.test", first_name.to_lowercase());
        let user = User {
            id,
            email: email.clone(),
            name: name.to_owned(),
            role,
            password_hash: Some(password_hash()),
            verified: true,
            suspended: false,
            password_epoch: 0,
            created_at: self.now(),
            updated_at: self.now(),
        };
        assert_eq!(self.store.insert_user(user).await.unwrap(), Insertion::Done);
        let credential = self.mint(Kind::ApiToken, api_token.get(), 0);
        let api_token = ApiToken {
            id: api_token,
            hash: credential.hash(),
            description: String::new(),
            status: ApiTokenStatus::Active,
            user_id: id,
            assigned_user_id: Some(id),
            created_at: self.now(),
            updated_at: self.now(),
            last_used: None,
        };
        let inserted = self.store.insert_api_token(api_token, 256).await.unwrap();
        assert_eq!(inserted, ApiTokenInsertion::Done);
        TestUser { id, email, name: name.to_owned(), api_token: credential.reveal().to_owned() }
    }

    /// A confidential client of this user's that sends users back to
    /// `https://<identifier>.test/callback`.
    pub async fn confidential_client(&self, identifier: &str, owner: &TestUser) -> TestClient {
        let redirect_uri = format!("https://{}.test/callback", identifier.replace('_', "-"));
        self.client(identifier, owner, ClientKind::Confidential, &redirect_uri).await
    }

    /// A public client of this user's that sends users back to `http://127.0.0.1/callback`.
    pub async fn public_client(&self, identifier: &str, owner: &TestUser) -> TestClient {
        let redirect_uri = "http://127.0.0.1/callback";
        self.client(identifier, owner, ClientKind::Public, redirect_uri).await
    }

    async fn client(
        &self,
        identifier: &str,
        owner: &TestUser,
        kind: ClientKind,
        redirect_uri: &str,
    ) -> TestClient {
        let id = self.fresh_id(IdSequence::Clients).await;
        let redirect_uri = RedirectUri::parse(redirect_uri, kind).unwrap();
        self.add_client(id, identifier, kind, |client| {
            client.user_id = owner.id;
            client.redirect_uris = vec![redirect_uri];
        })
        .await
    }

    /// A client with a chosen id, finished by `finish`, which must say whose it is.
    pub async fn add_client(
        &self,
        id: ClientId,
        identifier: &str,
        kind: ClientKind,
        finish: impl FnOnce(&mut Client),
    ) -> TestClient {
        let secret = self.mint(Kind::ClientSecret, id.get(), 0);
        let mut client = Client {
            id,
            identifier: ClientIdentifier::parse(identifier).unwrap(),
            name: identifier.to_owned(),
            user_id: UserId::new(1).unwrap(),
            authentication: match kind {
                ClientKind::Public => ClientSecret::Public,
                ClientKind::Confidential => {
                    ClientSecret::Confidential { hash: secret.hash(), generation: 0 }
                }
            },
            redirect_uris: Vec::new(),
            company: None,
            description: None,
            logo_url: None,
            allowed_scope: None,
            status: ClientStatus::Enabled,
            role: ClientRole::Ordinary,
            grant_types: None,
            access_token_lifetime_max: None,
            refresh_token_lifetime_max: None,
            retry_window: None,
            created_at: self.now(),
            updated_at: self.now(),
        };
        finish(&mut client);
        let redirect_uri = client.redirect_uris.first();
        let test_client = TestClient {
            id,
            identifier: identifier.to_owned(),
            redirect_uri: redirect_uri.map(|uri| uri.as_str().to_owned()).unwrap_or_default(),
            secret: (kind == ClientKind::Confidential).then(|| secret.reveal().to_owned()),
        };
        let inserted = self.store.insert_client(client).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
        test_client
    }

    /// Changes a client as an administrator would, caches told.
    pub async fn change_client(&self, client: &TestClient, change: impl FnOnce(&mut Client)) {
        let before = self.store.find_client(client.id).await.unwrap().unwrap();
        let mut record = before.clone();
        change(&mut record);
        let updated = self.store.update_client(Revision::new(&before, record)).await.unwrap();
        assert_eq!(updated, ClientUpdate::Done);
        self.state.directory.evict_client(client.id);
    }

    /// Changes a user as an administrator would, caches told.
    pub async fn change_user(&self, user: &TestUser, change: impl FnOnce(&mut User)) {
        let before = self.store.find_user(user.id).await.unwrap().unwrap();
        let mut record = before.clone();
        change(&mut record);
        let updated = self.store.update_user(Revision::new(&before, record)).await.unwrap();
        assert_eq!(updated, Conditional::Now);
        self.state.directory.evict_user(user.id);
    }

    /// A credential of ours that nobody was given.
    pub fn mint(&self, kind: Kind, id: u64, rotation: u32) -> Credential {
        let secret = self.state.environment.entropy.secret();
        self.state.keys().token.mint(kind, id, rotation, secret)
    }

    /// An id that nobody had.
    pub async fn fresh_id<T>(&self, sequence: IdSequence) -> T
    where
        T: TryFrom<u64, Error = tokenry_protocol::ids::InvalidId>,
    {
        let ids: &IdLeases = &self.state.ids;
        ids.next(sequence).await.unwrap()
    }
}

/// Hashed once: the cost is not what tests are about.
fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = || {
        let params = Params::new(7 << 10, 1, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]);
        let hash: argon2::password_hash::phc::PasswordHash = hash.unwrap();
        hash.to_string()
    };
    HASH.get_or_init(hash).clone()
}
