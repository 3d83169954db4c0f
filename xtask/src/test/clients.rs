//! Third-party clients, installed from their lock files into the target folder.
//!
//! What was installed leaves a stamp: the lock file's own text. A run that finds the same text
//! installs nothing and asks no network.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::command::{ask, succeed};
use super::tally::Tally;
use super::{Context, Network};

const STAMP: &str = "installed-from";

/// Into `target/acceptance/python`.
pub(super) fn python(context: &Context) -> Result<Tally> {
    let source = context.workspace.root.join("acceptance/python");
    let locks = ["requirements.txt", "requirements-source.txt"].map(|name| source.join(name));
    let [lock, of_sources] = &locks;
    let folder = context.workspace.target.join("acceptance/python");
    install_python(context, (lock.as_path(), Some(of_sources.as_path())), &folder)
}

/// Into `target/acceptance/node/node_modules`.
pub(super) fn npm(context: &Context) -> Result<Tally> {
    let source = context.workspace.root.join("acceptance/node");
    install_npm(context, &source, &context.workspace.target.join("acceptance/node"))
}

/// Into a virtual environment of its own: what is published built, and then what is built here.
pub(super) fn install_python(
    context: &Context,
    (lock, of_sources): (&Path, Option<&Path>),
    folder: &Path,
) -> Result<Tally> {
    let version = ask(Command::new("python3").arg("--version")).unwrap_or_default();
    let sources = of_sources.map(read).transpose()?.unwrap_or_default();
    let text = format!("{version}\n{}{sources}", read(lock)?);
    if is_installed(context, folder, &text)? {
        return Ok(Tally::one_passed());
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    // Hashes of published files and no build: nothing else than what was locked can come in.
    succeed(pip(folder).args(["--only-binary", ":all:", "--requirement"]).arg(lock))?;
    if let Some(of_sources) = of_sources {
        // Built with what is installed by now, so again nothing else comes in.
        let build = ["--no-deps", "--no-build-isolation", "--requirement"];
        succeed(pip(folder).args(build).arg(of_sources))?;
    }
    finish(folder, &text)
}

fn pip(folder: &Path) -> Command {
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.arg("--require-hashes");
    pip
}

/// Into the folder's `node_modules`, with no script of any package run.
pub(super) fn install_npm(context: &Context, source: &Path, folder: &Path) -> Result<Tally> {
    let text = read(&source.join("package.json"))? + &read(&source.join("package-lock.json"))?;
    if is_installed(context, folder, &text)? {
        return Ok(Tally::one_passed());
    }
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(source.join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    succeed(npm.current_dir(folder))?;
    finish(folder, &text)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Whether the stamp holds this text; where it does not, the folder is left empty.
fn is_installed(context: &Context, folder: &Path, text: &str) -> Result<bool> {
    let stamp = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    if stamp == text {
        println!("  already installed");
        return Ok(true);
    }
    if context.network == Network::Forbidden {
        bail!("not installed yet, and this run is offline: run it once without --offline");
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    Ok(false)
}

/// The stamp is written last: an install that was interrupted is begun again.
fn finish(folder: &Path, text: &str) -> Result<Tally> {
    fs::write(folder.join(STAMP), text)?;
    Ok(Tally::one_passed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    fn workspace(root: &Path) -> Workspace {
        let metadata = serde_json::Value::Null;
        Workspace { root: root.to_owned(), target: root.join("target"), metadata }
    }

    #[test]
    fn what_was_installed_from_the_same_text_is_kept_and_from_another_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = workspace(folder.path());
        let context = Context { workspace: &workspace, network: Network::Allowed };
        let clients = folder.path().join("clients");
        assert!(!is_installed(&context, &clients, "lock 1").unwrap());
        finish(&clients, "lock 1").unwrap();
        assert!(is_installed(&context, &clients, "lock 1").unwrap());
        assert!(!is_installed(&context, &clients, "lock 2").unwrap());
        assert!(!clients.join(STAMP).exists());
    }

    #[test]
    fn an_offline_run_installs_nothing_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = workspace(folder.path());
        let context = Context { workspace: &workspace, network: Network::Forbidden };
        let error = is_installed(&context, &folder.path().join("clients"), "lock").unwrap_err();
        assert!(error.to_string().contains("run it once without --offline"));
    }
}
