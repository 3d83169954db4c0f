//! A whole server: opening its folder, serving, and stopping without losing anything.

use std::{io, net::SocketAddr, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use tokenry_store::StoreError;

use crate::{
    config::{BaseUrl, Config},
    data_folder::{DataFolder, DataFolderError, ServeLock},
    database::{Database, DatabaseError},
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
    /// The database, when it is opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The database, later.
    #[error(transparent)]
    Store(#[from] StoreError),
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

impl NodeError {
    /// Whether it may be over if one tries again: a shared database is away, or went away while
    /// what is in it was read.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Database(error) => error.may_pass(),
            Self::Start(error) => error.may_pass(),
            Self::Store(error) => matches!(error, StoreError::Unavailable(_)),
            Self::Folder(_) | Self::Tls(_) | Self::Listen { .. } => false,
        }
    }
}

/// An opened folder, with everything that requests need.
pub struct Node {
    /// What handlers share.
    pub state: AppState,
    /// The folder.
    pub folder: DataFolder,
    database: Database,
}

/// A listener and the address that clients reach it by.
pub struct Bound {
    listener: Listener,
    /// What it speaks TLS with.
    tls: Option<Arc<Tls>>,
    base: BaseUrl,
}

/// What the configuration says about listening, done. It comes first, because without a configured
/// address the bound one is the issuer.
pub fn bind(config: &Config) -> Result<Bound, NodeError> {
    let fail = |error| NodeError::Listen { address: config.listen, error };
    let listener = listen::bind(config.listen).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    let base = config.base_at(bound).map_err(|error| fail(io::Error::other(error)))?;
    let Some((certificate, key)) = config.tls.files() else {
        return Ok(Bound { listener, tls: None, base });
    };
    let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
    let tls = Arc::new(Tls::load(files)?);
    let listener = listener.with_handshake(Arc::clone(&tls) as _);
    Ok(Bound { listener, tls: Some(tls), base })
}

impl Bound {
    /// The public address.
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }
}

impl Node {
    /// Opens the folder that the configuration names.
    pub async fn open(
        config: Config,
        base: BaseUrl,
        environment: Environment,
    ) -> Result<Self, NodeError> {
        let folder = DataFolder::open(&config.data)?;
        let database = Database::open(&folder, &config).await?;
        let store = database.store();
        let root_key =
            match folder.root_key(config.server_key.as_ref(), config.key_file.as_deref())? {
                Some(key) => key,
                // Nothing is sealed yet, so any key will do.
                None if store.list_keys().await?.is_empty() => {
                    folder.draw_key(environment.entropy.as_ref())?
                }
                None => return Err(DataFolderError::KeyMissing(folder.server_key()).into()),
            };
        let parts = Parts { config, base, environment, store, root_key };
        Ok(Self { state: AppState::new(parts).await?, folder, database })
    }

    /// Takes the lock of the one process that serves this folder's database. One that is shared
    /// needs none.
    pub fn lock(&self) -> Result<Option<ServeLock>, NodeError> {
        Ok(match self.database {
            Database::Embedded(..) => Some(self.folder.lock()?),
            Database::Shared(_) => None,
        })
    }

    /// Serves until `stop` is done, then finishes what is in flight, writes what was noted, and
    /// closes the database.
    pub async fn serve(
        self,
        bound: Bound,
        lock: Option<ServeLock>,
        metrics: Option<PrometheusHandle>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), NodeError> {
        let (stop_jobs, signal) = StopSignal::new();
        let jobs = jobs::start(&self.state, metrics.clone(), bound.tls, &signal);
        let limits = self.state.config.limits.clone();
        let mut metrics_served = tokio::task::JoinSet::new();
        if let (Some(address), Some(handle)) = (self.state.config.metrics.listen, metrics) {
            let listener =
                listen::bind(address).map_err(|error| NodeError::Listen { address, error })?;
            let (database, state) = (self.database.clone(), self.state.clone());
            let sample = move || {
                database.sample();
                state.freshness.sample();
            };
            let router = telemetry::metrics_router(handle, sample);
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
        self.database.close().await;
    }
}
