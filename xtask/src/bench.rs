//! `cargo xtask bench`: builds the binary and the benchmarks, and runs them.

use anyhow::{Result, bail};
use clap::Args;

use crate::workspace::Workspace;

#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What is measured is built with this profile
    #[arg(long, default_value = "release")]
    profile: String,
    /// See `cargo xtask bench --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let profile = arguments.profile.as_str();
    // One by one: built together, each would get the features of the other's dependencies.
    for package in ["tokenry-cli", "tokenry-bench"] {
        let mut build = workspace.cargo();
        build.args(["build", "--locked", "--profile", profile, "--package", package]);
        if !build.status()?.success() {
            bail!("{package} could not be built");
        }
    }
    // The development profile is the one whose folder has another name.
    let built = workspace.target.join(if profile == "dev" { "debug" } else { profile });
    let mut bench = std::process::Command::new(built.join("tokenry-bench"));
    bench.current_dir(&workspace.root).args(&arguments.arguments);
    bench.arg("--tokenry").arg(built.join("tokenry"));
    bench.arg("--folder").arg(workspace.target.join("bench"));
    if !bench.status()?.success() {
        bail!("the benchmarks ended early");
    }
    Ok(())
}
