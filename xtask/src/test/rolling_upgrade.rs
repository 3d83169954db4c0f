//! The upgrade without downtime: the binary of the schema before today's is built out of this
//! repository's own history, and a test has both serve one database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Context;
use super::command::{ask, count, succeed};
use super::tally::Tally;

/// The last commit whose schema is the one before today's. It moves on with every new migration: to
/// the last commit before that one, and the test says so where it was forgotten.
const PREVIOUS: &str = "ba1c90fe0accfc45e3bfd18d4ae3a8355520daa4";

/// Cargo takes a crate of this workspace for the same crate in another checkout, and files that are
/// older than what was built of them for built. So the old crates get another profile than today's,
/// and what both depend on keeps its own.
const OTHER_PROFILE: [&str; 4] = [
    "--config",
    "profile.dev.overflow-checks=false",
    "--config",
    "profile.dev.package.\"*\".overflow-checks=true",
];

/// The variable that tells the test where that binary is.
const BINARY: &str = "TOKENRY_TEST_PREVIOUS_BINARY";

pub(super) fn run(context: &Context) -> Result<Tally> {
    if !is_in_history(context, PREVIOUS) {
        println!(
            "  rolling-upgrade: skipped, {PREVIOUS} is not in the history that is here (a shallow \
             clone, or an archive). To get it: git fetch --unshallow"
        );
        return Ok(Tally::one_skipped());
    }
    let binary = previous_binary(context)?;
    let mut cargo = context.cargo();
    cargo.env(BINARY, binary).args(["test", "--package", "tokenry-cli", "--test", "it"]);
    cargo.args(["--features", "rolling-upgrade", "--locked", "rolling_upgrade"]);
    count(cargo.args(["--", "--nocapture"]))
}

fn git(context: &Context) -> Command {
    let mut git = Command::new("git");
    git.current_dir(&context.workspace.root);
    git
}

fn is_in_history(context: &Context, commit: &str) -> bool {
    let mut look = git(context);
    ask(look.args(["cat-file", "-e", &format!("{commit}^{{commit}}")])).is_some()
}

/// Built once for each commit, in today's target folder: most of what both depend on is there.
fn previous_binary(context: &Context) -> Result<PathBuf> {
    let target = &context.workspace.target;
    let folder = target.join("rolling-upgrade").join(PREVIOUS);
    let built = folder.join("tokenry");
    if built.is_file() {
        println!("  the binary of {PREVIOUS} is there already");
        return Ok(built);
    }
    let source = folder.join("source");
    unpack(context, &source)?;
    println!("  building the binary of {PREVIOUS}");
    let mut cargo = context.cargo();
    cargo.current_dir(&source).env("CARGO_TARGET_DIR", target);
    cargo.args(["build", "--package", "tokenry-cli", "--locked"]);
    succeed(cargo.args(OTHER_PROFILE))?;
    // The next build of today's puts its own in that place.
    let partly = folder.join("tokenry.partly");
    fs::copy(target.join("debug/tokenry"), &partly).context("the binary that was just built")?;
    fs::rename(&partly, &built)?;
    fs::remove_dir_all(&source)?;
    Ok(built)
}

fn unpack(context: &Context, source: &Path) -> Result<()> {
    fs::create_dir_all(source)?;
    let archive = source.with_extension("tar");
    let mut pack = git(context);
    succeed(pack.args(["archive", "--format=tar", PREVIOUS, "--output"]).arg(&archive))?;
    succeed(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(source))?;
    fs::remove_file(&archive)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Network;
    use super::*;
    use crate::workspace::Workspace;

    fn tally(root: &Path) -> Tally {
        let workspace = Workspace {
            root: root.to_owned(),
            target: root.join("target"),
            metadata: serde_json::Value::Null,
        };
        run(&Context { workspace: &workspace, network: Network::Forbidden }).unwrap()
    }

    /// Neither a failure nor a silent success.
    #[test]
    fn without_the_history_the_step_is_skipped_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(tally(folder.path()), Tally::one_skipped());
        let made = Command::new("git").args(["init", "--quiet"]).current_dir(&folder).status();
        assert!(made.unwrap().success());
        assert_eq!(tally(folder.path()), Tally::one_skipped());
    }

    #[test]
    fn the_commit_is_named_whole() {
        assert!(PREVIOUS.len() == 40 && PREVIOUS.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
