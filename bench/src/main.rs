//! Measures Tokenry against servers that do nothing but answer: `cargo xtask bench`.
//!
//! - `run`: every case at every size of table.
//! - `database`: the two engines.
//! - `data`, `subject`, `client`: tables of tokens, Tokenry on them, and what a case needs of it.
//! - `cases`: what is asked.
//! - `reference`: the servers that it is measured against.
//! - `load`, `measure`: the load, and rounds in turns.
//! - `nodes`: several nodes on one database.
//! - `under_writes`, `start`, `footprint`: what is not measured in turns.
//! - `twin`: the double, by itself and in turns with the others.
//! - `report`: what came of it.

mod arguments;
mod cases;
mod client;
mod data;
mod database;
mod footprint;
mod load;
mod machine;
mod measure;
mod nodes;
mod process;
mod reference;
mod report;
mod run;
mod start;
mod subject;
mod twin;
mod under_writes;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Cli, Part};

fn main() -> ExitCode {
    let Cli { part, plan } = Cli::parse();
    let outcome = match part {
        Some(Part::Reference(arguments)) => reference::serve(&arguments),
        None => run::run(&plan),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
