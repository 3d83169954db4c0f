//! A database of either engine, whoever serves it, and commands on it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, tokenry};

/// A database, and the folder of whoever serves it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    /// The address of a shared one.
    pub(crate) store: Option<String>,
    /// The key, where it is not in the folder.
    pub(crate) key: Option<PathBuf>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: None, key: None }
    }

    /// A schema whose connections have a name of their own: other tests' are open to the same
    /// database.
    pub(crate) fn postgres() -> Self {
        let url = tokenry_postgres_testing::schema();
        let name = url.rsplit("%3D").next().unwrap().to_owned();
        let store = Some(format!("{url}&application_name={name}"));
        Self { store, ..Self::sqlite() }
    }

    /// Serves with the key of another one.
    pub(crate) fn with_key_of(self, other: &Self) -> Self {
        let key = other.key.clone().unwrap_or_else(|| other.path().join("data/server.key"));
        Self { key: Some(key), ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let store = self.store.as_deref().map(|store| ("TOKENRY_STORE", store));
        let key = self.key.as_ref().map(|key| ("TOKENRY_KEY_FILE", key.to_str().unwrap()));
        store.into_iter().chain(key).collect()
    }

    pub(crate) fn init(&self) -> Value {
        let init = ["init", "--admin-email", "ada@acme.test", "--json"];
        let made = tokenry(self.path(), &init).envs(self.settings()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        serde_json::from_slice(&made.stdout).unwrap()
    }

    pub(crate) fn serve(&self) -> Process {
        Process::start_with(self.path(), &self.settings())
    }

    /// How it refuses to start.
    pub(crate) fn refused_to_serve(&self) -> String {
        let mut serve = tokenry(self.path(), &["serve", "--listen", "127.0.0.1:0"]);
        failure(&serve.envs(self.settings()).output().unwrap())
    }

    pub(crate) fn schema(&self) -> &str {
        self.store.as_deref().unwrap().rsplit('=').next().unwrap()
    }

    /// Runs a statement from outside.
    pub(crate) fn execute(&self, sql: &str) {
        let sql = format!("SET search_path = {}; {sql}", self.schema());
        tokenry_postgres_testing::shared().execute(&sql);
    }

    /// Tokens of a shared database, or bytes of a file.
    pub(crate) fn size(&self) -> u64 {
        if self.store.is_some() {
            let is_there = format!("SELECT to_regclass('{}.tokens') IS NOT NULL", self.schema());
            let server = tokenry_postgres_testing::shared();
            if server.query(&is_there) == "f" {
                return 0;
            }
            let count = format!("SELECT count(*) FROM {}.tokens", self.schema());
            return server.query(&count).parse().unwrap();
        }
        let size = |name: &str| std::fs::metadata(self.path().join("data").join(name));
        let files = ["tokenry.db", "tokenry.db-wal"].map(size);
        files.iter().flatten().map(std::fs::Metadata::len).sum()
    }

    /// As `--from` and `--to` take it.
    pub(crate) fn address(&self) -> String {
        let folder = self.path().join("data");
        self.store.clone().unwrap_or_else(|| format!("sqlite:{}", folder.display()))
    }

    /// A command on this database, with its settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tokenry(self.path(), arguments);
        command.envs(self.settings());
        command
    }

    /// What it says as JSON when it succeeds.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let done = self.command(arguments).arg("--json").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// How it fails.
    #[track_caller]
    pub(crate) fn refuse(&self, arguments: &[&str]) -> String {
        failure(&self.command(arguments).output().unwrap())
    }

    /// Adds so many tokens that somebody made, behind the first million.
    pub(crate) fn fill(&self, tokens: u64) {
        self.execute(&format!(
            "INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, \
             hash, issued_at) SELECT 1000000 + id, 1, 1, 2, 1, 0, 'read', \
             decode(repeat('00', 32), 'hex'), 0 FROM generate_series(1, {tokens}) AS number (id)"
        ));
    }
}

/// Runs a command and kills it at a certain moment, before it has done all that it is to do.
#[track_caller]
pub(crate) fn kill_when(mut command: Command, is_reached: impl Fn() -> bool) {
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !is_reached() {
        assert!(running.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    running.kill().unwrap();
    // It may have come to its end since it was looked at.
    let ended = running.wait().unwrap();
    assert!(ended.code().is_none(), "it ended before it was killed: {ended}");
}

/// What went wrong, in one piece of text.
pub(crate) fn failure(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
