//! The steps that are one cargo command each.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tokenry_postgres_testing::ENGINE;

use super::command::{count, succeed};
use super::tally::Tally;
use super::{Context, Network};
use crate::fuzz;

impl Context<'_> {
    /// Cargo at the root, kept off the network when the run is.
    pub(super) fn cargo(&self) -> Command {
        let mut command = self.workspace.cargo();
        if self.network == Network::Forbidden {
            command.env("CARGO_NET_OFFLINE", "true");
        }
        command
    }

    /// Cargo itself again: `cargo xtask …`.
    fn xtask(&self, arguments: &[&str]) -> Result<Tally> {
        one(self.cargo().args(["run", "--quiet", "--package", "xtask", "--"]).args(arguments))
    }
}

fn one(command: &mut Command) -> Result<Tally> {
    succeed(command)?;
    Ok(Tally::one_passed())
}

/// The fuzz targets are a workspace of their own.
const FUZZ: &str = "fuzz/Cargo.toml";
/// How long each fuzz target runs.
const FUZZ_TIME: Duration = Duration::from_secs(4);

pub(super) fn fmt(context: &Context) -> Result<Tally> {
    succeed(context.cargo().args(["fmt", "--all", "--check"]))?;
    one(context.cargo().args(["fmt", "--check", "--manifest-path", FUZZ]))
}

/// Lints here and not in their step, since building libFuzzer takes a C++ compiler.
pub(super) fn fuzz(context: &Context) -> Result<Tally> {
    let mut clippy = context.cargo();
    clippy.args(["clippy", "--locked", "--manifest-path", FUZZ, "--target-dir"]);
    succeed(clippy.arg(&context.workspace.target).args(["--", "-D", "warnings"]))?;
    let (passed, failed) = fuzz::run_briefly(context.workspace, context.cargo(), FUZZ_TIME)?;
    Ok(Tally { passed, failed, ..Tally::default() })
}

pub(super) fn tidy(context: &Context) -> Result<Tally> {
    context.xtask(&["tidy"])
}

pub(super) fn docs(context: &Context) -> Result<Tally> {
    context.xtask(&["docs", "--check"])
}

pub(super) fn bench(context: &Context) -> Result<Tally> {
    context.xtask(&["bench", "--profile", "dev", "--quick"])
}

/// The same over the other engine.
pub(super) fn bench_on_postgresql(context: &Context) -> Result<Tally> {
    context.xtask(&["bench", "--profile", "dev", "--quick", "--store", "postgres"])
}

pub(super) fn clippy(context: &Context) -> Result<Tally> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked"];
    one(context.cargo().args(arguments).args(["--", "-D", "warnings"]))
}

/// Its readers are the contributors: private items are documented as well, and may be linked to.
pub(super) fn doc(context: &Context) -> Result<Tally> {
    let mut cargo = context.cargo();
    cargo.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    one(cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]))
}

/// A snapshot that differs is a failure: nothing is written beside it.
pub(super) fn tests(context: &Context) -> Result<Tally> {
    let mut cargo = context.cargo();
    cargo.env("INSTA_UPDATE", "no");
    count(cargo.args(["test", "--workspace", "--no-fail-fast", "--locked"]))
}

/// The router's tests once more, over the other engine.
pub(super) fn router_on_postgresql(context: &Context) -> Result<Tally> {
    let mut cargo = context.cargo();
    cargo.env("INSTA_UPDATE", "no").env(ENGINE, "postgres");
    count(cargo.args(["test", "--package", "tokenry-server", "--test", "it", "--locked"]))
}

pub(super) fn acceptance(context: &Context) -> Result<Tally> {
    clients_over(context, "sqlite", &[])
}

/// The same over the other engine. Twins have one engine alone.
pub(super) fn acceptance_on_postgresql(context: &Context) -> Result<Tally> {
    clients_over(context, "postgres", &["--skip", "clients::"])
}

fn clients_over(context: &Context, engine: &str, arguments: &[&str]) -> Result<Tally> {
    let target = ["--package", "tokenry-cli", "--test", "acceptance"];
    let mut cargo = context.cargo();
    cargo.env(ENGINE, engine);
    cargo.arg("test").args(target).args(["--features", "acceptance", "--locked"]);
    count(cargo.args(["--", "--nocapture"]).args(arguments))
}
