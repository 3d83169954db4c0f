//! A server: its folder, its port, and what tests do to it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    next_schema,
    programs::{self, program},
    watchdog::{Afterwards, Watchdog},
};

/// How often another port is tried when somebody else was faster.
const PORTS_MAX: usize = 5;
/// A standby is there by then, also on a machine that has much else to do.
const FOLLOWS_IN: Duration = Duration::from_secs(60);
/// How often somebody who waits for it looks.
const LOOK: Duration = Duration::from_millis(10);

/// A running server, which ends when it is dropped.
pub struct Server {
    pub(crate) folder: PathBuf,
    port: u16,
    _watchdog: Watchdog,
}

impl Server {
    /// Starts one with the settings that tests share. Commits wait for the disk, as in earnest.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one that offers TLS, with a certificate and its key in PEM.
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::start_in(folder(), &["ssl = on"], |data| {
            for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
                let to = data.join(to);
                fs::copy(from, &to).expect("a copy of the certificate and its key");
                // It refuses a key that others may read.
                fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("its owner's");
                if let Some(account) = programs::account() {
                    own(&to, account);
                }
            }
        })
    }

    /// Starts one with more settings, as `name = value`.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_in(folder(), settings, |_| ())
    }

    fn start_in(folder: PathBuf, settings: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let watchdog = Watchdog::start(&folder, Afterwards::Removed).expect("a shell");
        Self::run(folder, settings, watchdog, prepare)
    }

    /// Starts the server of a folder, which is made ready first if it is empty.
    pub(crate) fn run(
        folder: PathBuf,
        settings: &[&str],
        watchdog: Watchdog,
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let data = folder.join("data");
        if !data.join("postgresql.auto.conf").exists() {
            let mut initdb = program("initdb");
            initdb.arg("-D").arg(&data).args(["-U", "tokenry", "--auth=trust", "--encoding=UTF8"]);
            // The new files are durable soon enough: with the first checkpoint.
            succeed(initdb.args(["--locale=C", "--no-sync"]));
        }
        let more = settings.join("\n");
        let written = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = on\n\
             max_connections = 200\nshared_buffers = 64MB\nautovacuum_naptime = 5s\n{more}\n"
        );
        let configuration = data.join("postgresql.auto.conf");
        fs::write(&configuration, written).expect("the settings can be written");
        prepare(&data);
        let mut server = Self { folder, port: 0, _watchdog: watchdog };
        server.start_somewhere();
        server
    }

    /// Takes a port, and starts what the folder holds.
    fn start_somewhere(&mut self) {
        for _ in 0..PORTS_MAX {
            self.port = free_port();
            if self.try_start() {
                return;
            }
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}");
    }

    fn try_start(&self) -> bool {
        let mut start = self.control("start");
        start.arg("-l").arg(self.folder.join("log")).arg("-o").arg(format!("-p {}", self.port));
        start.args(["-w", "-t", "60"]).stdout(Stdio::null()).stderr(Stdio::null());
        start.status().is_ok_and(|status| status.success())
    }

    fn control(&self, what: &str) -> Command {
        let mut control = program("pg_ctl");
        control.arg(what).arg("-D").arg(self.data());
        control
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts a standby of `primary`, which answers no commit any more before the standby has it on
    /// its disk.
    pub fn start_standby(primary: &Self) -> Self {
        let folder = folder();
        let watchdog = Watchdog::start(&folder, Afterwards::Removed).expect("a shell");
        let mut standby = Self { folder, port: 0, _watchdog: watchdog };
        standby.copy(primary);
        standby.start_somewhere();
        standby.make_synchronous(primary);
        standby
    }

    /// Has one that has ended, and whose place another one took, begin again as the standby of that
    /// one, at its old port. What it had by itself is gone.
    pub fn rejoin(&self, primary: &Self) {
        fs::remove_dir_all(self.data()).expect("it has ended");
        self.copy(primary);
        self.start_again();
        self.make_synchronous(primary);
    }

    /// Makes a standby a primary, which has no standby itself.
    pub fn promote(&self) {
        succeed(self.control("promote").args(["-w", "-t", "60"]));
    }

    /// Fills the folder with what `primary` has, as its standby.
    fn copy(&self, primary: &Self) {
        let data = self.data();
        let from =
            format!("host=127.0.0.1 port={} user=tokenry application_name=standby", primary.port);
        let mut copy = program("pg_basebackup");
        copy.arg("-D").arg(&data).args(["-d", &from]);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        succeed(&mut copy);
        let configuration = data.join("postgresql.auto.conf");
        let mut written = fs::OpenOptions::new().append(true).open(configuration).expect("a copy");
        writeln!(written, "synchronous_standby_names = ''").expect("room for a line");
    }

    /// Waits until commits of `primary` wait for this one.
    fn make_synchronous(&self, primary: &Self) {
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        primary.execute("SELECT pg_reload_conf()");
        let began = Instant::now();
        while primary.query("SELECT sync_state FROM pg_stat_replication") != "sync" {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < FOLLOWS_IN, "the standby does not follow:\n{}", log());
            std::thread::sleep(LOOK);
        }
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The address of another database of this server.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://tokenry@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The address of a schema that nobody else uses, without tables.
    pub fn schema(&self) -> String {
        let name = next_schema();
        self.execute(&format!("CREATE SCHEMA {name}"));
        format!("{}&options=-csearch_path%3D{name}", self.url())
    }

    /// The same address with this server behind those that it names.
    pub fn added_to(&self, url: &str) -> String {
        let (servers, database) = url.split_once("/postgres?").expect("an address of a test's");
        format!("{servers},127.0.0.1:{}/postgres?{database}", self.port)
    }

    /// Runs statements from outside.
    pub fn execute(&self, sql: &str) {
        succeed(self.psql("postgres").args(["-c", sql]));
    }

    /// The values that a statement finds, a row a line.
    pub fn query(&self, sql: &str) -> String {
        self.query_in("postgres", sql)
    }

    /// The same in another database of this server.
    pub fn query_in(&self, database: &str, sql: &str) -> String {
        let told = self.psql(database).args(["-At", "-c", sql]).output().expect("psql");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    }

    /// Carries out statements in a transaction that stays open until what is returned is dropped.
    pub fn hold(&self, sql: &str) -> Held {
        let mut psql = self.psql("postgres");
        psql.arg("-At").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut psql = psql.spawn().expect("psql");
        let input = psql.stdin.as_mut().expect("a pipe");
        writeln!(input, "BEGIN; {sql}; SELECT 'held';").expect("psql reads");
        let mut said = BufReader::new(psql.stdout.take().expect("a pipe")).lines();
        assert!(said.any(|line| line.is_ok_and(|line| line == "held")), "{sql}");
        Held(psql)
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = program("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", self.url_of(database).as_str()]);
        psql
    }

    /// Ends it, and every call that is under way.
    pub fn stop(&self) {
        succeed(self.control("stop").args(["-m", "fast", "-w"]));
    }

    /// Ends it as a loss of power does: nothing is written any more.
    pub fn crash(&self) {
        succeed(self.control("stop").args(["-m", "immediate", "-w"]));
    }

    /// Starts it again, where it was.
    pub fn start_again(&self) {
        assert!(self.try_start(), "PostgreSQL does not start again");
    }

    /// Stops everything in it where it is: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// To the first process and all that it has started.
    fn signal(&self, signal: Signal) {
        let first = self.process().to_string();
        let told = Command::new("ps").args(["-o", "pid=", "--ppid", &first]).output().expect("ps");
        let children = String::from_utf8_lossy(&told.stdout).into_owned();
        for pid in std::iter::once(first.as_str()).chain(children.split_whitespace()) {
            let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process");
            // One that has ended meanwhile needs no signal.
            kill_process(pid, signal).ok();
        }
    }
}

/// A transaction that is open.
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A frozen one would not hear that it is to end.
        if self.data().join("postmaster.pid").exists() {
            self.thaw();
        }
    }
}

/// A folder that belongs to the user that the server runs as.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("tokenry-postgres-").tempdir();
    let folder = folder.expect("a temporary folder").keep();
    if let Some(account) = programs::account() {
        own(&folder, account);
    }
    folder
}

pub(crate) fn own(folder: &Path, account: programs::Account) {
    chown(folder, Some(account.user), Some(account.group)).expect("root may give folders away");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn succeed(command: &mut Command) {
    let told = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{command:?}: {errors}");
}
