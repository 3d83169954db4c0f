//! Every record of a seed, made by the decisions of the server. Nothing is written here, so a seed
//! that cannot be planted leaves nothing behind.
//!
//! Randomness is drawn in the order of the text, users first, which is why the same seed gives the
//! same credentials.

use std::{collections::BTreeMap, sync::Arc};

use tokenry_core::{
    Entropy,
    api_token::{ApiToken, ApiTokenStatus, UnboundApiTokens},
    api_token_creation,
    client::{Client, ClientStatus},
    client_registration::{self, MintedClient},
    credentials::TokenKeys,
    minting::Minting,
    policy::Policy,
    user::User,
};
use tokenry_protocol::{
    api::{api_tokens::ApiTokenRequest, clients::ClientRequest, request::Sent},
    ids::{ClientId, UserId},
    time::Timestamp,
};
use tokenry_server::{
    config::{BaseUrl, SignIn},
    passwords::Passwords,
};
use tokenry_store::{ApiTokenUse, TokenUse};

use super::{
    List, SeedError,
    grants::{self, Grant},
    moment::Moment,
    resolve::{Resolved, ResolvedApiToken, ResolvedClient, ResolvedToken, ResolvedUser},
};
use crate::account::{Account, AccountApiToken, AccountClient, AccountUser};

/// What decisions need of the server.
pub(super) struct Surroundings<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a TokenKeys,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) now: Timestamp,
    /// By whose address JWTs are issued.
    pub(super) base: &'a BaseUrl,
}

/// All that is to be written, and what people are told of it.
pub(super) struct Prepared {
    pub(super) users: Vec<User>,
    pub(super) clients: Vec<Client>,
    pub(super) api_tokens: Vec<ApiToken>,
    pub(super) grants: Vec<Grant>,
    pub(super) api_token_uses: Vec<ApiTokenUse>,
    pub(super) token_uses: Vec<TokenUse>,
    pub(super) account: Account,
}

/// A client as it was when it was given its tokens, with its secret.
pub(super) struct KnownClient {
    /// Enabled, whatever it is now.
    pub(super) record: Arc<Client>,
    pub(super) secret: Option<String>,
}

/// Who is there already.
#[derive(Default)]
struct Known {
    /// As they were when they consented: not suspended.
    users: BTreeMap<UserId, User>,
    clients: BTreeMap<ClientId, KnownClient>,
}

/// Makes every record.
pub(super) fn prepare(
    resolved: &Resolved<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Prepared, SeedError> {
    let mut prepared = Prepared {
        users: Vec::new(),
        clients: Vec::new(),
        api_tokens: Vec::new(),
        grants: Vec::new(),
        api_token_uses: Vec::new(),
        token_uses: Vec::new(),
        account: Account::default(),
    };
    let mut known = Known::default();
    let passwords = cheap_passwords(surroundings.entropy)?;
    for user in &resolved.users {
        prepared.add_user(user, &passwords, surroundings, &mut known)?;
    }
    for client in &resolved.clients {
        prepared.add_client(client, surroundings, &mut known)?;
    }
    for token in &resolved.api_tokens {
        prepared.add_api_token(token, surroundings, &known)?;
    }
    for token in &resolved.tokens {
        prepared.add_token(token, surroundings, &known)?;
    }
    Ok(prepared)
}

/// A double's passwords are shown to everybody: hashing them guards nothing, and the least cost
/// there is lets it start at once.
fn cheap_passwords(entropy: &dyn Entropy) -> Result<Passwords, SeedError> {
    let settings = SignIn {
        password_hash_memory: 8 << 10,
        password_hash_iterations: 1,
        password_hash_parallelism: 1,
        ..SignIn::default()
    };
    Ok(Passwords::new(&settings, entropy)?)
}

impl Surroundings<'_> {
    fn at(&self, moment: Option<Moment>) -> Timestamp {
        moment.map_or(self.now, |moment| moment.seen_from(self.now))
    }

    fn minting(&self, now: Timestamp) -> Minting<'_> {
        Minting { now, keys: self.keys, entropy: self.entropy }
    }

    /// The same at another time.
    const fn dated(&self, now: Timestamp) -> Surroundings<'_> {
        Surroundings { now, ..*self }
    }
}

impl Prepared {
    fn add_user(
        &mut self,
        user: &ResolvedUser<'_>,
        passwords: &Passwords,
        surroundings: &Surroundings<'_>,
        known: &mut Known,
    ) -> Result<(), SeedError> {
        let seed = user.seed;
        let hash = |password: &String| passwords.hash(password, surroundings.entropy);
        let before_at = || user.email.split('@').next().unwrap_or_default().to_owned();
        let created_at = surroundings.at(seed.created_at);
        let record = User {
            id: user.id,
            email: user.email.clone(),
            name: seed.name.clone().unwrap_or_else(before_at),
            role: seed.role,
            password_hash: seed.password.as_ref().map(hash).transpose()?,
            verified: seed.verified,
            suspended: seed.suspended,
            password_epoch: 0,
            created_at,
            updated_at: seed.updated_at.map_or(created_at, |at| at.seen_from(surroundings.now)),
        };
        known.users.insert(user.id, User { suspended: false, ..record.clone() });
        self.account.users.push(AccountUser::of(&record, seed.password.clone()));
        self.users.push(record);
        Ok(())
    }

    fn add_client(
        &mut self,
        client: &ResolvedClient<'_>,
        surroundings: &Surroundings<'_>,
        known: &mut Known,
    ) -> Result<(), SeedError> {
        let seed = client.seed;
        let owner = known.user(client.owner).ok_or_else(|| client.entry.refuse(NO_OWNER))?;
        let settings = client_registration::check(request(client), None, owner, Some(owner))
            .map_err(|errors| client.entry.refuse_fields(&errors))?;
        let minting = surroundings.minting(surroundings.at(seed.created_at));
        let MintedClient { client: record, secret } = settings.register(client.id, &minting);
        let enabled = Client { logo_url: seed.logo_url.clone(), ..record };
        let secret = secret.map(|secret| secret.reveal().to_owned());
        let status = if seed.disabled { ClientStatus::Disabled } else { ClientStatus::Enabled };
        let record = Client { status, ..enabled.clone() };
        let global = client.entry.list == List::GlobalClients;
        let told = AccountClient { global, ..AccountClient::of(&record, secret.clone()) };
        self.account.clients.push(told);
        self.clients.push(record);
        known.clients.insert(client.id, KnownClient { record: Arc::new(enabled), secret });
        Ok(())
    }

    fn add_api_token(
        &mut self,
        token: &ResolvedApiToken<'_>,
        surroundings: &Surroundings<'_>,
        known: &Known,
    ) -> Result<(), SeedError> {
        let seed = token.seed;
        let maker = known.user(token.maker).ok_or_else(|| token.entry.refuse(NO_OWNER))?;
        let assigned = token.assigned.and_then(|id| known.user(id));
        let request = ApiTokenRequest {
            description: Sent::Value(seed.description.clone()),
            assigned_user_id: token.assigned.map_or(Sent::Absent, |id| Sent::Value(Some(id))),
            ..ApiTokenRequest::default()
        };
        // Where a server takes no unbound ones, it refuses them when they come.
        let unbound = UnboundApiTokens::AccountWide;
        let approved = api_token_creation::approve(request, maker, assigned, unbound)
            .map_err(|errors| token.entry.refuse_fields(&errors))?;
        let minting = surroundings.minting(surroundings.at(seed.created_at));
        let (record, credential) = approved.issue(token.id, &minting);
        let status = if seed.active { ApiTokenStatus::Active } else { ApiTokenStatus::Inactive };
        if let Some(used_at) = seed.used_at {
            let used_at = used_at.seen_from(surroundings.now);
            self.api_token_uses.push(ApiTokenUse { id: token.id, used_at });
        }
        let record = ApiToken { status, ..record };
        let credential = credential.reveal().to_owned();
        self.account.api_tokens.push(AccountApiToken::of(&record, credential));
        self.api_tokens.push(record);
        Ok(())
    }

    fn add_token(
        &mut self,
        token: &ResolvedToken<'_>,
        surroundings: &Surroundings<'_>,
        known: &Known,
    ) -> Result<(), SeedError> {
        let (user, client) = (known.user(token.user), known.clients.get(&token.client));
        let (Some(user), Some(client)) = (user, client) else {
            return Err(token.entry.refuse(NO_OWNER));
        };
        let at = surroundings.at(token.seed.created_at);
        let surroundings_then = surroundings.dated(at);
        let (grant, issued) = grants::grant(token, client, user, &surroundings_then)?;
        if let Some(used_at) = token.seed.used_at {
            let used_at = used_at.seen_from(surroundings.now);
            self.token_uses.push(TokenUse { id: token.id, used_at, rotation: 1 });
        }
        self.account.tokens.push(grants::told(token, client, &issued, &surroundings_then));
        self.grants.push(grant);
        Ok(())
    }
}

/// Resolving has found every reference already, so nobody is told this.
const NO_OWNER: &str = "refers to what is not in the seed";

impl Known {
    fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }
}

/// The registration of a client as the record API would be asked for it.
fn request(client: &ResolvedClient<'_>) -> ClientRequest {
    let seed = client.seed;
    let name = seed.name.clone().unwrap_or_else(|| seed.identifier.clone());
    ClientRequest {
        identifier: Sent::Value(seed.identifier.clone()),
        name: Sent::Value(name),
        kind: sent(seed.kind),
        user_id: Sent::Value(Some(client.owner)),
        redirect_uri: Sent::Value(seed.redirect_uri.clone()),
        company: sent(seed.company.clone()),
        description: sent(seed.description.clone()),
        allowed_scopes: sent(seed.allowed_scopes.clone()),
        resource_server: Sent::Value(seed.resource_server),
        grant_types: sent(seed.grant_types.clone()),
        access_token_lifetime_max: sent(seed.access_token_lifetime_max),
        refresh_token_lifetime_max: sent(seed.refresh_token_lifetime_max),
        retry_window_seconds: sent(seed.retry_window_seconds),
        ..ClientRequest::default()
    }
}

fn sent<T>(value: Option<T>) -> Sent<T> {
    value.map_or(Sent::Absent, Sent::Value)
}
