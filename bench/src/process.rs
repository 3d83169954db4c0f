//! The processes that are measured: Tokenry and the references, on the servers' core.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    database::Folder,
    machine::{self, Cores},
    measure::{Party, Used},
    reference::{self, FixedAnswer, Write},
};

/// How the line begins in which a twin says where it is.
const TWIN_READY: &str = "{\"base_url\":\"http://";
const TOKENRY_READY: &str = "Tokenry serves http://";

/// A running server; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    id: Pid,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// What is needed to start processes.
pub(crate) struct Programs {
    /// The binary that is measured.
    pub(crate) tokenry: PathBuf,
    /// Which core is whose.
    pub(crate) cores: Cores,
}

impl Programs {
    /// `tokenry` with this data folder, its database, and no other setting of the surroundings.
    pub(crate) fn tokenry(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tokenry);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TOKENRY_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).arg("--data").arg(&folder.path);
        command.envs(folder.store().map(|url| ("TOKENRY_STORE", url)));
        command
    }

    /// Serves a data folder as it comes, with everything on, metrics included.
    pub(crate) fn serve(&self, folder: &Folder, settings: &[(&str, &str)]) -> Result<Process> {
        let mut command = self.serving(folder, "127.0.0.1:0")?;
        command.envs(settings.iter().copied());
        self.start(command, TOKENRY_READY)
    }

    /// The same on a port that is free, without waiting until it serves.
    pub(crate) fn spawn(&self, folder: &Folder, address: SocketAddr) -> Result<Process> {
        let mut command = self.serving(folder, &address.to_string())?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = self.cores.on_core_of_servers(|| command.spawn())??;
        Ok(Process { id: id_of(&child)?, child, address })
    }

    /// A twin in memory, on any free port, once it serves.
    pub(crate) fn twin(&self) -> Result<Process> {
        let mut command = Command::new(&self.tokenry);
        command.args(["twin", "--port", "0", "--json"]);
        self.start(command, TWIN_READY)
    }

    fn serving(&self, folder: &Folder, listen: &str) -> Result<Command> {
        let log = folder.path.with_extension("log");
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = self.tokenry(folder, &["serve", "--listen", listen]);
        command.env("TOKENRY_METRICS_LISTEN", "127.0.0.1:0").stderr(log);
        Ok(command)
    }

    /// A reference that gives this answer; a durable one, if `write` says so.
    pub(crate) fn reference(
        &self,
        folder: &Path,
        answer: &FixedAnswer,
        write: Option<Write>,
    ) -> Result<Process> {
        let file = folder.join("answer.json");
        fs::write(&file, serde_json::to_vec(answer)?)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("reference").arg("--answer").arg(&file);
        if let Some(write) = write {
            let database = folder.join("reference.db");
            remove_database(&database)?;
            command.arg("--database").arg(&database).args(["--write", write.word()]);
        }
        self.start(command, reference::READY)
    }

    fn start(&self, mut command: Command, ready: &str) -> Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let started = self.cores.on_core_of_servers(|| command.spawn())?;
        let mut child = started.with_context(|| format!("{command:?}"))?;
        let id = id_of(&child)?;
        let lines = child.stdout.take().map(|output| BufReader::new(output).lines());
        let lines = lines.context("no standard output")?;
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(ready)?.split('"').next()?.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            bail!("{command:?} did not start: {}", child.wait()?);
        };
        Ok(Process { child, id, address })
    }
}

/// The process id of a child.
fn id_of(child: &Child) -> Result<Pid> {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    id.context("a child without a process id")
}

/// A database with its log.
fn remove_database(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

impl Party for Process {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn used(&self) -> Result<Used> {
        Ok(Used { server: self.processor_time()?, ..Used::default() })
    }

    fn pause(&self) -> Result<()> {
        Ok(kill_process(self.id, Signal::STOP)?)
    }

    fn resume(&self) -> Result<()> {
        Ok(kill_process(self.id, Signal::CONT)?)
    }
}

impl Process {
    /// Processor time used so far.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        machine::processor_time(self.id)
    }

    /// Memory held, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        machine::resident(self.id)
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.resume()?;
        kill_process(self.id, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server did not end in order: {status}");
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it has ended already, and then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
