//! A whole server: opening its folder, serving, and stopping without losing anything.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use tokenry_core::credentials::Key;
use tokenry_store::{
    Store, StoreError,
    sqlite::{SqliteStore, StoreOptions},
};

use crate::{
    config::{BaseUrl, Config},
    data_folder::{DataFolder, DataFolderError, ServeLock},
    envelope::Envelope,
    environment::Environment,
    jobs,
    listen::{self, Listener},
    state::{AppState, Parts, StartError},
    stop_signal::StopSignal,
    telemetry,
    tls::{Tls, TlsError, TlsFiles},
};

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The database.
    #[error("{path}: {error}")]
    Store {
        /// Where the database is.
        path: PathBuf,
        /// What happened.
        error: StoreError,
    },
    /// Configuration or keys.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What happened.
        error: io::Error,
    },
}

/// An opened folder, with everything that requests need.
pub struct Node {
    /// What handlers share.
    pub state: AppState,
    /// The folder.
    pub folder: DataFolder,
    store: Arc<SqliteStore>,
}

/// A listener and the address that clients reach it by.
pub struct Bound {
    listener: Listener,
    base: BaseUrl,
}

/// What the configuration says about listening, done. It comes first, because without a configured
/// address the bound one is the issuer.
pub fn bind(config: &Config) -> Result<Bound, NodeError> {
    let fail = |error| NodeError::Listen { address: config.listen, error };
    let listener = listen::bind(config.listen).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    let base = config.base_at(bound).map_err(|error| fail(io::Error::other(error)))?;
    let listener = match config.tls.files() {
        Some((certificate, key)) => {
            let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
            listener.with_tls(Arc::new(Tls::load(files)?))
        }
        None => listener,
    };
    Ok(Bound { listener, base })
}

impl Bound {
    /// The public address.
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }
}

/// Opens the database of a folder.
pub fn open_store(folder: &DataFolder, config: &Config) -> Result<Arc<SqliteStore>, NodeError> {
    let path = folder.database();
    let settings = &config.sqlite;
    let options = StoreOptions {
        readers: settings.readers,
        read_queue_max: settings.read_queue_max,
        write_queue_max: settings.write_queue_max,
        cache_size: settings.cache_size,
        ..StoreOptions::default()
    };
    let store = SqliteStore::open(&path, options);
    Ok(Arc::new(store.map_err(|error| NodeError::Store { path, error })?))
}

impl Node {
    /// Opens the folder that the configuration names.
    pub async fn open(
        config: Config,
        base: BaseUrl,
        environment: Environment,
    ) -> Result<Self, NodeError> {
        let folder = DataFolder::open(&config.data)?;
        let entropy = environment.entropy.as_ref();
        let (given, file) = (config.server_key.as_ref(), config.key_file.as_deref());
        let root_key: Key = folder.root_key(given, file, entropy)?;
        let store = open_store(&folder, &config)?;
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let parts = Parts { config, base, environment, store: shared, root_key };
        Ok(Self { state: AppState::new(parts).await?, folder, store })
    }

    /// Takes the lock of the one process that serves this folder.
    pub fn lock(&self) -> Result<ServeLock, NodeError> {
        Ok(self.folder.lock()?)
    }

    /// Serves until `stop` is done, then finishes what is in flight, writes what was noted, and
    /// closes the database.
    pub async fn serve(
        self,
        bound: Bound,
        lock: ServeLock,
        metrics: Option<PrometheusHandle>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), NodeError> {
        let (stop_jobs, signal) = StopSignal::new();
        let tls = bound.listener.tls();
        let jobs = jobs::start(&self.state, metrics.clone(), tls, &signal);
        let limits = self.state.config.limits.clone();
        let mut metrics_served = tokio::task::JoinSet::new();
        if let (Some(address), Some(handle)) = (self.state.config.metrics.listen, metrics) {
            let listener =
                listen::bind(address).map_err(|error| NodeError::Listen { address, error })?;
            let store = Arc::clone(&self.store);
            let router = telemetry::metrics_router(handle, move || sample(&store));
            let limits = limits.clone();
            let mut signal = signal.clone();
            metrics_served.spawn(async move {
                listen::serve(listener, router, &limits, signal.given()).await;
            });
        }
        listen::serve(bound.listener, Envelope::new(self.state.clone()), &limits, stop).await;
        let _ = stop_jobs.send(true);
        jobs.join_all().await;
        metrics_served.join_all().await;
        self.close().await;
        drop(lock);
        Ok(())
    }

    /// Writes what was noted and closes the database.
    pub async fn close(self) {
        if let Err(error) = jobs::flush(&self.state).await {
            tracing::error!(%error, "the last uses of tokens could not be written");
        }
        self.store.close().await;
    }
}

fn sample(store: &SqliteStore) {
    let statistics = store.statistics();
    metrics::counter!("tokenry_store_commits_total").absolute(statistics.commits);
    metrics::counter!("tokenry_store_events_total").absolute(statistics.events);
    for (queue, waiting) in
        [("writes", statistics.writes_queued), ("reads", statistics.reads_queued)]
    {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        metrics::gauge!("tokenry_store_queued", "queue" => queue).set(waiting);
    }
}
