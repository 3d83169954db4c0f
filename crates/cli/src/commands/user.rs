//! `tokenry user create` and `tokenry user delete`
//!
//! Both open the database beside a running server, which follows what they change within a tenth of
//! a second.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use tokenry_core::user::Role;
use tokenry_server::accounts::{self, NewUser};

use super::open;
use crate::{args::ConfigArgs, ask, output};

#[derive(Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make a verified user with an API token of their own; works while a server runs
    Create(UserCreateArgs),
    /// End a user with their tokens; refused while they own clients; works while a server runs
    Delete(UserDeleteArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user create --email ben@example.com --name 'Ben Okafor' --role agent
  printf %s \"$PASSWORD\" | tokenry user create --email c@example.com --password-stdin --json")]
pub(crate) struct UserCreateArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The address they sign in with
    #[arg(long, value_name = "EMAIL")]
    pub(crate) email: String,
    /// What others see [default: the address]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What they may do in the record API
    #[arg(long, value_enum, default_value = "end-user")]
    pub(crate) role: RoleArg,
    /// Read the password from standard input instead of making one
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Print `{"id", "email", "api_token"}`, and `password` when one was made
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct UserDeleteArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The address they sign in with
    #[arg(long, value_name = "EMAIL")]
    pub(crate) email: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    /// Sees and revokes their own tokens
    EndUser,
    /// Sees and revokes their own tokens
    Agent,
    /// Everything
    Admin,
}

#[derive(Serialize)]
struct Created {
    id: u64,
    email: String,
    api_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Makes or ends a user.
pub(crate) async fn run(arguments: UserArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        UserCommand::Create(arguments) => create(arguments).await,
        UserCommand::Delete(arguments) => delete(arguments).await,
    }
}

async fn create(arguments: UserCreateArgs) -> anyhow::Result<ExitCode> {
    let password = if arguments.password_stdin { Some(ask::password_from_stdin()?) } else { None };
    let role = match arguments.role {
        RoleArg::EndUser => Role::EndUser,
        RoleArg::Agent => Role::Agent,
        RoleArg::Admin => Role::Admin,
    };
    let node = open(&arguments.config).await?;
    let name = arguments.name.unwrap_or_else(|| arguments.email.clone());
    let new = NewUser { email: arguments.email, name, role, password };
    let created = accounts::create(&node.state, new).await;
    node.close().await;
    let created = created?;
    let created = Created {
        id: created.id.get(),
        email: created.email,
        api_token: created.api_token,
        password: created.password,
    };
    if arguments.json {
        output::line(serde_json::to_string(&created)?);
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format_args!("Made user {} ({}).", created.id, created.email));
    if let Some(password) = &created.password {
        output::line(format_args!("  password   {password}"));
    }
    output::line(format_args!("  API token  {}", created.api_token));
    output::line("These secrets are shown this once.");
    Ok(ExitCode::SUCCESS)
}

async fn delete(arguments: UserDeleteArgs) -> anyhow::Result<ExitCode> {
    let node = open(&arguments.config).await?;
    let deleted = accounts::delete(&node.state, &arguments.email).await;
    node.close().await;
    output::line(format_args!("Ended user {} ({}).", deleted?, arguments.email));
    Ok(ExitCode::SUCCESS)
}
