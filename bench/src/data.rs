//! Data folders with tables of a certain size, filled by the server's own decisions and store, and
//! kept for the next run.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
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
    config::{BaseUrl, Config},
    environment::Environment,
    node::Node,
    state::AppState,
};
use tokenry_store::{IdSequence, Insertion};
use tokio::task::JoinSet;

use crate::process::Programs;

/// The first administrator's address.
const ADMIN: &str = "admin@example.com";
/// Long enough for folders to be used for years.
const LIFETIME: Seconds = Seconds(10 * 365 * 86_400);
/// Insertions at the same time: two full transactions of the store.
const WORKERS: u64 = 512;

/// Over how many clients and users the tokens of a table are spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Clients.
    pub(crate) clients: u32,
    /// Users.
    pub(crate) users: u32,
}

/// A data folder that may be written to, and its administrator.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    /// The folder.
    pub(crate) path: PathBuf,
    /// What `tokenry init` printed.
    pub(crate) admin: Value,
    /// The ids of the clients that the tokens are spread over.
    pub(crate) clients: Vec<u64>,
}

impl Data {
    /// The administrator's `email`, `password` or `api_token`.
    pub(crate) fn of_admin(&self, name: &str) -> Result<&str> {
        self.admin
            .get(name)
            .and_then(Value::as_str)
            .with_context(|| format!("init printed no {name}"))
    }

    /// Bytes of the database.
    pub(crate) fn size(&self) -> Result<u64> {
        let mut bytes = 0;
        for name in ["tokenry.db", "tokenry.db-wal"] {
            bytes += fs::metadata(self.path.join(name)).map_or(0, |metadata| metadata.len());
        }
        if bytes == 0 {
            bail!("{} holds no database", self.path.display());
        }
        Ok(bytes)
    }
}

/// Where tables are kept.
pub(crate) struct Tables<'a> {
    /// The folder of all that benchmarks leave behind.
    pub(crate) folder: &'a Path,
    /// To make folders with.
    pub(crate) programs: &'a Programs,
}

impl Tables<'_> {
    /// A copy of the table of this size, which is filled first if it is not there yet.
    pub(crate) fn copy(&self, tokens: u64, spread: Spread) -> Result<Data> {
        let kept = self.folder.join(format!("table-{tokens}"));
        let fresh = self.folder.join("fresh");
        let admin = self.init(&fresh)?;
        if !is_usable(&kept, &fresh) {
            let filling = self.folder.join("filling");
            let admin = self.init(&filling)?;
            let clients = fill(&filling, tokens, spread)?;
            fs::write(filling.join("admin.json"), admin.to_string())?;
            fs::write(filling.join("clients.json"), serde_json::to_string(&clients)?)?;
            remove(&kept)?;
            fs::rename(&filling, &kept)?;
        }
        drop(admin);
        remove(&fresh)?;
        let path = self.folder.join("run");
        remove(&path)?;
        fs::create_dir_all(&path)?;
        for entry in fs::read_dir(&kept)? {
            let entry = entry?;
            fs::copy(entry.path(), path.join(entry.file_name()))?;
        }
        let read = |name: &str| fs::read_to_string(path.join(name));
        let admin = serde_json::from_str(&read("admin.json")?)?;
        let clients = serde_json::from_str(&read("clients.json")?)?;
        Ok(Data { path, admin, clients })
    }

    /// A new folder with an administrator and nothing else.
    pub(crate) fn init(&self, path: &Path) -> Result<Value> {
        remove(path)?;
        let arguments = ["init", "--json", "--admin-email", ADMIN];
        let output = self.programs.tokenry(path, &arguments).output()?;
        if !output.status.success() {
            bail!("tokenry init failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// A folder that is not there is removed already.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Whether a kept folder has the schema that a new one gets.
fn is_usable(kept: &Path, fresh: &Path) -> bool {
    let schema = |folder: &Path| -> Result<String> {
        let connection = Connection::open(folder.join("tokenry.db"))?;
        let schema =
            "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY 1)";
        Ok(connection.query_row(schema, [], |row| row.get(0))?)
    };
    let is_whole = kept.join("clients.json").exists();
    is_whole && matches!((schema(kept), schema(fresh)), (Ok(kept), Ok(fresh)) if kept == fresh)
}

/// Fills a folder as a server would: its ids, its keys, its decisions, its store.
fn fill(path: &Path, tokens: u64, spread: Spread) -> Result<Vec<u64>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let node = open(path).await?;
        let _lock = node.lock()?;
        let users = insert_users(&node.state, spread.users).await?;
        let clients = insert_clients(&node.state, spread.clients, &users).await?;
        let ids = clients.iter().map(|client| client.client().id.get()).collect();
        let policy = Policy { access_token_lifetime: LIFETIME, ..node.state.policy.clone() };
        let now = node.state.now();
        let left = AtomicU64::new(tokens);
        let filling = Filling { state: node.state.clone(), clients, users, policy, now, left };
        filling.run().await?;
        node.close().await;
        Ok(ids)
    })
}

/// Which records of a table are made to expire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expired {
    /// One in so many.
    one_in: u64,
    /// Until this id.
    until: u64,
}

impl Expired {
    /// Has one record in so many expire, all over the table of a folder that nobody serves.
    pub(crate) fn among(data: &Path, tokens: u64, one_in: u64) -> Result<Self> {
        let connection = Connection::open(data.join("tokenry.db"))?;
        let until = "SELECT max(id) FROM (SELECT id FROM tokens ORDER BY id LIMIT ?1)";
        let until = connection.query_row(until, [tokens], |row| row.get(0))?;
        let expired = Self { one_in, until };
        let expire = "UPDATE tokens SET issued_at = 0, access_lifetime = 1 \
                      WHERE id <= ?1 AND id % ?2 = 0";
        connection.execute(expire, [until, one_in])?;
        Ok(expired)
    }

    /// How many of them are still there.
    pub(crate) fn left(self, data: &Path) -> Result<u64> {
        let path = data.join("tokenry.db");
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let count = "SELECT count(*) FROM tokens WHERE id <= ?1 AND id % ?2 = 0";
        Ok(connection.query_row(count, [self.until, self.one_in], |row| row.get(0))?)
    }
}

async fn open(path: &Path) -> Result<Node> {
    let config = Config { data: path.to_owned(), ..Config::default() };
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
    clients: Vec<AuthenticatedClient>,
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
            let client = pick(&self.clients, mixed).context("no clients")?;
            let user = pick(&self.users, mixed >> 16).context("no users")?;
            let issuance = Issuance {
                id: state.ids.next(IdSequence::Tokens).await?,
                client_id: client.client().id,
                user_id: *user,
                now: self.now,
                keys: &keys.token,
                entropy: state.environment.entropy.as_ref(),
            };
            let owner = state.directory.find_user(client.client().user_id).await?;
            let wishes =
                Wishes { scope: None, access_token_lifetime: None, refresh_token_lifetime: None };
            let issued = client_credentials::issue(
                client,
                owner.as_deref(),
                &wishes,
                &self.policy,
                &issuance,
            );
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
