//! `cargo xtask`: what a contributor and CI run.
//!
//! - `test`: everything, from an empty machine: brings what the tests need, then runs them all.
//! - `tidy`: the rules of STYLE.md that a program can check.
//! - `mutants`: whether a test notices every small fault that is put into the decisions.
//! - `bench`: how fast it is, measured.
//! - `fuzz`: the targets of `fuzz/`, for as long as you like.
//! - `docs`: the generated pages under `docs/`, written or compared.
//! - `soak`: the long simulations.

mod bench;
mod docs;
mod fuzz;
mod soak;
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
    /// Puts small faults into the decisions and tells which of them no test notices
    Mutants(test::mutants::Arguments),
    /// Measures Tokenry against servers that do nothing but answer
    Bench(bench::Arguments),
    /// Runs the fuzz targets and keeps what they find
    Fuzz(fuzz::Arguments),
    /// Writes the generated pages under docs/
    Docs(docs::Arguments),
    /// Runs the long simulations: a fleet of clients, and a day of tokens
    #[command(disable_help_flag = true)]
    Soak(soak::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Workspace::find().and_then(|workspace| match &arguments.command {
        Command::Test(arguments) => test::run(&workspace, arguments),
        Command::Tidy => tidy::run(&workspace),
        Command::Mutants(arguments) => test::mutants::run(&workspace, arguments),
        Command::Bench(arguments) => bench::run(&workspace, arguments),
        Command::Fuzz(arguments) => fuzz::run(&workspace, arguments),
        Command::Docs(arguments) => docs::run(&workspace, arguments),
        Command::Soak(arguments) => soak::run(&workspace, arguments),
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
