//! `tokenry introspect`

mod record;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Args;
use tokenry_client::{ClientAuthentication, models::IntrospectionResponse};

use self::record::IntrospectionRecord;
use super::presented;
use crate::{
    ask,
    connection::{self, ConnectionArgs},
    exit_code::Exit,
    failure::Failure,
    output::{self, OutputArgs},
};

#[derive(Args)]
#[command(after_help = "Examples:
  printf %s \"$TOKEN\" | tokenry introspect - --client-id api --json
  TOKENRY_CLIENT_SECRET=$(cat secret) tokenry introspect - --client-id api < token

A client asks (RFC 7662), and sees its own tokens; one that is a resource server sees every token.
The secret of the client is taken from TOKENRY_CLIENT_SECRET, from standard input or from the
terminal. Arguments are seen by everybody on the machine: a token comes on standard input, as `-`.

A token that is not active ends with exit code 6.")]
pub(crate) struct IntrospectArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// An access token or a refresh token; `-` reads it from standard input
    #[arg(value_name = "TOKEN|-")]
    token: String,
    /// The identifier of the client that asks
    #[arg(long, value_name = "NAME", env = "TOKENRY_CLIENT_ID")]
    client_id: String,
    /// Read the secret of the client from standard input
    #[arg(long)]
    client_secret_stdin: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Asks what a token may do.
pub(crate) async fn run(arguments: IntrospectArgs) -> anyhow::Result<ExitCode> {
    let server = connection::connect_anonymously(&arguments.connection)?;
    let secret = secret(&arguments)?;
    let client = ClientAuthentication::secret(&arguments.client_id, secret);
    let token = presented::text(&arguments.token)?;
    let answer = server.authorization_server().introspect(&client, token).await?;
    let IntrospectionResponse { active, .. } = answer;
    output::show(&IntrospectionRecord(answer), arguments.output, connection::now())?;
    Ok(if active { Exit::Done } else { Exit::Wrong }.into())
}

fn secret(arguments: &IntrospectArgs) -> anyhow::Result<String> {
    let is_token_read = arguments.token == presented::STANDARD_INPUT;
    if arguments.client_secret_stdin {
        if is_token_read {
            let text = "standard input cannot be both the token and the secret";
            let hint = "give the secret by TOKENRY_CLIENT_SECRET";
            return Err(Failure::new(Exit::Usage, text).hint(hint).into());
        }
        return ask::secret_from_stdin("client's secret");
    }
    if let Some(secret) = connection::variable(connection::CLIENT_SECRET) {
        return Ok(secret);
    }
    let instead = "give the secret of the client by TOKENRY_CLIENT_SECRET or \
                   --client-secret-stdin";
    if is_token_read && !std::io::stdin().is_terminal() {
        let text = "the client that asks has no secret";
        return Err(Failure::new(Exit::Usage, text).hint(instead).into());
    }
    ask::secret("The secret of the client (it is not shown)?", instead)
}
