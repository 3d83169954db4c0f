//! `tokenry login`, as it is typed.

use clap::Args;

use crate::{ask::ConfirmArgs, connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry login                                       asks for everything
  tokenry login --server https://auth.example.com --browser
  tokenry login --server https://auth.example.com --email ada@example.com
  printf %s \"$API_TOKEN\" | tokenry login --server acme.zendesk.com --profile acme \\
      --email ada@acme.test --api-token-stdin
  printf %s \"$TOKEN\" | tokenry login --server https://auth.example.com --access-token-stdin

Who one is is asked of the server before anything is kept. What is kept is a profile: in
~/.config/tokenry/profiles.toml, which nobody else can read, or with --keyring the secrets of it in
the keyring of the system. Signing in at another server, as somebody else or in another way makes
another profile, unless --profile names one to replace. Tokens of a browser that are replaced are
revoked.

A browser signs in for a client that the server knows: a public one, which an administrator
registers once. To an administrator who is signed in with an API token already, `tokenry login
--browser` offers to do so (--yes agrees); or else:
  tokenry client create --identifier tokenry-cli --kind public \\
      --redirect-uri http://127.0.0.1/callback
At Zendesk, the redirect address has a port: name the same with --callback-port.")]
#[expect(clippy::struct_excessive_bools, reason = "flags, as they are typed")]
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
    /// Sign in with a browser
    #[arg(long, conflicts_with_all = ["email", "access_token_stdin"])]
    pub(super) browser: bool,
    /// Print the address to sign in at, and open no browser
    #[arg(long, conflicts_with_all = ["email", "access_token_stdin"])]
    pub(super) no_browser: bool,
    /// The client that the browser signs in for
    #[arg(long, value_name = "NAME", default_value = "tokenry-cli")]
    pub(super) client_id: String,
    /// What the browser's tokens shall be allowed to do: scopes, separated by spaces
    #[arg(long, value_name = "SCOPES", default_value = "read write")]
    pub(super) scope: String,
    /// The port of this machine that the browser comes back to, where the client's redirect
    /// address has one [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(super) callback_port: u16,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    /// Keep the secrets in the keyring of the system and not in a file
    #[arg(long)]
    pub(super) keyring: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}
