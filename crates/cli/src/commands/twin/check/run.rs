//! One run of the command, with the surroundings that a case gives it.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tokenry_twin::connect::{ConnectionDetails, LOOPBACK, NO_PROXY, zendesk_host};

use super::{
    evidence::Ended,
    offspring::{Family, Running},
};

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
    /// What it starts belongs there.
    pub(super) family: Family,
}

/// The command is none that can be started.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", program.display())]
pub(super) struct Unstartable {
    program: OsString,
    error: std::io::Error,
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
        let running = Running::new(self.spawn(details, case, file)?, &self.family)?;
        let in_time = tokio::time::timeout(self.limit, running.ended()).await;
        let status = running.end()?;
        Ok(in_time.map_or(Ended::TimedOut(self.limit), |()| ended(status)))
    }

    fn spawn(
        &self,
        details: &ConnectionDetails,
        case: &str,
        output: File,
    ) -> anyhow::Result<Child> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let begins = |prefix: &&str| name.to_string_lossy().starts_with(*prefix);
            if CONNECTION_PREFIXES.iter().any(begins) {
                command.env_remove(name);
            }
        }
        for variable in &details.variables {
            command.env(variable.name, &variable.value);
        }
        let stands_for = details.https.is_some().then(|| zendesk_host(&details.subdomain));
        for name in NO_PROXY {
            let own = [name].into_iter().chain(NO_PROXY).find_map(set);
            command.env(name, without_proxy(own.as_deref(), stands_for.as_deref()));
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
        let program = || program.to_owned();
        Ok(command.spawn().map_err(|error| Unstartable { program: program(), error })?)
    }
}

/// A variable that says something.
fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The hosts that no proxy stands before, and the twin's as well.
fn without_proxy(own: Option<&OsStr>, stands_for: Option<&str>) -> OsString {
    // No proxy at all; with others beside it, the star is not understood everywhere.
    if let (Some(own), None) = (own, stands_for)
        && own == "*"
    {
        return own.to_owned();
    }
    let own = own.unwrap_or_default().to_string_lossy();
    // Some read spaces as commas.
    let own = own.split([',', ' ']);
    let own = own.filter(|it| !it.is_empty() && !stands_for.is_some_and(|host| covers(it, host)));
    let mut hosts: Vec<_> = own.collect();
    for host in LOOPBACK {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts.join(",").into()
}

/// Whether an entry of such a list has a host reached without the proxy, as anybody reads it.
fn covers(entry: &str, host: &str) -> bool {
    let name = entry.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let name = name.trim_start_matches('*').trim_start_matches('.');
    let under = host.strip_suffix(name);
    under.is_some_and(|rest| rest.is_empty() || name.is_empty() || rest.ends_with('.'))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_stands_before_the_twin_and_what_was_there_stays() {
        for (own, all) in [
            ("", "127.0.0.1,localhost"),
            ("corp.example,.lan", "corp.example,.lan,127.0.0.1,localhost"),
            ("a.test, localhost", "a.test,localhost,127.0.0.1"),
            ("127.0.0.1,localhost", "127.0.0.1,localhost"),
            ("127.0.0.10", "127.0.0.10,127.0.0.1,localhost"),
            (".zendesk.com", ".zendesk.com,127.0.0.1,localhost"),
            ("*", "*"),
        ] {
            assert_eq!(without_proxy(Some(own.as_ref()), None), all);
        }
        assert_eq!(without_proxy(None, None), "127.0.0.1,localhost");
    }

    #[test]
    fn no_list_of_ones_own_leads_past_the_proxy_to_the_real_account() {
        for (own, kept) in [
            ("corp.example, .lan", "corp.example,.lan,"),
            (
                "evil-acme.zendesk.com,k.com,acme.zendesk.com.lan",
                "evil-acme.zendesk.com,k.com,\
              acme.zendesk.com.lan,",
            ),
            ("*", ""),
            ("*,corp.example", "corp.example,"),
            ("*.zendesk.com", ""),
            (".zendesk.com,corp.example", "corp.example,"),
            ("corp.example .zendesk.com", "corp.example,"),
            ("Zendesk.com", ""),
            ("acme.zendesk.com:443", ""),
            ("com", ""),
        ] {
            let all = without_proxy(Some(own.as_ref()), Some("acme.zendesk.com"));
            assert_eq!(all, *format!("{kept}127.0.0.1,localhost"), "{own}");
        }
    }
}
