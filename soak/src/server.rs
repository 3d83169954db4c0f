//! The real server in this process: its router over a database file, with injected time and
//! randomness. It can be stopped in order, or as a crash would.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
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
    listen::Answer as _,
    state::{AppState, Parts},
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
        let database = Database::open(&self.folder, &self.config).await?;
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
        Ok(Server { state, router, database })
    }
}

/// Where every request comes from.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);

/// A running server.
pub struct Server {
    /// What its handlers share.
    pub state: AppState,
    router: Envelope,
    database: Database,
}

impl Server {
    /// Sends a request through the router and takes the whole answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let response = self.router.clone().answer(request, PEER).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.context("an answer broke off")?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), body })
    }

    /// Closes the database under whatever is going on: what was only noted is lost, and writes that
    /// have not begun are refused. A stop in order has flushed its notes before.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// Waits until everything that a dropped request left running has ended.
pub async fn settled() -> Result<()> {
    // Each look gives the others a turn, so this many mean that something hangs.
    for _ in 0..10_000_000_u32 {
        if tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0 {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    bail!("work that a dropped request left behind does not end")
}
