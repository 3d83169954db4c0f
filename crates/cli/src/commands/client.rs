//! `tokenry client …`: clients of the server that one is signed in at.

mod args;
mod record;

use std::process::ExitCode;

use tokenry_client::{
    Client, Error, RefusalKind,
    models::{
        ClientId, ClientRequest, GrantType, OAuthClientObject, OAuthClientResponse, Pagination,
    },
};

pub(crate) use self::args::ClientArgs;
use self::{
    args::{
        ClientCommand, CreateArgs, DeleteArgs, GenerateSecretArgs, ListArgs, ShowArgs, UpdateArgs,
    },
    record::ClientRecord,
};
use super::user::{print_secrets, show_made};
use crate::{
    connection::{self, connect},
    exit_code::Exit,
    failure::Failure,
    output::{self, Format, List, OutputArgs},
    progress::counted,
};

/// Lists, shows, registers, changes or ends clients.
pub(crate) async fn run(arguments: ClientArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        ClientCommand::List(arguments) => list(arguments).await?,
        ClientCommand::Show(arguments) => show(arguments).await?,
        ClientCommand::Create(arguments) => create(arguments).await?,
        ClientCommand::Update(arguments) => update(arguments).await?,
        ClientCommand::Delete(arguments) => delete(arguments).await?,
        ClientCommand::GenerateSecret(arguments) => generate_secret(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let clients = server.oauth_clients();
    let mut list = List::new(arguments.output, connection::now());
    let mut pages = if arguments.own { clients.list_own() } else { clients.list() }.pages();
    while let Some(page) = pages.next().await? {
        for client in page.clients {
            list.push(&ClientRecord(client))?;
        }
    }
    list.end()
}

async fn show(arguments: ShowArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let (_, found) = find(&server, &arguments.named.client).await?;
    output::show(&found, arguments.output, connection::now())
}

async fn create(arguments: CreateArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let mut request = arguments.members.request();
    if request.name.is_absent() {
        request.name = arguments.identifier.clone().into();
    }
    request.identifier = arguments.identifier.into();
    if let Some(kind) = arguments.kind {
        request.kind = tokenry_client::models::ClientKind::from(kind).into();
    }
    let created = record(server.oauth_clients().create(request).await?)?;
    finish_made("Registered", &created, arguments.output)
}

async fn update(arguments: UpdateArgs) -> anyhow::Result<()> {
    let mut request = arguments.members.request();
    if let Some(identifier) = arguments.identifier {
        request.identifier = identifier.into();
    }
    if arguments.disable || arguments.enable {
        request.disabled = arguments.disable.into();
    }
    if request == ClientRequest::default() {
        let failure = Failure::new(Exit::Usage, "nothing is named that is to be changed");
        return Err(failure.hint("`tokenry client update --help` shows what can be").into());
    }
    let server = connect(&arguments.connection)?;
    let (id, _) = find(&server, &arguments.named.client).await?;
    let changed = record(server.oauth_clients().update(id, request).await?)?;
    finish("Changed", &changed, "", arguments.output)
}

async fn delete(arguments: DeleteArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let (id, found) = find(&server, &arguments.named.client).await?;
    let tokens = tokens_of(&server, id).await?;
    let tokens = tokens.map_or_else(
        || "every token of it".to_owned(),
        |count| format!("its {}", counted(count, "token")),
    );
    arguments.confirm.confirm(&format!(
        "Delete client {id} ({}) with {tokens}, for good?",
        output::escaped(found.name())
    ))?;
    server.oauth_clients().delete(id).await?;
    finish("Deleted", &found, &format!(", with {tokens}"), arguments.output)
}

async fn generate_secret(arguments: GenerateSecretArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let (id, found) = find(&server, &arguments.named.client).await?;
    arguments.confirm.confirm(&format!(
        "Make a new secret for client {id} ({})? The one before works no more from then on.",
        output::escaped(found.name())
    ))?;
    let made = record(server.oauth_clients().generate_secret(id).await?)?;
    finish_made("Made a new secret for", &made, arguments.output)
}

/// The client of this id or identifier. Digits are an id, and an identifier only when there is no
/// such record.
pub(super) async fn find(server: &Client, named: &str) -> anyhow::Result<(ClientId, ClientRecord)> {
    if let Ok(id) = ClientId::parse(named) {
        match server.oauth_clients().show(id).await {
            Ok(answer) => return Ok((id, record(answer)?)),
            Err(error) if error.kind() == Some(RefusalKind::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut pages = server.oauth_clients().list().pages();
    while let Some(page) = pages.next().await? {
        let is_named = |client: &OAuthClientObject| client.identifier.as_deref() == Some(named);
        if let Some(client) = page.clients.into_iter().find(is_named)
            && let Some(id) = client.id
        {
            return Ok((id, ClientRecord(client)));
        }
    }
    let text = format!("there is no client {} at {}", output::escaped(named), server.server());
    let hint = "`tokenry client list` shows which there are";
    Err(Failure::new(Exit::NotFound, text).hint(hint).into())
}

/// Whether a client may ask users for their consent and has no address to send them back to. One
/// that asks for itself alone, or is stopped, sends nobody anywhere.
pub(super) fn lacks_redirect(client: &OAuthClientObject) -> bool {
    let has_none = client.redirect_uri.as_ref().is_none_or(Vec::is_empty);
    let sends_users = client.grant_types.as_ref().is_none_or(|types| {
        types.iter().any(|kind| kind.known() == Some(&GrantType::AuthorizationCode))
    });
    has_none && sends_users && client.disabled != Some(true)
}

/// How many tokens a client has, if the server counts them.
async fn tokens_of(server: &Client, id: ClientId) -> Result<Option<u64>, Error> {
    let page = server.oauth_tokens().list().all(true).client_id(id).page(1, 1).await?;
    Ok(match page.pagination {
        Some(Pagination::Offset { count, .. }) => Some(count),
        _ => None,
    })
}

fn record(answer: OAuthClientResponse) -> anyhow::Result<ClientRecord> {
    let client = answer.client.map(ClientRecord);
    client.ok_or_else(|| Failure::new(Exit::Failed, "the server answered no client").into())
}

fn finish(what: &str, client: &ClientRecord, rest: &str, output: OutputArgs) -> anyhow::Result<()> {
    if output.format() != Format::Words {
        return output::show(client, output, connection::now());
    }
    tell(what, client, rest);
    Ok(())
}

fn tell(what: &str, client: &ClientRecord, rest: &str) {
    let id = client.0.id.map(|id| id.to_string()).unwrap_or_default();
    output::line(format_args!("{what} client {id} ({}){rest}.", output::escaped(client.name())));
}

/// The same of a secret that is shown this once.
fn finish_made(what: &str, client: &ClientRecord, output: OutputArgs) -> anyhow::Result<()> {
    let secret = client.secret().map(output::escaped);
    let secrets: Vec<_> = secret.iter().map(|secret| ("secret", secret.as_ref())).collect();
    if output.format() != Format::Words {
        return show_made(client, &secrets, output, connection::now());
    }
    tell(what, client, "");
    if !secrets.is_empty() {
        print_secrets(&secrets);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokenry_client::models::Open;

    use super::*;

    #[test]
    fn a_client_that_asks_for_itself_or_is_stopped_needs_no_redirect_address() {
        let types = |types: &[GrantType]| OAuthClientObject {
            grant_types: Some(types.iter().map(|kind| Open::Known(*kind)).collect()),
            ..OAuthClientObject::default()
        };
        let asks_users = types(&[GrantType::ClientCredentials, GrantType::AuthorizationCode]);
        assert!(lacks_redirect(&asks_users));
        assert!(lacks_redirect(&OAuthClientObject::default()), "an older server tells no types");
        let redirect_uri = Some(vec!["https://acme.test/cb".to_owned()]);
        assert!(!lacks_redirect(&OAuthClientObject { redirect_uri, ..asks_users.clone() }));
        assert!(!lacks_redirect(&OAuthClientObject { disabled: Some(true), ..asks_users }));
        assert!(!lacks_redirect(&types(&[GrantType::ClientCredentials])));
    }
}
