//! `tokenry profile …`

mod record;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::record::ProfileRecord;
use crate::{
    connection::{self, Profiles},
    exit_code::Exit,
    failure::Failure,
    output::{self, List, OutputArgs},
};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry profile list
  tokenry profile use acme
  TOKENRY_CLIENT_PROFILE=acme tokenry whoami

`tokenry login` makes profiles. They are kept in ~/.config/tokenry/profiles.toml; $XDG_CONFIG_HOME
and TOKENRY_CLIENT_CONFIG, which names the file itself, lead elsewhere.")]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Subcommand)]
enum ProfileCommand {
    /// List where one is signed in
    List(ListArgs),
    /// Send what commands ask to this one from now on
    Use(UseArgs),
    /// Show one, without its secrets
    Show(ShowArgs),
    /// Forget one with its secrets, which stay valid; `tokenry logout` revokes them
    Remove(RemoveArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry profile list
  tokenry profile list -q | xargs -n1 tokenry whoami --profile")]
struct ListArgs {
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry profile use acme")]
struct UseArgs {
    /// Its name
    name: String,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry profile show                  the one in use
  tokenry profile show acme --json")]
struct ShowArgs {
    /// Its name [default: the one in use]
    name: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry profile remove acme")]
struct RemoveArgs {
    /// Its name
    name: String,
}

/// Lists, shows, picks or forgets profiles.
pub(crate) fn run(arguments: ProfileArgs) -> anyhow::Result<ExitCode> {
    let mut profiles = Profiles::open()?;
    match arguments.command {
        ProfileCommand::List(arguments) => list(&profiles, &arguments)?,
        ProfileCommand::Use(UseArgs { name }) => {
            profiles.select(&name)?;
            output::line(format_args!("Profile {} is in use.", output::escaped(&name)));
        }
        ProfileCommand::Show(arguments) => show(&profiles, arguments)?,
        ProfileCommand::Remove(RemoveArgs { name }) => {
            profiles.forget(&name)?;
            output::line(format_args!("Profile {} is forgotten.", output::escaped(&name)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(profiles: &Profiles, arguments: &ListArgs) -> anyhow::Result<()> {
    let mut list = List::new(arguments.output, connection::now());
    for (name, profile) in profiles.all() {
        list.push(&ProfileRecord::new(name, profile, profiles))?;
    }
    list.end()
}

fn show(profiles: &Profiles, arguments: ShowArgs) -> anyhow::Result<()> {
    let none = || {
        Failure::new(Exit::NotFound, "no profile is in use")
            .hint("name one: `tokenry profile list` shows which there are")
    };
    let current = || profiles.current().map(str::to_owned);
    let name = arguments.name.or_else(current).ok_or_else(none)?;
    let profile = profiles.get(&name)?;
    output::show(&ProfileRecord::new(&name, profile, profiles), arguments.output, connection::now())
}
