//! One run of the command, with the surroundings that a case gives it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokenry_twin::connect::ConnectionDetails;
use tokio::process::{Child, Command};

use super::evidence::Ended;
use crate::{exit_code::Exit, failure::Failure};

/// As much of what a command wrote as is looked at: its end.
const READ_MAX: u64 = 64 << 10;
/// Variables that say where a client connects to and as whom. The caller's own must not lead a test
/// to the real account.
const CONNECTION_PREFIXES: [&str; 2] = ["ZENDESK_", "TOKENRY_CLIENT_"];

/// What is run, and how long it may take.
pub(super) struct Runner<'a> {
    /// The command, with its arguments.
    pub(super) command: &'a [OsString],
    /// How long it may take.
    pub(super) limit: Duration,
}

impl Runner<'_> {
    /// Runs it once, with both its outputs into a file. Stopping this kills what it has started.
    pub(super) async fn run(
        &self,
        details: &ConnectionDetails,
        case: &str,
        output: &Path,
    ) -> anyhow::Result<Ended> {
        let file = File::create(output).with_context(|| output.display().to_string())?;
        let mut running = Group(self.spawn(details, case, file)?);
        match tokio::time::timeout(self.limit, running.0.wait()).await {
            Ok(status) => Ok(ended(status?)),
            Err(_) => Ok(Ended::TimedOut(self.limit)),
        }
    }

    fn spawn(
        &self,
        details: &ConnectionDetails,
        case: &str,
        output: File,
    ) -> anyhow::Result<Child> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let begins = |prefix: &&str| name.to_string_lossy().starts_with(*prefix);
            if CONNECTION_PREFIXES.iter().any(begins) {
                command.env_remove(name);
            }
        }
        for variable in &details.variables {
            command.env(variable.name, &variable.value);
        }
        command
            .args(arguments)
            .env("TWIN_URL", &details.base_url)
            .env("TWIN_CASE", case)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // What it starts goes down with it, and Ctrl-C comes to us alone.
            .process_group(0);
        command.spawn().map_err(|error| {
            let told = format!("{}: {error}", program.display());
            let hint = "write the command behind --, as you would run it in this folder";
            Failure::new(Exit::Usage, told).hint(hint).into()
        })
    }
}

/// A command and what it has started, which end together.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There is no id any more when it has ended by itself.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended just now.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

/// The end of what a command wrote.
pub(super) fn written(output: &Path) -> anyhow::Result<String> {
    let read = || {
        let mut file = File::open(output)?;
        let length = fs::metadata(output)?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(READ_MAX)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().with_context(|| output.display().to_string())
}
