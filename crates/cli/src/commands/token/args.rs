//! `tokenry token …`, as it is typed.

use clap::{Args, Subcommand, ValueEnum};

use super::{filter::FilterArgs, selection::Reach};
use crate::{ask::ConfirmArgs, connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token list --unused 30d
  tokenry token list --never-expires --csv > tokens.csv
  tokenry token revoke --client acme --unused 90d --dry-run

They ask the server that one is signed in at, a Zendesk account as well. Everybody's tokens are for
administrators; --mine is for everybody. `tokenry audit` shows all of it with what is wrong.")]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(super) command: TokenCommand,
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// List tokens: everybody's, or those of a client, of a user, unused ones, …
    List(ListArgs),
    /// Show one token
    Show(ShowArgs),
    /// Show the token that one is signed in with, or one from standard input
    Current(CurrentArgs),
    /// Make a token for yourself, which is shown this once
    Create(CreateArgs),
    /// Revoke tokens: those that are named, or all that are meant
    Revoke(RevokeArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token list
  tokenry token list --unused 30d --sort used
  tokenry token list --never-expires --client acme --json
  tokenry token list --user ben@example.com --scope users:write
  tokenry token list --mine -q

Everybody's tokens are listed, for administrators; others add --mine. In the order of ids they are
printed as they are read, in --json, --yaml, --csv and -q. A token that somebody used a moment ago
may be listed as unused until its server has written the use down, some seconds later.")]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Consented grants too that have expired in the last 30 days
    #[arg(long, conflicts_with = "mine")]
    pub(super) include_expired: bool,
    /// In this order, the lowest or earliest first; what was never used comes before all that was
    #[arg(long, value_enum, default_value_t = Sort::Id)]
    pub(super) sort: Sort,
    /// So many at most
    #[arg(long, value_name = "COUNT")]
    pub(super) limit: Option<usize>,
    /// Do not look up what clients and users are called
    #[arg(long)]
    pub(super) no_names: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    Id,
    Created,
    Used,
}

impl ListArgs {
    /// Whose tokens are looked at.
    pub(super) const fn reach(&self) -> Reach {
        if self.include_expired { Reach::WithExpired } else { self.filter.reach() }
    }
}

/// One token.
const TOKEN: &str = "ID|FIRST10|URL|-";

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token show 1001
  tokenry token show a0000000G9                    as logs and lists show it
  tokenry token show https://auth.example.com/api/v2/tokens/1001.json
  pbpaste | tokenry token show -                   a whole token from standard input")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// The id of its record, its first 10 characters, the address of its record, or `-` for a whole
    /// token from standard input. Of a refresh token too
    #[arg(value_name = TOKEN)]
    pub(super) token: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token current
  pbpaste | tokenry token current --token-stdin --server https://auth.example.com

It counts as a use. The status is 4 when the token works no more.")]
pub(super) struct CurrentArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// Read a token from standard input, and ask with it
    #[arg(long)]
    pub(super) token_stdin: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token create --client acme --scope 'read users:write'
  TOKEN=$(tokenry token create --client acme --scope read -q)

It acts as you, in the name of the client, and does not expire unless the server limits it. It is
shown this once: in words, as the member `full_token` or `token`, and with -q alone.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// In the name of this client, by its identifier or its id
    #[arg(long, value_name = "IDENTIFIER|ID")]
    pub(super) client: String,
    /// What it may do: scopes, separated by spaces [default: read]
    #[arg(long, value_name = "SCOPES")]
    pub(super) scope: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry token revoke 1001 a0000000GA
  tokenry token revoke --unused 90d --dry-run      what would be revoked, and nothing else
  tokenry token revoke --client acme --unused 90d  shows a summary, and asks
  tokenry token revoke --user ben@example.com --yes
  tokenry token list --never-expires -q | xargs tokenry token revoke --yes

All rules together say which tokens are meant, and without any nothing is revoked; --everything
takes all. The token that you are signed in with stays unless you add --including-mine. With
--unused or --expiring each token is looked at again just before it is revoked: one that was used
or refreshed meanwhile stays. What is gone already counts as revoked, so that a command that was
interrupted (status 130) can be run again for the rest. With --json, --yaml, --csv or -q it prints
the tokens that were revoked.")]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// Those that are named: by id, first 10 characters, the address of the record, or `-` for a
    /// whole token from standard input
    #[arg(value_name = TOKEN)]
    pub(super) tokens: Vec<String>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// All of them
    #[arg(long, conflicts_with = "tokens")]
    pub(super) everything: bool,
    /// The token too that you are signed in with
    #[arg(long)]
    pub(super) including_mine: bool,
    /// Print what would be revoked, and revoke nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}
