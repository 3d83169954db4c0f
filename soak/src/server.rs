//! The real server in this process: its router over a database, with injected time and randomness.
//! It can be stopped in order, or as a crash would.
//!
//! On PostgreSQL the store of each has a runtime of its own, so that it can be told whether
//! anything is under way in it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use tokenry_core::credentials::Key;
use tokenry_protocol::time::Timestamp;
use tokenry_server::{
    config::{BaseUrl, Config},
    data_folder::DataFolder,
    database::Database,
    envelope::Envelope,
    environment::{Clock as _, Environment},
    jobs::{self, Follower},
    listen::Answer as _,
    state::{AppState, Parts},
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::Mutex,
};

use crate::{
    environment::{SeededEntropy, SimulatedClock},
    http::Answer,
};

/// What outlives a restart: the folder, the configuration, time and randomness.
pub struct Site {
    folder: DataFolder,
    config: Config,
    /// The server's time.
    pub clock: Arc<SimulatedClock>,
    entropy: Arc<SeededEntropy>,
}

impl Site {
    /// A site in this folder.
    pub fn new(folder: &Path, seed: u64, config: Config) -> Result<Self> {
        Ok(Self {
            folder: DataFolder::open(folder)?,
            config,
            clock: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(seed)),
        })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Bytes of the database, and of its log.
    pub fn file_sizes(&self) -> Result<(u64, u64)> {
        let database = self.folder.database();
        let mut log = database.clone().into_os_string();
        log.push("-wal");
        // The log is gone while nobody has the database open.
        let log = std::fs::metadata(log).map_or(0, |log| log.len());
        Ok((std::fs::metadata(database)?.len(), log))
    }

    /// Starts the server over what the last one left.
    pub async fn start(&self) -> Result<Server> {
        let (database, own) = match self.config.store {
            Some(_) => {
                let own = Own::new()?;
                let opened = Database::open(&self.folder, &self.config);
                let database = own.within(opened).await?;
                own.learn(&database).await;
                (database, Some(own))
            }
            None => (Database::open(&self.folder, &self.config).await?, None),
        };
        let state = AppState::new(Parts {
            config: self.config.clone(),
            base: BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4000)))?,
            environment: Environment {
                clock: Arc::clone(&self.clock) as _,
                entropy: Arc::clone(&self.entropy) as _,
            },
            store: database.store(),
            root_key: Key::new([7; 32]),
        })
        .await?;
        let router = Envelope::new(state.clone());
        let follower = Mutex::new(Follower::begin(&state).await);
        Ok(Server { state, router, database, follower, own })
    }
}

/// How often one looks at a store that was just opened, to learn what it has when it is idle.
const LOOKS_AT_IDLE: u32 = 10_000;

/// Where every request comes from.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);

/// A running server.
pub struct Server {
    /// What its handlers share.
    pub state: AppState,
    router: Envelope,
    database: Database,
    follower: Mutex<Follower>,
    own: Option<Own>,
}

impl Server {
    /// Sends a request through the router and takes the whole answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let response = self.router.clone().answer(request, PEER).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.context("an answer broke off")?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), body })
    }

    /// Hears of everything that other nodes have changed, as its job does.
    pub async fn catch_up(&self) -> Result<()> {
        Ok(self.follower.lock().await.look(&self.state).await?)
    }

    /// Writes the uses that were noted, as its job does once a second.
    pub async fn flush(&self) -> Result<()> {
        Ok(jobs::flush(&self.state).await?)
    }

    /// Whether nothing is under way in its store.
    fn is_quiet(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.is_quiet(&self.database))
    }

    /// Closes the database under whatever is going on: what was only noted is lost, and writes that
    /// have not begun are refused. A stop in order has flushed its notes before.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// A runtime for a store, and how many tasks it has when nothing is under way: those that send
/// batches. Each connection is one more.
struct Own {
    /// Until it is dropped.
    runtime: Option<Runtime>,
    idle: AtomicUsize,
}

impl Own {
    fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { runtime: Some(runtime), idle: AtomicUsize::new(usize::MAX) })
    }

    /// Does work whose tasks live in this runtime.
    async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            let _entered = self.runtime.as_ref().map(Runtime::enter);
            work.as_mut().poll(context)
        })
        .await
    }

    /// Learns how many tasks are left when what opening took has ended.
    async fn learn(&self, database: &Database) {
        for _ in 0..LOOKS_AT_IDLE {
            self.idle.fetch_min(self.tasks(database), Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    fn tasks(&self, database: &Database) -> usize {
        let alive = self.runtime.as_ref().map_or(0, |own| own.metrics().num_alive_tasks());
        let connections = match database {
            Database::Shared(store) => store.statistics().connections,
            Database::Embedded(..) => 0,
        };
        alive.saturating_sub(connections)
    }

    fn is_quiet(&self, database: &Database) -> bool {
        let tasks = self.tasks(database);
        self.idle.fetch_min(tasks, Ordering::SeqCst) >= tasks
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Whoever drops it may be one of another runtime's tasks, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits until everything that a dropped request left running has ended.
pub async fn settled(servers: &[Arc<Server>]) -> Result<()> {
    // Each look gives the others a turn, so this many mean that something hangs.
    for _ in 0..10_000_000_u32 {
        let is_alone = tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0;
        if is_alone && servers.iter().all(|server| server.is_quiet()) {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    bail!("work that a dropped request left behind does not end")
}
