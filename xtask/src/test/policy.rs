//! The dependency policy: cargo-deny, pinned, built once into the target folder.
//!
//! Bans, licences and sources need nothing but the lock file. Advisories need a database
//! that a closed network cannot reach; then they are skipped, by name.

use anyhow::{Result, bail};

use super::command::succeed;
use super::tally::Tally;
use super::tools::Tool;
use super::{Context, Network};

const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    subcommand: None,
    options: &["--no-default-features"],
};

pub(super) fn install(context: &Context) -> Result<Tally> {
    CARGO_DENY.install(context)
}

pub(super) fn check(context: &Context) -> Result<Tally> {
    let mut command = CARGO_DENY.command(context);
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
    let mut command = CARGO_DENY.command(context);
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
