//! The real binary, as an operator runs it: `init`, `serve`, `user create`, SIGTERM.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

/// What `serve` prints once it accepts connections, before the address.
const READY: &str = "Tokenry serves ";

/// A running server; it is ended with the value, without grace.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    /// The address of the database, if it is not in the folder.
    store: Option<String>,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// What `init` printed: `email`, `password`, `api_token`.
    pub(crate) admin: Value,
}

impl Server {
    /// A new folder and its first administrator, served on a free port of the loopback.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let store = tokenry_postgres_testing::schema_if_chosen();
        let tokenry = |arguments: &[&str]| tokenry(&data, store.as_deref(), arguments);
        let admin = answer(tokenry(&["init", "--admin-email", "ada@acme.test", "--json"]));
        let log = File::create(folder.path().join("log")).unwrap();
        let mut process = tokenry(&["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = printed.by_ref().map_while(Result::ok).find(|line| line.starts_with(READY));
        let Some(base) = ready.as_deref().and_then(|line| line.strip_prefix(READY)) else {
            panic!("serve ended before it was ready:\n{}", log_of(folder.path()));
        };
        // Read on, so that a full pipe never stops the server.
        thread::spawn(move || printed.map_while(Result::ok).for_each(drop));
        Self { process, base: base.trim().to_owned(), admin, store, folder }
    }

    /// Makes a user in a second process, beside the running server. What it printed.
    pub(crate) fn create_user(&self, email: &str, name: &str, role: &str) -> Value {
        let data = self.folder.path().join("data");
        let arguments = ["--email", email, "--name", name, "--role", role, "--json"];
        let store = self.store.as_deref();
        answer(tokenry(&data, store, &["user", "create"]).args(arguments))
    }

    /// A folder for files of the test, gone with the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server logged so far.
    pub(crate) fn log(&self) -> String {
        log_of(self.folder.path())
    }

    /// Asks it to end, as a service manager does; it ends with status 0.
    pub(crate) fn stop(mut self) {
        let terminate = format!("kill -TERM {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &terminate]).status().unwrap().success());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "SIGTERM ended the server with {status}:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, and then there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `tokenry` on this folder and database, with no setting of the surroundings, and without limits.
fn tokenry(data: &Path, store: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenry"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOKENRY_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).arg("--data").arg(data).env("TOKENRY_RATE_LIMITS", "off");
    command.envs(store.map(|store| ("TOKENRY_STORE", store)));
    command
}

/// Runs it to its end; the one JSON object that it prints.
fn answer(mut command: impl std::borrow::BorrowMut<Command>) -> Value {
    let command = command.borrow_mut();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let reason = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{reason}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}
