//! The server as tests see it.

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{body::Body, response::Response};
use http::Request;
use tokenry_core::credentials::Key;
use tokenry_protocol::time::Timestamp;
use tokenry_server::{
    config::{BaseUrl, Config, Mode},
    envelope::Envelope,
    environment::{Clock as _, Environment},
    listen::Answer as _,
    state::{AppState, Parts},
};
use tokenry_store::{
    Store,
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    sqlite::{SqliteStore, StoreOptions},
};

use super::{Browser, Call, FaultyStore, SeededEntropy, TestClock};

/// Where every test's server is.
pub const BASE: &str = "http://127.0.0.1:4000";
/// When every test begins.
pub const NOON: &str = "2026-03-05T12:00:00Z";

/// A server over a fresh store, driven through its router.
pub struct TestApp {
    pub clock: Arc<TestClock>,
    pub store: Arc<FaultyStore>,
    pub state: AppState,
    router: Envelope,
}

/// A store with nothing in it.
async fn fresh_store() -> Arc<dyn Store> {
    match tokenry_postgres_testing::schema_if_chosen() {
        Some(schema) => {
            // A server for all tests of the process; connections are few, because tests are many.
            let options = PostgresOptions { connections: 4, ..PostgresOptions::default() };
            let address = PostgresAddress::parse(&schema).expect("an address");
            Arc::new(PostgresStore::open(address, options).await.expect("a schema in PostgreSQL"))
        }
        None => Arc::new(SqliteStore::in_memory().expect("a database in memory")),
    }
}

impl TestApp {
    /// As it comes.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With another configuration.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::of(Mode::Serve, configure).await
    }

    /// With the defaults of a mode, and another configuration over them.
    pub async fn of(mode: Mode, configure: impl FnOnce(&mut Config)) -> Self {
        Self::over(fresh_store().await, Config::defaults(mode), configure).await
    }

    /// With its database in a folder.
    pub async fn on_disk(folder: &Path) -> Self {
        let file = folder.join("tokenry.db");
        let store = SqliteStore::open(file, StoreOptions::default()).expect("a database");
        Self::over(Arc::new(store), Config::default(), |_| ()).await
    }

    /// The same server after a restart, with the store that it left behind.
    pub async fn restarted(&self) -> Self {
        self.restarted_with(|_| ()).await
    }

    /// The same with another configuration.
    pub async fn restarted_with(&self, configure: impl FnOnce(&mut Config)) -> Self {
        let config = self.state.config.clone();
        let app = Self::over(Arc::clone(&self.store) as _, config, configure).await;
        app.clock.advance_millis(self.now().millis_since(app.now()));
        app
    }

    async fn over(
        store: Arc<dyn Store>,
        mut config: Config,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        // As cheap as the bounds allow: tests are about who is let in, not about the cost.
        config.sign_in.password_hash_memory = 7 << 20;
        config.sign_in.password_hash_iterations = 1;
        configure(&mut config);
        let clock = Arc::new(TestClock::at(NOON));
        let store = Arc::new(FaultyStore::new(store));
        let here = BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4000))).unwrap();
        let state = AppState::new(Parts {
            base: config.base_url.clone().unwrap_or(here),
            config,
            environment: Environment {
                clock: Arc::clone(&clock) as _,
                entropy: Arc::new(SeededEntropy::default()),
            },
            store: Arc::clone(&store) as _,
            root_key: Key::new([7; 32]),
        })
        .await
        .expect("the server starts");
        let router = Envelope::new(state.clone());
        Self { clock, store, state, router }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    pub fn put(&self, path: &str) -> Call<'_> {
        self.call("PUT", path)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// Sends a request as it is.
    pub async fn respond(&self, request: Request<Body>, peer: SocketAddr) -> Response {
        self.router.clone().answer(request, peer).await
    }
}
