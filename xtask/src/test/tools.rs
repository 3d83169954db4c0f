//! Programs from cargo's own registry: pinned, and built once into the target folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::command::{ask, succeed};
use super::tally::Tally;
use super::{Context, Network};

/// One program, named as its package is.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// What its every command line begins with.
    pub(super) subcommand: Option<&'static str>,
    /// What `cargo install` is told besides.
    pub(super) options: &'static [&'static str],
}

fn folder(context: &Context) -> PathBuf {
    context.workspace.target.join("tools")
}

impl Tool {
    /// The program, run at the root.
    pub(super) fn command(&self, context: &Context) -> Command {
        let mut command = Command::new(folder(context).join("bin").join(self.name));
        command.current_dir(&context.workspace.root).args(self.subcommand);
        command
    }

    /// Unoptimised: these programs run for seconds, or wait for others, and optimising one would
    /// take longer than all its runs.
    pub(super) fn install(&self, context: &Context) -> Result<Tally> {
        let Self { name, version, options, .. } = self;
        if ask(self.command(context).arg("--version")) == Some(format!("{name} {version}")) {
            println!("  already installed");
            return Ok(Tally::one_passed());
        }
        if context.network == Network::Forbidden {
            bail!("not installed yet, and this run is offline: run it once without --offline");
        }
        let build = folder(context).join("build");
        let mut cargo = context.cargo();
        cargo.args(["install", name, "--locked", "--debug", "--quiet", "--version", version]);
        cargo.args(*options).arg("--root").arg(folder(context));
        succeed(cargo.arg("--target-dir").arg(&build))?;
        fs::remove_dir_all(&build).with_context(|| format!("what building {name} left"))?;
        Ok(Tally::one_passed())
    }
}
