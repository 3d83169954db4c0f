//! `tokenry api-token …`: API tokens of the server that one is signed in at.

mod args;
mod record;

use std::process::ExitCode;

use tokenry_client::models::ApiTokenResponse;

pub(crate) use self::args::ApiTokenArgs;
use self::{
    args::{ApiTokenCommand, CreateArgs, DeleteArgs, ListArgs, ShowArgs, UpdateArgs},
    record::ApiTokenRecord,
};
use super::user::{print_secrets, show_made};
use crate::{
    connection::{self, connect},
    exit_code::Exit,
    failure::Failure,
    output::{self, Format, List, OutputArgs},
};

/// Lists, shows, makes, changes or ends API tokens.
pub(crate) async fn run(arguments: ApiTokenArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        ApiTokenCommand::List(arguments) => list(arguments).await?,
        ApiTokenCommand::Show(arguments) => show(arguments).await?,
        ApiTokenCommand::Create(arguments) => create(arguments).await?,
        ApiTokenCommand::Update(arguments) => update(arguments).await?,
        ApiTokenCommand::Delete(arguments) => delete(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let answer = server.api_tokens().list().await?;
    let mut list = List::new(arguments.output, connection::now());
    for token in answer.api_tokens {
        list.push(&ApiTokenRecord(token))?;
    }
    list.end()
}

async fn show(arguments: ShowArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let found = record(server.api_tokens().show(arguments.id).await?)?;
    output::show(&found, arguments.output, connection::now())
}

async fn create(arguments: CreateArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let tokens = server.api_tokens();
    let mut call = tokens.create();
    if let Some(description) = arguments.description {
        call = call.description(description);
    }
    if let Some(id) = arguments.assigned_user_id {
        call = call.assigned_user_id(id);
    }
    let made = record(call.await?)?;
    let secret = made.secret().map(output::escaped);
    let secrets: Vec<_> = secret.iter().map(|secret| ("API token", secret.as_ref())).collect();
    if arguments.output.format() != Format::Words {
        return show_made(&made, &secrets, arguments.output, connection::now());
    }
    finish("Made", &made, arguments.output)?;
    if !secrets.is_empty() {
        print_secrets(&secrets);
    }
    Ok(())
}

async fn update(arguments: UpdateArgs) -> anyhow::Result<()> {
    let is_changed = arguments.disable || arguments.enable;
    if arguments.description.is_none() && !is_changed {
        let failure = Failure::new(Exit::Usage, "nothing is named that is to be changed");
        return Err(failure.hint("give --description, --disable or --enable").into());
    }
    let server = connect(&arguments.connection)?;
    let tokens = server.api_tokens();
    let mut call = tokens.update(arguments.id);
    if let Some(description) = arguments.description {
        call = call.description(description);
    }
    if is_changed {
        call = call.active(arguments.enable);
    }
    finish("Changed", &record(call.await?)?, arguments.output)
}

async fn delete(arguments: DeleteArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let found = record(server.api_tokens().show(arguments.id).await?)?;
    let name = output::escaped(found.name());
    arguments.confirm.confirm(&format!(
        "Delete API token {} ({name})? Whoever uses it is refused at once, for good.",
        arguments.id
    ))?;
    server.api_tokens().delete(arguments.id).await?;
    finish("Deleted", &found, arguments.output)
}

fn record(answer: ApiTokenResponse) -> anyhow::Result<ApiTokenRecord> {
    let token = answer.api_token.map(ApiTokenRecord);
    token.ok_or_else(|| Failure::new(Exit::Failed, "the server answered no API token").into())
}

fn finish(what: &str, token: &ApiTokenRecord, output: OutputArgs) -> anyhow::Result<()> {
    if output.format() != Format::Words {
        return output::show(token, output, connection::now());
    }
    let (id, name) = (token.0.id.map(|id| id.to_string()).unwrap_or_default(), token.name());
    output::line(format_args!("{what} API token {id} ({}).", output::escaped(name)));
    Ok(())
}
