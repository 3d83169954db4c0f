//! `cargo xtask mutants`: does a test notice when the code is wrong?
//!
//! cargo-mutants puts one small fault at a time into `core` or `protocol` and runs the tests of
//! that crate. A mutant that lives is a rule that nobody tests. Those that change nothing are named
//! in `.cargo/mutants.toml` with the reason; `docs/mutation-testing.md` has the numbers.
//!
//! It works on a copy of the repository below the target folder, always in the same place: nobody's
//! files are changed under their hands, and the compiler finds what it built the time before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::command::succeed;
use super::tally::Tally;
use super::tools::Tool;
use super::{Context, Network};
use crate::workspace::Workspace;

const CARGO_MUTANTS: Tool =
    Tool { name: "cargo-mutants", version: "27.1.0", subcommand: Some("mutants"), options: &[] };

const PACKAGES: [&str; 2] = ["tokenry-core", "tokenry-protocol"];

/// Every so many mutants one is tried by `cargo xtask test`, so that it is done in a minute: always
/// the same ones, since a run that fails must fail again.
const SAMPLE: &str = "0/90";

const EXAMPLES: &str = "\
Examples:
  cargo xtask mutants                       all of them: about 45 minutes on two cores
  cargo xtask mutants --list                their names
  cargo xtask mutants --shard 0/4           the first of four parts
  cargo xtask mutants -- --re 'scope.rs'    what cargo-mutants itself understands

Those that no test noticed are listed in target/mutants/mutants.out/missed.txt.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Name the mutants and try none
    #[arg(long)]
    list: bool,
    /// Try the part K, counted from 0, of N
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// For cargo-mutants itself
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let context = Context { workspace, network: Network::Allowed };
    install(&context)?;
    // A long run, so it must not hold up whoever builds meanwhile.
    let mut command = cargo_mutants(&context, &folder(&context).join("build"))?;
    if let Some(shard) = &arguments.shard {
        command.args(["--sharding", "slice", "--shard", shard]);
    }
    command.args(&arguments.rest);
    if arguments.list {
        return succeed(command.arg("--list"));
    }
    let tally = try_out(&context, &mut command)?;
    match tally.failed {
        0 => Ok(()),
        count => bail!("no test noticed {count} of them: see docs/mutation-testing.md"),
    }
}

pub(super) fn install(context: &Context) -> Result<Tally> {
    CARGO_MUTANTS.install(context)
}

pub(super) fn sample(context: &Context) -> Result<Tally> {
    // A short run after the tests, so it takes what they have built.
    let mut command = cargo_mutants(context, &context.workspace.target)?;
    try_out(context, command.args(["--sharding", "round-robin", "--shard", SAMPLE]))
}

fn folder(context: &Context) -> PathBuf {
    context.workspace.target.join("mutants")
}

/// cargo-mutants in a fresh copy of the repository, building into `build`.
fn cargo_mutants(context: &Context, build: &Path) -> Result<Command> {
    let tree = folder(context).join("tree");
    context.workspace.copy_to(&tree)?;
    let mut command = CARGO_MUTANTS.command(context);
    command.current_dir(&tree).env("CARGO_TARGET_DIR", build);
    if context.network == Network::Forbidden {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    // A failing case must not be kept for the next mutant, which would then be noticed by luck.
    command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    command.arg("--in-place").arg("--output").arg(folder(context));
    // Most of the words is behind features.
    command.arg("--all-features");
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    Ok(command)
}

/// Runs it and counts: a mutant that no test notices, or that never ends, is a failure.
fn try_out(context: &Context, command: &mut Command) -> Result<Tally> {
    let outcomes = folder(context).join("mutants.out/outcomes.json");
    if outcomes.exists() {
        fs::remove_file(&outcomes)?;
    }
    let ended = succeed(command);
    let text = fs::read_to_string(&outcomes).with_context(|| outcomes.display().to_string());
    // Without numbers it did not even begin, and its own error says why.
    let Ok(text) = text else {
        return ended.and_then(|()| bail!("cargo-mutants left no numbers"));
    };
    let tally = tally(&serde_json::from_str(&text)?);
    if tally.failed == 0 {
        ended?;
    }
    println!("{}", tally.summaries.join("\n"));
    Ok(tally)
}

fn tally(outcomes: &Value) -> Tally {
    let count = |name: &str| {
        let number = outcomes.get(name).and_then(Value::as_u64);
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    };
    let (caught, missed) = (count("caught"), count("missed"));
    let (endless, unviable) = (count("timeout"), count("unviable"));
    let summary = format!(
        "mutants: {caught} noticed, {missed} not noticed, {endless} without an end, \
         {unviable} did not build"
    );
    Tally { passed: caught, failed: missed + endless, skipped: 0, summaries: vec![summary] }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mutant_that_lives_or_never_ends_is_a_failure_and_one_that_does_not_build_is_nothing() {
        let outcomes = json!({"caught": 7, "missed": 2, "timeout": 1, "unviable": 4});
        let tally = tally(&outcomes);
        assert_eq!((tally.passed, tally.failed, tally.skipped), (7, 3, 0));
        assert_eq!(
            tally.summaries,
            ["mutants: 7 noticed, 2 not noticed, 1 without an end, 4 did not build"]
        );
    }
}
