//! The binary `tokenry`.

mod args;
mod ask;
mod commands;
mod connection;
mod exit_code;
mod failure;
mod output;
mod progress;
mod staged_file;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => failure::tell(&error).into(),
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(arguments) => commands::demo::run(arguments).await,
        Command::Serve(arguments) => commands::serve::run(arguments).await,
        Command::Twin(arguments) => commands::twin::run(*arguments).await,
        Command::Init(arguments) => commands::init::run(arguments).await,
        Command::User(arguments) => commands::user::run(arguments).await,
        Command::Key(arguments) => commands::key::run(arguments).await,
        Command::Store(arguments) => commands::store::run(arguments).await,
        Command::Login(arguments) => commands::login::run(arguments).await,
        Command::Logout(arguments) => commands::logout::run(arguments).await,
        Command::Profile(arguments) => commands::profile::run(arguments),
        Command::Whoami(arguments) => commands::whoami::run(arguments).await,
        Command::Client(arguments) => commands::client::run(arguments).await,
        Command::Token(arguments) => commands::token::run(arguments).await,
        Command::Audit(arguments) => commands::audit::run(arguments).await,
        Command::ApiToken(arguments) => commands::api_token::run(arguments).await,
        Command::Introspect(arguments) => commands::introspect::run(arguments).await,
        Command::Why(arguments) => commands::why::run(arguments).await,
        Command::Decode(arguments) => commands::decode::run(&arguments),
        Command::Scope(arguments) => commands::scope::run(&arguments),
        Command::Backup(arguments) => commands::backup::run(arguments).await,
        Command::Restore(arguments) => commands::restore::run(arguments).await,
        Command::Purge(arguments) => commands::purge::run(arguments).await,
        Command::Export(arguments) => commands::export::run(arguments).await,
        Command::Import(arguments) => commands::import::run(arguments).await,
        Command::Doctor(arguments) => commands::doctor::run(arguments).await,
        Command::CheckConfig(arguments) => commands::check_config::run(&arguments),
        Command::Completions(arguments) => commands::completions::run(&arguments),
        Command::Man(arguments) => commands::man::run(&arguments),
        Command::Reference(arguments) => commands::reference::run(&arguments),
    }
}
