//! `tokenry login`, as it is typed.

use clap::Args;

use crate::{connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry login                                       asks for everything
  tokenry login --server https://auth.example.com --email ada@example.com
  printf %s \"$API_TOKEN\" | tokenry login --server acme.zendesk.com --profile acme \\
      --email ada@acme.test --api-token-stdin
  printf %s \"$TOKEN\" | tokenry login --server https://auth.example.com --access-token-stdin

Who one is is asked of the server before anything is kept. What is kept is a profile: in
~/.config/tokenry/profiles.toml, which nobody else can read, or with --keyring the secrets of it in
the keyring of the system. Signing in at another server makes another profile.")]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// Sign in with an API token of the user of this address
    #[arg(long, value_name = "EMAIL")]
    pub(super) email: Option<String>,
    /// Read the API token from standard input instead of asking for it
    #[arg(long, requires = "email")]
    pub(super) api_token_stdin: bool,
    /// Sign in with an access token, which is read from standard input
    #[arg(long, conflicts_with = "email")]
    pub(super) access_token_stdin: bool,
    /// Keep the secrets in the keyring of the system and not in a file
    #[arg(long)]
    pub(super) keyring: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}
