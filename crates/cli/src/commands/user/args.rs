//! `tokenry user …`, as it is typed.

use clap::{Args, Subcommand, ValueEnum};
use tokenry_core::user::Role;
use tokenry_server::accounts::{Administrators, Named};

use crate::{args::ConfigArgs, ask::ConfirmArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user list --role admin
  tokenry user create --email ben@example.com --name 'Ben Okafor' --role agent
  tokenry user disable ben@example.com

They work on the database itself, beside running servers, which follow what is changed at once:
no server has to be reachable, and nobody has to be signed in.")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(super) command: UserCommand,
}

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// List users
    List(ListArgs),
    /// Show one user
    Show(ShowArgs),
    /// Make a verified user with an API token of their own
    Create(CreateArgs),
    /// Refuse a user everywhere, at once, until they are enabled
    Disable(DisableArgs),
    /// Let a disabled user in again; tokens that have not expired work again
    Enable(EnableArgs),
    /// Change what a user may do
    SetRole(SetRoleArgs),
    /// Give a user a new password, which ends their sign-in sessions
    SetPassword(SetPasswordArgs),
    /// End a user with their tokens; refused while they own clients
    Delete(DeleteArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user list
  tokenry user list --role admin --status active
  tokenry user list --csv > users.csv
  tokenry user list --status disabled -q | xargs -n1 tokenry user show")]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Those of one role
    #[arg(long, value_enum)]
    pub(super) role: Option<RoleArg>,
    /// Those who are let in, or those who are not
    #[arg(long, value_enum)]
    pub(super) status: Option<StatusArg>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user show ben@example.com
  tokenry user show 29 --json")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The address they sign in with, or their id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: Named,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user create --email ben@example.com --name 'Ben Okafor' --role agent
  printf %s \"$PASSWORD\" | tokenry user create --email c@example.com --password-stdin --json

With --json it prints `{\"id\", \"email\", \"api_token\"}`, and `password` when one was made.
Secrets are shown this once. With -q it prints nothing else, one a line: the password when one was
made, and the API token.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The address they sign in with
    #[arg(long, value_name = "EMAIL")]
    pub(super) email: String,
    /// What others see [default: the address]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// What they may do in the record API
    #[arg(long, value_enum, default_value = "end-user")]
    pub(super) role: RoleArg,
    /// Read the password from standard input instead of making one
    #[arg(long)]
    pub(super) password_stdin: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What every command takes that may leave nobody who could act as an administrator.
#[derive(Args)]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The address they sign in with, or their id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: Named,
    /// Do it even if no active administrator is left
    #[arg(long)]
    leave_no_admin: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl ChangeArgs {
    pub(super) const fn administrators(&self) -> Administrators {
        if self.leave_no_admin { Administrators::MayBeNone } else { Administrators::KeepOne }
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry user enable ben@example.com")]
pub(super) struct EnableArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The address they sign in with, or their id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: Named,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user disable ben@example.com
  tokenry user disable 29 --json

Their tokens, API tokens and sessions are refused, and come back to life with `user enable`. To end
them for good: `tokenry user set-password EMAIL --generate --revoke-tokens`, or `user delete`.

API tokens that they made and that are bound to nobody work with everybody's address
(api_tokens.account_wide), and go on working: it says which, and how to end them.")]
pub(super) struct DisableArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user set-role ben@example.com admin
  tokenry user set-role 29 agent --json

What they may do changes at once, with the tokens that they have.")]
pub(super) struct SetRoleArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    /// What they may do in the record API
    #[arg(value_enum)]
    pub(super) role: RoleArg,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user set-password ben@example.com              ask for it, twice
  tokenry user set-password ben@example.com --generate --revoke-tokens
  printf %s \"$PASSWORD\" | tokenry user set-password 29 --password-stdin

Before tokens are revoked it asks; --yes is for scripts. Among their API tokens are those that they
made and that are bound to nobody (api_tokens.account_wide), which others may be using.")]
pub(super) struct SetPasswordArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The address they sign in with, or their id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: Named,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "generate")]
    pub(super) password_stdin: bool,
    /// Make a password and print it, this once
    #[arg(long, conflicts_with = "quiet")]
    pub(super) generate: bool,
    /// Revoke their tokens and API tokens as well, for good, and API tokens of theirs that are
    /// bound to nobody
    #[arg(long)]
    pub(super) revoke_tokens: bool,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry user delete ben@example.com
  tokenry user delete 29 --yes          without asking, for scripts

API tokens that they made and that are bound to nobody (api_tokens.account_wide) end as well,
although others may be using them.")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleArg {
    /// Sees and revokes their own tokens
    EndUser,
    /// Sees and revokes their own tokens
    Agent,
    /// Everything
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::EndUser => Self::EndUser,
            RoleArg::Agent => Self::Agent,
            RoleArg::Admin => Self::Admin,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StatusArg {
    /// Let in
    Active,
    /// Refused everywhere; the record API says `suspended`
    Disabled,
}

impl StatusArg {
    pub(super) const fn is_suspended(self) -> bool {
        matches!(self, Self::Disabled)
    }
}
