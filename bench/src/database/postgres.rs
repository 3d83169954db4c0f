//! A database in a PostgreSQL server, which the benchmarks start for themselves and whose tables
//! stay for the next run.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Pid;
use tokenry_postgres_testing::Server;

use super::Expired;
use crate::machine::{self, Cores};

/// What differs from the server's defaults, beside its address: memory for tables that a machine of
/// this kind would give it, and room for the log so that checkpoints come by time. Every commit
/// waits for the disk.
const SETTINGS: [&str; 7] = [
    "shared_buffers = 512MB",
    "max_wal_size = 2GB",
    "fsync = on",
    "synchronous_commit = on",
    "full_page_writes = on",
    "autovacuum_naptime = 1min",
    "max_connections = 200",
];
/// The first version that copies a database by way of its log unless it is told otherwise.
const COPIES_BY_LOG: u32 = 150_000;

/// A server, with all its processes on the servers' core.
#[derive(Clone)]
pub(crate) struct Cluster {
    server: Arc<Server>,
    first: Pid,
}

impl Cluster {
    /// Starts the server of this folder, which is made if it is not there yet.
    pub(crate) fn start(folder: &Path, cores: Cores) -> Result<Self> {
        let server = cores.on_core_of_servers(|| Server::start_kept(folder, &SETTINGS))?;
        let first = i32::try_from(server.process()).ok().and_then(Pid::from_raw);
        let first = first.context("the database's server has no process")?;
        Ok(Self { server: Arc::new(server), first })
    }

    /// What the database is.
    pub(crate) fn version(&self) -> String {
        let version = self.server.query("SHOW server_version");
        format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default())
    }

    /// The settings that say how it was run.
    pub(crate) fn settings() -> String {
        SETTINGS.join(", ")
    }

    /// Halts all its processes, so that nothing that it does in the background is charged to
    /// somebody else's turn.
    pub(crate) fn pause(&self) {
        self.server.freeze();
    }

    /// Lets them go on.
    pub(crate) fn resume(&self) {
        self.server.thaw();
    }

    /// Processor time that all its processes have used, those included that have ended.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        machine::processor_time_of_family(self.first)
    }

    /// Memory of all its processes, what they share counted once, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        machine::shared_memory_of_family(self.first)
    }

    /// Bytes of log that were ever written.
    pub(crate) fn log_written(&self) -> Result<u64> {
        let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')";
        Ok(self.server.query(position).parse()?)
    }

    /// The server's own folder, which its programs may write to.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.server.folder()
    }

    /// Brings everything to the disk, so that the next checkpoint comes late.
    pub(crate) fn checkpoint(&self) {
        self.server.execute("CHECKPOINT");
    }
}

/// A database in it.
#[derive(Clone)]
pub(crate) struct Postgres {
    /// The server.
    pub(crate) cluster: Cluster,
    name: String,
}

impl Postgres {
    pub(crate) const fn new(cluster: Cluster, name: String) -> Self {
        Self { cluster, name }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.cluster.server.url_of(&self.name)
    }

    /// Runs a statement in it, and gives the rows, one a line.
    pub(crate) fn query(&self, sql: &str) -> String {
        self.cluster.server.query_in(&self.name, sql)
    }

    fn run(&self, sql: &str) {
        self.cluster.server.execute(sql);
    }

    pub(crate) fn remove(&self) {
        // Its connections as well: whoever used it has ended, or is about to.
        self.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }

    pub(crate) fn renew(&self) {
        self.remove();
        self.run(&format!("CREATE DATABASE {}", self.name));
    }

    pub(super) fn rename(&self, to: &Self) {
        self.run(&format!("ALTER DATABASE {} RENAME TO {}", self.name, to.name));
    }

    pub(super) fn copy(&self, from: &Self) {
        self.remove();
        let version: u32 = self.query_of_server("SHOW server_version_num").parse().unwrap_or(0);
        let strategy = if version >= COPIES_BY_LOG { " STRATEGY FILE_COPY" } else { "" };
        self.run(&format!("CREATE DATABASE {} TEMPLATE {}{strategy}", self.name, from.name));
        self.cluster.checkpoint();
    }

    fn query_of_server(&self, sql: &str) -> String {
        self.cluster.server.query(sql)
    }

    pub(super) fn settle(&self) {
        self.query("VACUUM (ANALYZE)");
        self.cluster.checkpoint();
    }

    fn exists(&self) -> bool {
        let found = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", self.name);
        self.query_of_server(&found) == "1"
    }

    /// Empty when it is not there at all.
    pub(super) fn schema(&self) -> String {
        if !self.exists() {
            return String::new();
        }
        self.query(
            "SELECT string_agg(line, ';' ORDER BY line) FROM (\
             SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, \
             is_nullable) AS line FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT concat_ws(' ', relname, reloptions) FROM pg_class \
             WHERE relnamespace = 'public'::regnamespace) AS lines",
        )
    }

    pub(super) fn size(&self) -> Result<u64> {
        let size = format!("SELECT pg_database_size('{}')", self.name);
        Ok(self.query_of_server(&size).parse()?)
    }

    /// Bytes of the table of tokens without its indexes, and of its indexes.
    pub(crate) fn sizes_of_tokens(&self) -> Result<(u64, u64)> {
        let bytes = |function: &str| -> Result<u64> {
            Ok(self.query(&format!("SELECT {function}('tokens')")).parse()?)
        };
        Ok((bytes("pg_table_size")?, bytes("pg_indexes_size")?))
    }

    /// The last id among them.
    pub(super) fn expire(&self, tokens: u64, one_in: u64) -> Result<u64> {
        let until = format!(
            "SELECT max(id) FROM (SELECT id FROM tokens ORDER BY id LIMIT {tokens}) AS first"
        );
        let until = self.query(&until).parse()?;
        self.query(&format!(
            "UPDATE tokens SET issued_at = 0, access_lifetime = 1 \
             WHERE id <= {until} AND id % {one_in} = 0"
        ));
        self.settle();
        Ok(until)
    }

    pub(super) fn left_of(&self, expired: Expired) -> Result<u64> {
        let Expired { one_in, until } = expired;
        let count =
            format!("SELECT count(*) FROM tokens WHERE id <= {until} AND id % {one_in} = 0");
        Ok(self.query(&count).parse()?)
    }
}
