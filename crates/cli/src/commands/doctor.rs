//! `tokenry doctor`: what is wrong with a set-up, and how to mend it.

mod http_date;
mod installation;
mod records;
mod report;
mod server;
mod sign_in;

use std::process::ExitCode;

use clap::Args;

use self::report::Report;
use crate::{
    args::ConfigArgs,
    connection::{self, ConnectionArgs},
    exit_code::Exit,
    output::OutputArgs,
};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry doctor
  tokenry doctor --data /var/lib/tokenry
  tokenry doctor --server https://auth.example.com --json

It looks at the installation on this machine, if there is one, and at the server that one is signed
in at or that was named, and changes nothing. Something that is wrong ends with exit code 6;
warnings do not.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Checks everything, and says what is wrong.
pub(crate) async fn run(arguments: DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(arguments.output);
    installation::check(&arguments.config, &mut report).await;
    if let Some(target) = sign_in::check(&arguments.connection, &mut report) {
        server::check(&arguments.connection, target, &mut report).await;
    }
    let is_wrong = report.end(connection::now())?;
    Ok(if is_wrong { Exit::Wrong } else { Exit::Done }.into())
}
