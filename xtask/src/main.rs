//! `cargo xtask`: what a contributor and CI run.
//!
//! - `test`: everything, from an empty machine: brings what the tests need, then runs them all.
//! - `tidy`: the rules of STYLE.md that a program can check.
//! - `docs`: the generated pages under `docs/`, written or compared.

mod docs;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, checks and documents Tokenry.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every test and check, and brings what they need
    Test(test::Arguments),
    /// Checks the rules of STYLE.md that a program can check
    Tidy,
    /// Writes the generated pages under docs/
    Docs(docs::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Workspace::find().and_then(|workspace| match &arguments.command {
        Command::Test(arguments) => test::run(&workspace, arguments),
        Command::Tidy => tidy::run(&workspace),
        Command::Docs(arguments) => docs::run(&workspace, arguments),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
