//! `tokenry user create` and `tokenry user delete`
//!
//! Both open the database beside a running server, which follows what they change within a tenth of
//! a second.

use std::{io::Read, process::ExitCode};

use anyhow::Context;
use serde::Serialize;
use tokenry_core::user::Role;
use tokenry_server::accounts::{self, NewUser};

use super::open;
use crate::{
    args::{RoleArg, UserArgs, UserCommand, UserCreateArgs, UserDeleteArgs},
    output,
};

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
    let password = if arguments.password_stdin { Some(read_password()?) } else { None };
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

/// The password is all of standard input, but for a line's end.
fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the password on standard input")?;
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    Ok(trimmed.strip_suffix('\r').unwrap_or(trimmed).to_owned())
}
