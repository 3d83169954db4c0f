//! `tokenry api-token …`, as it is typed.

use clap::{Args, Subcommand};

use crate::{ask::ConfirmArgs, connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry api-token list
  tokenry api-token create --description 'nightly export' --assigned-user-id 29
  tokenry api-token delete 7

They ask the server that one is signed in at, and are for administrators. Zendesk ends API tokens on
30 April 2027: `tokenry doctor` says what still uses them, `tokenry client create` and access tokens
take their place.")]
pub(crate) struct ApiTokenArgs {
    #[command(subcommand)]
    pub(super) command: ApiTokenCommand,
}

#[derive(Subcommand)]
pub(super) enum ApiTokenCommand {
    /// List API tokens
    List(ListArgs),
    /// Show one API token
    Show(ShowArgs),
    /// Make an API token, which is shown this once
    Create(CreateArgs),
    /// Describe an API token anew, or stop it and let it go on
    Update(UpdateArgs),
    /// End an API token for good
    Delete(DeleteArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry api-token list
  tokenry api-token list --json | jq '.[] | select(.last_used == null)'")]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry api-token show 7")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// The id of its record
    pub(super) id: u64,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry api-token create --description 'nightly export'
  API_TOKEN=$(tokenry api-token create --assigned-user-id 29 -q)

It is shown this once: in words, as the member `full_token`, and with -q alone.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// With whose address alone it works [default: the server's; see the record]
    #[arg(long, value_name = "USER_ID")]
    pub(super) assigned_user_id: Option<u64>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry api-token update 7 --description 'was: nightly export'
  tokenry api-token update 7 --disable     refused at once, until it is enabled")]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// The id of its record
    pub(super) id: u64,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// Stop it: it is refused until it is enabled
    #[arg(long, conflicts_with = "enable")]
    pub(super) disable: bool,
    /// Let it go on
    #[arg(long)]
    pub(super) enable: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry api-token delete 7
  tokenry api-token delete 7 --yes      without asking, for scripts")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// The id of its record
    pub(super) id: u64,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}
