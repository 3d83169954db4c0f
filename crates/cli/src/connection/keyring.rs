//! The keyring of the system, through the system's own tools. Secrets go through pipes: arguments
//! are seen by everybody on the machine.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::{Command, Output, Stdio},
};

use anyhow::Context as _;

use super::profile::Secrets;
use crate::{exit_code::Exit, failure::Failure};

/// Under what the keyring has secrets of ours.
const SERVICE: &str = "tokenry";

/// Keeps the secrets of a profile, in place of those before.
pub(super) fn store(profile: &str, secrets: &Secrets) -> anyhow::Result<()> {
    let text = serde_json::to_string(secrets)?;
    let output = if cfg!(target_os = "macos") {
        let name = quoted(profile);
        // In hexadecimal digits nothing has a meaning of its own.
        let mut command = format!("add-generic-password -U -s {SERVICE} -a {name} -X ");
        for byte in text.bytes() {
            write!(command, "{byte:02x}")?;
        }
        command.push('\n');
        run("security", &["-i"], &command)?
    } else {
        let label = format!("Tokenry: {profile}");
        let label = ["store", "--label", &label];
        run("secret-tool", &[&label[..], &attributes(profile)].concat(), &text)?
    };
    succeeded(&output, "keeps nothing")
}

/// The secrets of a profile; `None` when it has none.
pub(super) fn look_up(profile: &str) -> anyhow::Result<Option<Secrets>> {
    let output = if cfg!(target_os = "macos") {
        run("security", &["find-generic-password", "-s", SERVICE, "-a", profile, "-w"], "")?
    } else {
        run("secret-tool", &[&["lookup"][..], &attributes(profile)].concat(), "")?
    };
    if !output.status.success() || output.stdout.is_empty() {
        // Without a word, both tools say that there is no such secret.
        if !cfg!(target_os = "macos") && !output.stderr.is_empty() {
            succeeded(&output, "cannot be read")?;
        }
        return Ok(None);
    }
    let read = serde_json::from_slice(output.stdout.trim_ascii());
    read.map(Some).map_err(|_| {
        let text = format!("what the keyring has for the profile {profile} is not of Tokenry");
        Failure::new(Exit::Failed, text).hint("sign in again: tokenry login --keyring").into()
    })
}

/// Forgets the secrets of a profile.
pub(super) fn forget(profile: &str) -> anyhow::Result<()> {
    if cfg!(target_os = "macos") {
        // It fails when there is nothing to forget.
        run("security", &["delete-generic-password", "-s", SERVICE, "-a", profile], "")?;
        return Ok(());
    }
    let output = run("secret-tool", &[&["clear"][..], &attributes(profile)].concat(), "")?;
    if output.stderr.is_empty() { Ok(()) } else { succeeded(&output, "forgets nothing") }
}

fn attributes(profile: &str) -> [&str; 4] {
    ["service", SERVICE, "profile", profile]
}

/// For the words of `security -i`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn run(tool: &str, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    let spawned = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("the keyring cannot be used: {tool} is not installed");
            let hint = "install it (libsecret-tools on Debian, libsecret on others), or sign in \
                        without --keyring: then a file has the secrets that you alone can read";
            return Err(Failure::new(Exit::Failed, text).hint(hint).into());
        }
        spawned => spawned.with_context(|| tool.to_owned())?,
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that ends before it has read says why on standard error.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().with_context(|| tool.to_owned())
}

fn succeeded(output: &Output, what: &str) -> anyhow::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    let failure = Failure::new(Exit::Failed, format!("the keyring {what}: {said}"));
    Err(failure.hint("unlock it, or sign in without --keyring").into())
}
