//! `cargo xtask soak`: builds the long simulations with optimisations and runs them.

use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::workspace::Workspace;

/// Everything is handed on, so that options are declared in one place: the program itself.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Options of the program; `--help` lists them, with examples
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "tokenry-soak"]);
    if !arguments.asks_for_help() {
        println!("building with optimisations: some minutes the first time");
        cargo.arg("--release");
    }
    let status = cargo.arg("--").args(&arguments.options).status();
    if !status.context("cargo could not be started")?.success() {
        bail!("a rule is broken, or the run could not be made: see above");
    }
    Ok(())
}

impl Arguments {
    /// Help needs no optimisations, and a build without them is often there already.
    fn asks_for_help(&self) -> bool {
        self.options.iter().any(|option| option == "--help" || option == "-h")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn options_are_handed_on_as_they_are() {
        let Command { arguments } = Command::parse_from(["soak", "--only", "fleet", "--seed", "7"]);
        assert_eq!(arguments.options, ["--only", "fleet", "--seed", "7"]);
        assert!(!arguments.asks_for_help());
    }
}
