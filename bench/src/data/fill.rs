//! Filling a table by the server's own decisions and store: what a table holds is told once, for
//! every engine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, Result, bail};
use tokenry_core::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_authentication::{AuthenticatedClient, authenticate},
    grant_types::client_credentials,
    issue::Issuance,
    policy::Policy,
    user::{Role, User},
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier, UserId},
    oauth::token::Wishes,
    secret::Kind,
    time::{Seconds, Timestamp},
};
use tokenry_server::{
    config::{BaseUrl, Config, Mode},
    environment::Environment,
    node::Node,
    state::AppState,
};
use tokenry_store::{IdSequence, Insertion};
use tokio::task::JoinSet;

use super::Spread;
use crate::database::Folder;

/// Long enough for folders to be used for years.
const LIFETIME: Seconds = Seconds(10 * 365 * 86_400);
/// Insertions at the same time: two full transactions of the store.
const WORKERS: u64 = 512;

/// Fills a folder as a server would: its ids, its keys, its decisions, its store.
pub(super) fn fill(folder: &Folder, tokens: u64, spread: Spread) -> Result<Vec<u64>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let node = open(folder).await?;
        let _lock = node.lock()?;
        let users = insert_users(&node.state, spread.users).await?;
        let clients = insert_clients(&node.state, spread.clients, &users).await?;
        let ids = clients.iter().map(|client| client.client().id.get()).collect();
        let clients = with_owners(&node.state, clients).await?;
        let policy = Policy { access_token_lifetime: Some(LIFETIME), ..node.state.policy.clone() };
        let now = node.state.now();
        let left = AtomicU64::new(tokens);
        let filling = Filling { state: node.state.clone(), clients, users, policy, now, left };
        filling.run().await?;
        node.close().await;
        Ok(ids)
    })
}

async fn open(folder: &Folder) -> Result<Node> {
    let settings = folder.store().map(|url| ("TOKENRY_STORE".to_owned(), url));
    let loaded = Config::load(Mode::Serve, None, settings.into_iter(), &[])?;
    let config = Config { data: folder.path.clone(), ..loaded.config };
    let base = BaseUrl::at(config.listen)?;
    Ok(Node::open(config, base, Environment::system()).await?)
}

/// The ids at hand, one after the other.
async fn lease(state: &AppState, sequence: IdSequence, count: u32) -> Result<Vec<u64>> {
    Ok(state.store.lease_ids(sequence, count).await?.collect())
}

async fn insert_users(state: &AppState, count: u32) -> Result<Vec<UserId>> {
    let now = state.now();
    let mut insertions = JoinSet::new();
    let mut users = Vec::new();
    for id in lease(state, IdSequence::Users, count).await? {
        let id = UserId::new(id)?;
        users.push(id);
        let user = User {
            id,
            email: format!("user-{id}@example.com"),
            name: format!("User {id}"),
            role: Role::EndUser,
            password_hash: None,
            verified: true,
            suspended: false,
            password_epoch: 0,
            created_at: now,
            updated_at: now,
        };
        let state = state.clone();
        insertions.spawn(async move { state.store.insert_user(user).await });
        settle(&mut insertions, WORKERS).await?;
    }
    settle(&mut insertions, 1).await?;
    Ok(users)
}

async fn insert_clients(
    state: &AppState,
    count: u32,
    users: &[UserId],
) -> Result<Vec<AuthenticatedClient>> {
    let now = state.now();
    let mut insertions = JoinSet::new();
    let mut clients = Vec::new();
    for (id, user) in
        lease(state, IdSequence::Clients, count).await?.into_iter().zip(users.iter().cycle())
    {
        let secret = state.environment.entropy.secret();
        let secret = state.keys().token.mint(Kind::ClientSecret, id, 0, secret);
        let client = Client {
            id: ClientId::new(id)?,
            identifier: ClientIdentifier::parse(&format!("client-{id}"))?,
            name: format!("Client {id}"),
            user_id: *user,
            authentication: ClientSecret::Confidential { hash: secret.hash(), generation: 0 },
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
            created_at: now,
            updated_at: now,
        };
        let proved = authenticate(Some(Arc::new(client.clone())), Some(secret.reveal()));
        clients.push(proved.map_err(|rejection| anyhow::anyhow!(rejection.as_str()))?);
        let state = state.clone();
        insertions.spawn(async move { state.store.insert_client(client).await });
        settle(&mut insertions, WORKERS).await?;
    }
    settle(&mut insertions, 1).await?;
    Ok(clients)
}

/// Clients with the users who own them.
async fn with_owners(
    state: &AppState,
    clients: Vec<AuthenticatedClient>,
) -> Result<Vec<(AuthenticatedClient, User)>> {
    let mut all = Vec::new();
    for client in clients {
        let owner = state.store.find_user(client.client().user_id).await?;
        all.push((client, owner.context("a client without an owner")?));
    }
    Ok(all)
}

/// Waits until fewer than `most` are left.
async fn settle(
    insertions: &mut JoinSet<tokenry_store::Result<Insertion>>,
    most: u64,
) -> Result<()> {
    while insertions.len() as u64 >= most {
        let Some(inserted) = insertions.join_next().await else { break };
        if inserted?? != Insertion::Done {
            bail!("a table's users and clients are there already");
        }
    }
    Ok(())
}

/// What the workers share.
struct Filling {
    state: AppState,
    /// With their owners, which a node without its jobs would read anew for every token.
    clients: Vec<(AuthenticatedClient, User)>,
    users: Vec<UserId>,
    policy: Policy,
    now: Timestamp,
    left: AtomicU64,
}

impl Filling {
    async fn run(self) -> Result<()> {
        let filling = Arc::new(self);
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let filling = Arc::clone(&filling);
            workers.spawn(async move { filling.insert_tokens().await });
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
        Ok(())
    }

    async fn insert_tokens(&self) -> Result<()> {
        let state = &self.state;
        let keys = state.keys();
        while let Some(number) = self.take() {
            // Neighbours in the table belong to different clients and users, as they do when many
            // clients work at the same time.
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            let (client, owner) = pick(&self.clients, mixed).context("no clients")?;
            let user = pick(&self.users, mixed >> 16).context("no users")?;
            let issuance = Issuance {
                id: state.ids.next(IdSequence::Tokens).await?,
                client_id: client.client().id,
                user_id: *user,
                now: self.now,
                keys: &keys.token,
                entropy: state.environment.entropy.as_ref(),
            };
            let wishes =
                Wishes { scope: None, access_token_lifetime: None, refresh_token_lifetime: None };
            let issued =
                client_credentials::issue(client, Some(owner), &wishes, &self.policy, &issuance);
            let (token, _) = issued.map_err(|rejection| anyhow::anyhow!(rejection.as_str()))?;
            state.store.insert_token(token).await?;
        }
        Ok(())
    }

    /// The number of the next token; `None` when there are enough.
    fn take(&self) -> Option<u64> {
        let less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()
    }
}

fn pick<T>(items: &[T], number: u64) -> Option<&T> {
    let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
    items.get(usize::try_from(number % count).ok()?)
}
