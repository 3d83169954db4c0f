//! The dependency policy: cargo-deny, pinned, built once into the target folder.
//!
//! Bans, licences and sources need nothing but the lock file. Advisories need a database
//! that a closed network cannot reach; then they are skipped, by name.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::command::{ask, succeed};
use super::tally::Tally;
use super::{Context, Network};

const VERSION: &str = "0.20.2";

fn folder(context: &Context) -> PathBuf {
    context.workspace.target.join("tools")
}

fn cargo_deny(context: &Context) -> Command {
    let mut command = Command::new(folder(context).join("bin/cargo-deny"));
    command.current_dir(&context.workspace.root);
    command
}

/// Unoptimised: it runs for two seconds, and optimising it would take longer than all its runs.
pub(super) fn install(context: &Context) -> Result<Tally> {
    if ask(cargo_deny(context).arg("--version")) == Some(format!("cargo-deny {VERSION}")) {
        println!("  already installed");
        return Ok(Tally::one_passed());
    }
    if context.network == Network::Forbidden {
        bail!("not installed yet, and this run is offline: run it once without --offline");
    }
    let build = folder(context).join("build");
    let mut cargo = context.cargo();
    cargo.args(["install", "cargo-deny", "--locked", "--debug", "--no-default-features"]);
    cargo.args(["--quiet", "--version", VERSION, "--root"]).arg(folder(context));
    succeed(cargo.arg("--target-dir").arg(&build))?;
    fs::remove_dir_all(&build).context("what building cargo-deny left")?;
    Ok(Tally::one_passed())
}

pub(super) fn check(context: &Context) -> Result<Tally> {
    let mut command = cargo_deny(context);
    command.args(["--all-features", "--locked"]);
    if context.network == Network::Forbidden {
        command.arg("--offline");
    }
    succeed(command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    let mut tally = Tally::one_passed();
    tally.add(&advisories(context)?);
    Ok(tally)
}

fn advisories(context: &Context) -> Result<Tally> {
    if context.network == Network::Forbidden {
        println!("  advisories: skipped, this run is offline");
        return Ok(Tally::one_skipped());
    }
    let mut command = cargo_deny(context);
    command.args(["--all-features", "--locked", "check", "advisories"]);
    let output = command.env("GIT_TERMINAL_PROMPT", "0").output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("  advisories: none");
        return Ok(Tally::one_passed());
    }
    if told.contains("failed to fetch advisory database") {
        println!("  advisories: skipped, RustSec's database cannot be reached from here");
        return Ok(Tally::one_skipped());
    }
    println!("{told}");
    bail!("advisories concern packages of ours: update them, or name them with a reason");
}
