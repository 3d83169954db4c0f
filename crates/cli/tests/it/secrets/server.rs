//! The real binary at the log level that tells most, with metrics, and on demand with a store that
//! cannot write.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

use super::{
    cast::Cast,
    wire::{self, Request},
};
use crate::process::tokenry;

const READY: &str = "Tokenry serves http://";

/// Whether the database takes writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Work,
    /// The database's log has reached the largest size that the process may write, as on a full
    /// disk.
    Fail,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: String,
    metrics: String,
    log: Option<JoinHandle<Vec<u8>>>,
}

impl Server {
    pub(crate) fn start(folder: &Path, log_format: &str, writes: Writes) -> Self {
        // All of 127/8 is this machine: an address of its own needs no free port.
        let id = std::process::id();
        let metrics = format!("127.77.{}.{}:9464", (id >> 8) & 0xFF, (id & 0xFF).clamp(1, 254));
        let serve = tokenry(folder, &["serve", "--listen", "127.0.0.1:0"]);
        let mut command = match writes {
            Writes::Work => serve,
            Writes::Fail => limited(&serve),
        };
        command.env("TOKENRY_METRICS_LISTEN", &metrics);
        command.env("TOKENRY_LOG_FILTER", "trace").env("TOKENRY_LOG_FORMAT", log_format);
        command.env("TOKENRY_RECORD_API_PASSWORD_ACCESS", "true");
        // One run refuses secrets in the query, the other one reads them.
        let reads_query = if writes == Writes::Fail { "on" } else { "off" };
        command.env("TOKENRY_TOKENS_PARAMETERS_IN_QUERY", reads_query);
        command.env("TOKENRY_RECORD_API_TOKEN_IN_QUERY", reads_query);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = Vec::new();
            stderr.read_to_end(&mut log).unwrap();
            log
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix(READY).map(str::to_owned));
        let address = address.expect("the server says where it is");
        Self { child, address, metrics, log: Some(log) }
    }

    pub(crate) fn send(&self, request: &Request) -> Vec<u8> {
        wire::send(&self.address, request)
    }

    pub(crate) fn metrics(&self) -> Vec<u8> {
        wire::send(&self.metrics, &wire::request("GET", "/metrics"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes until the limit is reached.
    pub(crate) fn wait_until_writes_fail(&self, cast: &Cast) {
        for _ in 0..2_000 {
            let answer = self.send(&cast.client_credentials());
            match wire::status(&answer) {
                200 => {}
                503 => return,
                status => panic!("{status}: {}", wire::body(&answer)),
            }
        }
        panic!("the store still takes writes");
    }

    /// Ends it; all that it logged.
    pub(crate) fn stop(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, and then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command with a limit on the size of files, whose signal is ignored: writes past it
/// fail as on a full disk.
fn limited(command: &Command) -> Command {
    const SCRIPT: &str = "trap '' XFSZ; ulimit -f 512; exec \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", SCRIPT, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

/// What `check-config` prints when the root key is given by the environment.
pub(crate) fn check_config(folder: &Path, root_key: &str) -> String {
    let mut command = tokenry(folder, &["check-config"]);
    let output = command.env("TOKENRY_SERVER_KEY", root_key).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
}

/// The root key as its file holds it.
pub(crate) fn root_key(folder: &Path) -> String {
    fs::read_to_string(folder.join("data/server.key")).unwrap().trim().to_owned()
}
