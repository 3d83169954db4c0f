//! `tokenry check-config`

use std::process::ExitCode;

use clap::Args;

use super::load;
use crate::{args::ConfigArgs, output};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry check-config
  tokenry check-config --config /etc/tokenry.toml")]
pub(crate) struct CheckConfigArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Prints what is in force, where it comes from, and what of it weakens the server.
pub(crate) fn run(arguments: &CheckConfigArgs) -> anyhow::Result<ExitCode> {
    let loaded = load(&arguments.config, &arguments.config.overrides())?;
    output::line(loaded.report());
    Ok(ExitCode::SUCCESS)
}
