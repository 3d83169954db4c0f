//! The real binary on a folder that outlives it.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use serde_json::Value;

const READY: &str = "Tokenry serves ";

/// A running server.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
}

/// Today's binary.
pub(crate) const TOKENRY: &str = env!("CARGO_BIN_EXE_tokenry");

/// `tokenry` on this folder, with no setting of the surroundings, and without limits.
pub(crate) fn tokenry(folder: &Path, arguments: &[&str]) -> Command {
    program(TOKENRY, folder, arguments)
}

/// The same with the binary of any version.
pub(crate) fn program(binary: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOKENRY_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).arg("--data").arg(folder.join("data"));
    command.env("TOKENRY_RATE_LIMITS", "off");
    command
}

/// Makes the folder; what `init` printed.
pub(crate) fn init(folder: &Path) -> Value {
    let output = tokenry(folder, &["init", "--admin-email", "ada@acme.test", "--json"]);
    let output = { output }.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Process {
    /// Starts a server and waits until it serves.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same with settings in the environment.
    pub(crate) fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_program(TOKENRY, "127.0.0.1:0", folder, settings)
    }

    /// The same at an address that may have a port of one's own choice: then `base` leads there,
    /// whatever base address the settings announce to clients.
    pub(crate) fn start_at(address: &str, folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_program(TOKENRY, address, folder, settings)
    }

    /// The same with the binary of any version.
    pub(crate) fn start_program(
        binary: &str,
        address: &str,
        folder: &Path,
        settings: &[(&str, &str)],
    ) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        let mut child = program(binary, folder, &["serve", "--listen", address])
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(READY).map(str::to_owned));
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let ready = ready.unwrap_or_else(|| panic!("the server did not start:\n{}", log()));
        let base = if address.ends_with(":0") { ready } else { format!("http://{address}") };
        Self { child, log: folder.join("log"), base }
    }

    /// Waits until it ends by itself: how it does.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// `SIGKILL`: no goodbye, no flush.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How much memory it holds, in bytes. Linux tells.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends it a signal, such as `-STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged, and whoever served its folder before it.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `SIGTERM`: ends with status 0.
    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

/// The last lines of the log that a failed test shows.
const LOG_LINES: usize = 12;

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            println!("the server's last words:\n{}", last.join("\n"));
        }
        // Both fail when it has ended already, and then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
