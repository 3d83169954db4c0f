//! `tokenry token …`: tokens of the server that one is signed in at.

mod args;
pub(super) mod directory;
pub(super) mod filter;
mod named;
mod outcome;
mod preview;
pub(super) mod record;
mod revocation;
pub(super) mod selection;

use std::process::ExitCode;

use tokenry_client::{
    Client, Credentials, Error, RefusalKind,
    models::{OAuthTokenObject, OAuthTokenResponse},
};

pub(crate) use self::args::TokenArgs;
use self::{
    args::{CreateArgs, CurrentArgs, ListArgs, ShowArgs, Sort, TokenCommand},
    directory::Directory,
    named::Name,
    record::TokenRecord,
    selection::Selection,
};
use super::{
    client,
    user::{print_secrets, show_made},
};
use crate::{
    ask,
    connection::{self, connect},
    exit_code::Exit,
    failure::Failure,
    output::{self, Format, List},
};

/// Lists, shows, makes or revokes tokens.
pub(crate) async fn run(arguments: TokenArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        TokenCommand::List(arguments) => list(arguments).await?,
        TokenCommand::Show(arguments) => show(arguments).await?,
        TokenCommand::Current(arguments) => current(arguments).await?,
        TokenCommand::Create(arguments) => create(arguments).await?,
        TokenCommand::Revoke(arguments) => return revocation::run(arguments).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let now = connection::now();
    let filter = arguments.filter.filter(&server, now).await?;
    let mut directory = Directory::new(&server);
    let mut selection = Selection::of(&server, arguments.reach(), filter);
    let mut list = Listing {
        list: List::new(arguments.output, now),
        left: arguments.limit.unwrap_or(usize::MAX),
        with_names: !arguments.no_names,
    };
    if arguments.sort == Sort::Id {
        if arguments.output.format() == Format::Words {
            selection = selection.with_progress();
        }
        while list.left > 0
            && let Some(tokens) = selection.next(&mut directory).await?
        {
            list.push(tokens, &mut directory).await?;
        }
    } else {
        let mut tokens = selection.with_progress().collect(&mut directory).await?;
        tokens.sort_by_key(|token| {
            let time = if arguments.sort == Sort::Used { token.used_at } else { token.created_at };
            (time, token.id)
        });
        list.push(tokens, &mut directory).await?;
    }
    list.list.end()?;
    directory.tell_hidden();
    Ok(())
}

/// A list with an end.
struct Listing {
    list: List<TokenRecord>,
    left: usize,
    with_names: bool,
}

impl Listing {
    async fn push(
        &mut self,
        mut tokens: Vec<OAuthTokenObject>,
        directory: &mut Directory,
    ) -> anyhow::Result<()> {
        tokens.truncate(self.left);
        self.left -= tokens.len();
        if self.with_names {
            directory.learn(&tokens).await?;
        }
        for token in tokens {
            self.list.push(&TokenRecord::new(token, directory))?;
        }
        Ok(())
    }
}

async fn show(arguments: ShowArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let token = Name::read(&arguments.token)?.find(&server).await??;
    let token = with_names(&server, token).await?;
    output::show(&token, arguments.output, connection::now())
}

async fn current(arguments: CurrentArgs) -> anyhow::Result<()> {
    let server = if arguments.token_stdin {
        let server = connection::connect_anonymously(&arguments.connection)?;
        server.with_credentials(Credentials::bearer(ask::secret_from_stdin("token")?))
    } else {
        let connection = connection::open(&arguments.connection)?;
        if !is_token(&connection.credentials) {
            let text = "you are not signed in with a token, so there is no record of it";
            let hint = "`tokenry whoami` shows how you are signed in; --token-stdin asks of \
                        another token";
            return Err(Failure::new(Exit::Usage, text).hint(hint).into());
        }
        connection.client
    };
    let token = record(server.oauth_tokens().current().await?)?;
    let token = with_names(&server, token).await?;
    output::show(&token, arguments.output, connection::now())
}

async fn create(arguments: CreateArgs) -> anyhow::Result<()> {
    let server = connect(&arguments.connection)?;
    let (id, client) = client::find(&server, &arguments.client).await?;
    let tokens = server.oauth_tokens();
    let mut call = tokens.create(id);
    if let Some(scope) = &arguments.scope {
        call = call.scopes(scope.split_whitespace());
    }
    let token = record(call.await?)?;
    let client_identifier = client.0.identifier;
    let created = TokenRecord { token, client_identifier, user_email: None };
    let secret = created.secret().map(output::escaped);
    let secrets: Vec<_> = secret.iter().map(|secret| ("token", secret.as_ref())).collect();
    if arguments.output.format() != Format::Words {
        return show_made(&created, &secrets, arguments.output, connection::now());
    }
    output::line(format_args!("Made token {}.", output::escaped(&created.name())));
    if !secrets.is_empty() {
        print_secrets(&secrets);
    }
    Ok(())
}

/// The token that one is signed in with; a server may keep its record to itself.
pub(super) async fn own(server: &Client) -> Result<Option<OAuthTokenObject>, Error> {
    match server.oauth_tokens().current().await {
        Ok(answer) => Ok(answer.token),
        Err(error) => match error.kind() {
            Some(RefusalKind::Forbidden | RefusalKind::NotFound) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Whether they are an access token.
pub(super) const fn is_token(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Bearer(_) | Credentials::Source(_))
}

/// A token may have less rights than whoever looks at it would like.
async fn with_names(server: &Client, token: OAuthTokenObject) -> anyhow::Result<TokenRecord> {
    let mut directory = Directory::new(server);
    directory.learn(std::slice::from_ref(&token)).await?;
    Ok(TokenRecord::new(token, &directory))
}

fn record(answer: OAuthTokenResponse) -> anyhow::Result<OAuthTokenObject> {
    let token = answer.token;
    token.ok_or_else(|| Failure::new(Exit::Failed, "the server answered no token").into())
}

/// Whether there is no such record, or none that may be seen.
fn is_gone(error: &Error) -> bool {
    error.kind() == Some(RefusalKind::NotFound)
}
