//! `tokenry completions`

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::args::Cli;

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry completions bash > /etc/bash_completion.d/tokenry
  tokenry completions zsh > \"${fpath[1]}/_tokenry\"
  tokenry completions fish > ~/.config/fish/completions/tokenry.fish
  source <(tokenry completions bash)    for this session alone")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

/// Prints a completion script.
pub(crate) fn run(arguments: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let shell: Shell = arguments.shell.parse().map_err(anyhow::Error::msg)?;
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "tokenry", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
