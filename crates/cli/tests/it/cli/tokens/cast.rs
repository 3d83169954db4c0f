//! A server with people, clients and tokens that are older than the server: made as the server
//! makes them, at other times.

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokenry_core::{client::Client, client_authentication::authenticate, user::User};
use tokenry_protocol::{
    ids::{ClientIdentifier, TokenId},
    scope::Scope,
    time::{Seconds, Timestamp},
};
use tokenry_store::{
    ApiTokenInsertion, Insertion, Store, TokenUse,
    sqlite::{SqliteStore, StoreOptions},
    suite::support::{Parties, World},
};

use super::super::bare;
use crate::process::{self, Process};

/// How many tokens the client `bulk` has.
pub(super) const BULK: u64 = 1_000;

const DAY: u32 = 86_400;

/// Everything, served.
pub(super) struct Cast {
    pub(super) folder: tempfile::TempDir,
    pub(super) admin: Value,
    pub(super) server: Process,
    /// Of Ben, for `reports`: made 200 days ago and used 100 days ago.
    pub(super) forgotten: u64,
    /// Of Ben, for `reports`: made 200 days ago for `users:write`, and never used.
    pub(super) untouched: u64,
    /// Of Ben, for `reports`: a consented grant of yesterday, used an hour ago.
    pub(super) grant: u64,
    /// Of Ada, for `nightly`: ends soon.
    pub(super) short: u64,
    /// Of Eve, who is suspended, for `nightly`: wider than the client.
    pub(super) suspended: u64,
    /// Of Ben, for `bulk`: made 300 days ago; each second one was used 120 days ago, the others
    /// never.
    pub(super) bulk: Vec<u64>,
}

struct Filled {
    named: [TokenId; 5],
    bulk: Vec<u64>,
}

impl Cast {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let admin = process::init(folder.path());
        let Filled { named, bulk } = fill(&folder.path().join("data/tokenry.db"));
        let server = Process::start(folder.path());
        let [forgotten, untouched, grant, short, suspended] = named.map(TokenId::get);
        Self { folder, admin, server, forgotten, untouched, grant, short, suspended, bulk }
    }

    /// A command of Ada's, who administers, with her API token.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.nobody(arguments);
        let text = |name: &str| self.admin[name].as_str().unwrap();
        command.env("TOKENRY_CLIENT_EMAIL", text("email"));
        command.env("TOKENRY_CLIENT_API_TOKEN", text("api_token"));
        command
    }

    /// The same with a token.
    pub(super) fn bearer(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = self.nobody(arguments);
        command.env("TOKENRY_CLIENT_ACCESS_TOKEN", token);
        command
    }

    /// A command of nobody's.
    pub(super) fn nobody(&self, arguments: &[&str]) -> Command {
        let mut command = signed_out(self.folder.path(), arguments);
        command.env("TOKENRY_CLIENT_SERVER", &self.server.base);
        command
    }

    /// A token of Ada's for `reports` that may do everything, made through the API.
    pub(super) fn new_token(&self) -> (u64, String) {
        let create = ["token", "create", "--client", "reports", "--scope", "read write", "--json"];
        let made: Value = serde_json::from_str(&super::done(self.command(&create)).0).unwrap();
        let token = made["full_token"].as_str().or(made["token"].as_str()).unwrap();
        (made["id"].as_u64().unwrap(), token.to_owned())
    }

    /// Every token that there is.
    pub(super) fn all(&self) -> Vec<u64> {
        crate::client::Client::new(&self.server.base).list(&self.admin)
    }
}

/// A command that nothing around it tells of servers.
pub(super) fn signed_out(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TOKENRY_") || name.starts_with("ZENDESK_") {
            command.env_remove(&*name);
        }
    }
    command.env("TOKENRY_CLIENT_CONFIG", folder.join("profiles.toml"));
    command
}

#[expect(clippy::disallowed_methods, reason = "commands count from the true time")]
pub(super) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap())
}

/// So long ago, and a minute so that nothing is at the edge of a day.
fn days_ago(days: u32) -> Timestamp {
    now().minus(Seconds(days * DAY + 60))
}

#[tokio::main]
async fn fill(database: &Path) -> Filled {
    let store = Arc::new(SqliteStore::open(database, StoreOptions::default()).unwrap());
    let world = World::new(Arc::clone(&store) as Arc<dyn Store>);
    let ada = store.find_user_by_email("ada@acme.test").await.unwrap().unwrap();
    let ben = user(&world, "ben@acme.test", |_| {}).await;
    let eve = user(&world, "eve@acme.test", |eve| eve.suspended = true).await;
    let reports = parties(&world, "reports", &ada, &ben, |_| {}).await;
    let bulk = parties(&world, "bulk", &ada, &ben, |_| {}).await;
    let nightly = parties(&world, "nightly", &ada, &eve, |client| {
        client.redirect_uris = Vec::new();
        client.allowed_scope = Some(Scope::parse("read").unwrap());
    });
    let nightly = nightly.await;
    let named = [
        world.created(&reports, "read", days_ago(200)).await.id,
        world.created(&reports, "users:write", days_ago(200)).await.id,
        world.grant(&reports, days_ago(1)).await.0,
        world.client_credentials(&nightly.client, now().minus(Seconds(600))).await.id,
        world.created(&nightly, "read write", days_ago(40)).await.id,
    ];
    let [forgotten, _, grant, _, suspended] = named;
    let mut uses = vec![
        (forgotten, days_ago(100)),
        (grant, now().minus(Seconds(3_660))),
        (suspended, days_ago(5)),
    ];
    let bulk = bulk_tokens(&world, &bulk).await;
    uses.extend(bulk.iter().step_by(2).map(|id| (*id, days_ago(120))));
    let uses = uses.into_iter().map(|(id, used_at)| TokenUse { id, used_at, rotation: 1 });
    store.record_token_uses(uses.collect()).await.unwrap();
    let api_token = world.new_api_token(ada.id, ben.id).await;
    let inserted = store.insert_api_token(api_token, 256).await.unwrap();
    assert_eq!(inserted, ApiTokenInsertion::Done);
    store.close().await;
    Filled { named, bulk: bulk.into_iter().map(TokenId::get).collect() }
}

/// In the order of their ids.
async fn bulk_tokens(world: &Arc<World>, parties: &Parties) -> Vec<TokenId> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..BULK {
        let (world, parties) = (Arc::clone(world), parties.clone());
        tasks.spawn(async move { world.created(&parties, "read", days_ago(300)).await.id });
    }
    let mut ids = tasks.join_all().await;
    ids.sort();
    ids
}

async fn user(world: &World, email: &str, change: impl FnOnce(&mut User)) -> User {
    let mut user = User { email: email.to_owned(), ..world.new_user().await };
    change(&mut user);
    assert_eq!(world.store.insert_user(user.clone()).await.unwrap(), Insertion::Done);
    user
}

/// A client as it is now. The tokens were issued before it was narrowed.
async fn parties(
    world: &World,
    identifier: &str,
    owner: &User,
    user: &User,
    narrow: impl FnOnce(&mut Client),
) -> Parties {
    let (client, secret) = world.new_client(owner.id).await;
    let identifier = ClientIdentifier::parse(identifier).unwrap();
    let client = Client { identifier, ..client };
    let mut kept = client.clone();
    narrow(&mut kept);
    assert_eq!(world.store.insert_client(kept).await.unwrap(), Insertion::Done);
    let client = authenticate(Some(Arc::new(client)), Some(secret.reveal())).unwrap();
    Parties { client, user: user.clone() }
}
