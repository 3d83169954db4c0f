//! `tokenry check-config`

use std::process::ExitCode;

use super::load;
use crate::{args::CheckConfigArgs, output};

/// Prints what is in force and where it comes from.
pub(crate) fn run(arguments: &CheckConfigArgs) -> anyhow::Result<ExitCode> {
    let loaded = load(&arguments.config, &arguments.config.overrides())?;
    output::line(loaded.report());
    Ok(ExitCode::SUCCESS)
}
