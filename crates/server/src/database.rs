//! The database that the configuration names: the embedded one in the data folder, or one that
//! several nodes share.

use std::{path::PathBuf, sync::Arc};

use tokenry_store::{
    Schema, Store, StoreError,
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    sqlite::{SqliteStore, StoreOptions},
};

use crate::{
    config::Config,
    data_folder::{DataFolder, DataFolderError, SharedLock},
};

/// Why it cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder of the embedded one.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The embedded one.
    #[error("{path}: {error}")]
    Embedded {
        /// Where it is.
        path: PathBuf,
        /// What happened.
        error: StoreError,
    },
    /// A shared one.
    #[error("{address}: {error}")]
    Shared {
        /// Where it is, without a password.
        address: String,
        /// What happened.
        error: StoreError,
    },
}

impl DatabaseError {
    /// Whether it may be there if one tries again.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Shared { error: StoreError::Unavailable(_), .. })
    }
}

/// What the configuration allows of a shared database.
pub fn postgres_options(config: &Config) -> PostgresOptions {
    let settings = &config.postgres;
    PostgresOptions {
        connections: settings.connections,
        queue_max: settings.queue_max,
        call_timeout: settings.call_timeout,
        connect_timeout: settings.connect_timeout,
        ..PostgresOptions::default()
    }
}

/// An open database.
#[derive(Clone)]
pub enum Database {
    /// One file, one node, and nobody who fills it meanwhile.
    Embedded(Arc<SqliteStore>, Arc<SharedLock>),
    /// As many nodes as one likes.
    Shared(Arc<PostgresStore>),
}

impl Database {
    /// Opens what the configuration names. A shared one that is away is an error.
    pub async fn open(folder: &DataFolder, config: &Config) -> Result<Self, DatabaseError> {
        match &config.store {
            Some(address) => Self::open_shared(address, config).await,
            None => Self::open_embedded(folder, config),
        }
    }

    /// Looks at the schema of what the configuration names, and changes nothing. What cannot be
    /// opened is an error.
    pub async fn schema(folder: &DataFolder, config: &Config) -> Result<Schema, DatabaseError> {
        let Some(address) = &config.store else {
            let path = folder.database();
            let schema = SqliteStore::schema(&path);
            return schema.map_err(|error| DatabaseError::Embedded { path, error });
        };
        let schema = PostgresStore::schema(address.clone(), postgres_options(config)).await;
        schema.map_err(|error| DatabaseError::Shared { address: address.redacted(), error })
    }

    fn open_embedded(folder: &DataFolder, config: &Config) -> Result<Self, DatabaseError> {
        let path = folder.database();
        let settings = &config.sqlite;
        let options = StoreOptions {
            readers: settings.readers,
            read_queue_max: settings.read_queue_max,
            write_queue_max: settings.write_queue_max,
            cache_size: settings.cache_size,
            ..StoreOptions::default()
        };
        let lock = folder.lock_shared()?;
        let store = SqliteStore::open(&path, options);
        let store = store.map_err(|error| DatabaseError::Embedded { path, error })?;
        Ok(Self::Embedded(Arc::new(store), Arc::new(lock)))
    }

    async fn open_shared(
        address: &PostgresAddress,
        config: &Config,
    ) -> Result<Self, DatabaseError> {
        let store = PostgresStore::open(address.clone(), postgres_options(config)).await;
        let shared = |error| DatabaseError::Shared { address: address.redacted(), error };
        Ok(Self::Shared(Arc::new(store.map_err(shared)?)))
    }

    /// As everybody else sees it.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store, _) => Arc::clone(store) as _,
            Self::Shared(store) => Arc::clone(store) as _,
        }
    }

    /// Finishes what is queued, and closes it.
    pub async fn close(&self) {
        match self {
            Self::Embedded(store, _) => store.close().await,
            Self::Shared(store) => store.close().await,
        }
    }

    /// Tells the metrics what it has done and what waits.
    pub fn sample(&self) {
        let queued = |queue, waiting| {
            let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
            metrics::gauge!("tokenry_store_queued", "queue" => queue).set(waiting);
        };
        match self {
            Self::Embedded(store, _) => {
                let statistics = store.statistics();
                metrics::counter!("tokenry_store_commits_total").absolute(statistics.commits);
                metrics::counter!("tokenry_store_events_total").absolute(statistics.events);
                queued("writes", statistics.writes_queued);
                queued("reads", statistics.reads_queued);
            }
            Self::Shared(store) => {
                let statistics = store.statistics();
                metrics::counter!("tokenry_store_calls_total").absolute(statistics.calls);
                let connections = u32::try_from(statistics.connections).unwrap_or(u32::MAX);
                metrics::gauge!("tokenry_store_connections").set(connections);
                queued("connections", statistics.waiting);
                queued("batches", statistics.queued);
            }
        }
    }
}
