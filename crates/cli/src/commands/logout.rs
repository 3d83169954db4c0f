//! `tokenry logout`

use std::process::ExitCode;

use clap::Args;
use tokenry_client::{Credentials, RefusalKind};

use crate::{
    connection::{self, ConnectionArgs, Profiles, SignIn},
    exit_code::Exit,
    failure::{self, Failure},
    output,
};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry logout                       out of the profile in use
  tokenry logout --profile acme
  tokenry logout --all

Tokens that a browser sign-in got are revoked at the server. API tokens and access tokens that were
given to `tokenry login` are forgotten and stay valid: end them with `tokenry api-token delete` and
`tokenry token revoke`.")]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Out of every profile
    #[arg(long, conflicts_with_all = ["profile", "server"])]
    all: bool,
    /// Forget tokens without revoking them: for a server that is not there any more
    #[arg(long)]
    no_revoke: bool,
}

/// Revokes what a sign-in got, and forgets it.
pub(crate) async fn run(arguments: LogoutArgs) -> anyhow::Result<ExitCode> {
    let mut profiles = Profiles::open()?;
    for name in named(&arguments, &profiles)? {
        let is_revoked = revoke(&arguments, &profiles, &name).await?;
        profiles.forget(&name)?;
        let what = if is_revoked { ", and its token is revoked" } else { "" };
        output::line(format_args!("Signed out of {}{what}.", output::escaped(&name)));
    }
    Ok(ExitCode::SUCCESS)
}

fn named(arguments: &LogoutArgs, profiles: &Profiles) -> anyhow::Result<Vec<String>> {
    if arguments.all {
        return Ok(profiles.all().map(|(name, _)| name.to_owned()).collect());
    }
    if let Some(name) = arguments.connection.profile() {
        return Ok(vec![name.to_owned()]);
    }
    let found = match arguments.connection.server()? {
        Some(server) => profiles.at(&server),
        None => profiles.current(),
    };
    let nobody = || Failure::new(Exit::NotFound, "nobody is signed in there, by any profile");
    let hint = "`tokenry profile list` shows where one is";
    Ok(vec![found.ok_or_else(|| nobody().hint(hint))?.to_owned()])
}

/// Whether there was something to revoke, and it is dead now.
async fn revoke(arguments: &LogoutArgs, profiles: &Profiles, name: &str) -> anyhow::Result<bool> {
    let profile = profiles.get(name)?;
    if profile.sign_in != SignIn::Browser || arguments.no_revoke {
        return Ok(false);
    }
    let revoked = revoke_kept(&arguments.connection, profiles, name).await;
    revoked.map_err(|error| not_revoked(&error))
}

async fn revoke_kept(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    name: &str,
) -> anyhow::Result<bool> {
    // What cannot be read may live; what is not there does not.
    if profiles.secrets(name)?.tokens.is_none() {
        return Ok(false);
    }
    let credentials = connection::credentials(arguments, profiles, name)?;
    revoke_current(arguments, &profiles.get(name)?.server, credentials).await
}

/// Whether the token that these credentials are was alive, and is dead now.
pub(super) async fn revoke_current(
    arguments: &ConnectionArgs,
    server: &str,
    credentials: Credentials,
) -> anyhow::Result<bool> {
    let server = connection::parse_server(server)?;
    let client = connection::client(arguments, &server, credentials)?;
    match client.oauth_tokens().revoke_current().await {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            // It is dead already.
            Some(
                RefusalKind::Unauthenticated
                | RefusalKind::InvalidToken
                | RefusalKind::InvalidGrant
                | RefusalKind::NotFound,
            ) => Ok(false),
            _ => Err(error.into()),
        },
    }
}

fn not_revoked(error: &anyhow::Error) -> anyhow::Error {
    let message = failure::message(error);
    let text = format!("the token cannot be revoked, and nothing was forgotten: {message}");
    let hint = "try again, or forget it as it is with --no-revoke";
    Failure::new(failure::exit(error), text).hint(hint).into()
}
