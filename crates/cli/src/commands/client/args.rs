//! `tokenry client …`, as it is typed.

use clap::{Args, Subcommand, ValueEnum};
use tokenry_client::models::{ClientKind, ClientRequest, GrantType, Sent, UserId};

use crate::{ask::ConfirmArgs, connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client list
  tokenry client create --identifier acme --name 'Acme sync' \\
      --redirect-uri https://acme.test/callback
  tokenry client generate-secret acme

They ask the server that one is signed in at, and are for administrators. A client is named by its
identifier or by the id of its record.")]
pub(crate) struct ClientArgs {
    #[command(subcommand)]
    pub(super) command: ClientCommand,
}

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// List clients
    List(ListArgs),
    /// Show one client
    Show(ShowArgs),
    /// Register a client; the secret of a confidential one is shown this once
    Create(CreateArgs),
    /// Change a client, or stop it and let it go on
    Update(UpdateArgs),
    /// End a client with every token of it
    Delete(DeleteArgs),
    /// Make a new secret, which is shown this once; the one before works no more
    GenerateSecret(GenerateSecretArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client list
  tokenry client list --own
  tokenry client list --csv > clients.csv")]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// Those that you answer for
    #[arg(long)]
    pub(super) own: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client show acme
  tokenry client show 41 --json")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) named: NamedArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Which client.
#[derive(Args)]
pub(super) struct NamedArgs {
    /// Its identifier, or the id of its record
    #[arg(value_name = "CLIENT")]
    pub(super) client: String,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client create --identifier acme --redirect-uri https://acme.test/callback
  tokenry client create --identifier tokenry-cli --kind public \\
      --redirect-uri http://127.0.0.1/callback
  tokenry client create --identifier nightly --grant-type client_credentials --scope read --json

The secret is shown this once: in words, as the member `secret`, and with -q alone. Of a public
client, which has none, -q prints the id.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// The name by which it asks for tokens, its `client_id`
    #[arg(long, value_name = "NAME")]
    pub(super) identifier: String,
    /// Whether it can keep a secret [default: confidential]
    #[arg(long, value_enum)]
    pub(super) kind: Option<KindArg>,
    #[command(flatten)]
    pub(super) members: MemberArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client update acme --redirect-uri https://acme.test/a --redirect-uri https://acme.test/b
  tokenry client update acme --scope ''                     no ceiling any more
  tokenry client update 41 --disable                        its tokens are refused, at once

What is not named stays as it is. An empty value takes a text, a list or a limit away.")]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) named: NamedArgs,
    /// The name by which it asks for tokens, its `client_id`
    #[arg(long, value_name = "NAME")]
    pub(super) identifier: Option<String>,
    #[command(flatten)]
    pub(super) members: MemberArgs,
    /// Stop it: its tokens are refused until it is enabled
    #[arg(long, conflicts_with = "enable")]
    pub(super) disable: bool,
    /// Let it go on
    #[arg(long)]
    pub(super) enable: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What can be said of a new client and changed of an old one.
#[derive(Args)]
pub(super) struct MemberArgs {
    /// What users see [default: the identifier]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where users may be sent back to; may be given more than once
    #[arg(long, value_name = "URL")]
    redirect_uri: Vec<String>,
    /// The most that it may ask for: scopes, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The organisation behind it
    #[arg(long, value_name = "TEXT")]
    company: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who answers for it [default: you]
    #[arg(long, value_name = "USER_ID")]
    user_id: Option<u64>,
    /// How it may get tokens; may be given more than once [default: all that its kind may]
    #[arg(long, value_name = "GRANT_TYPE", value_enum)]
    grant_type: Vec<GrantTypeArg>,
    /// Whether introspection shows it every token
    #[arg(long, value_name = "true|false")]
    resource_server: Option<bool>,
    /// The most seconds that its access tokens live
    #[arg(long, value_name = "SECONDS", value_parser = limit)]
    access_token_lifetime_max: Option<Limit>,
    /// The most seconds that its refresh tokens live
    #[arg(long, value_name = "SECONDS", value_parser = limit)]
    refresh_token_lifetime_max: Option<Limit>,
    /// How many seconds its previous refresh token gets the same answer
    #[arg(long, value_name = "SECONDS", value_parser = limit)]
    retry_window_seconds: Option<Limit>,
}

/// Seconds, or none.
#[derive(Clone, Copy)]
struct Limit(Option<u64>);

fn limit(text: &str) -> Result<Limit, String> {
    if text.is_empty() {
        return Ok(Limit(None));
    }
    let seconds = text.parse().map_err(|_| "whole seconds, or nothing for no limit")?;
    Ok(Limit(Some(seconds)))
}

impl MemberArgs {
    /// As the server takes it.
    pub(super) fn request(self) -> ClientRequest {
        let list = |list: Vec<String>| match list {
            list if list.is_empty() => Sent::Absent,
            list => Sent::Value(list.into_iter().filter(|entry| !entry.is_empty()).collect()),
        };
        let grant_types = self.grant_type.into_iter().map(GrantType::from).collect::<Vec<_>>();
        ClientRequest {
            name: text(self.name),
            redirect_uri: list(self.redirect_uri),
            allowed_scopes: match text(self.scope) {
                Sent::Value(scopes) => {
                    Sent::Value(scopes.split_whitespace().map(str::to_owned).collect())
                }
                Sent::Absent => Sent::Absent,
                Sent::Null | Sent::Mistyped => Sent::Null,
            },
            company: text(self.company),
            description: text(self.description),
            user_id: match self.user_id {
                Some(id) => Sent::Value(UserId::new(id).ok()),
                None => Sent::Absent,
            },
            grant_types: if grant_types.is_empty() { Sent::Absent } else { grant_types.into() },
            resource_server: self.resource_server.map_or(Sent::Absent, Sent::Value),
            access_token_lifetime_max: seconds(self.access_token_lifetime_max),
            refresh_token_lifetime_max: seconds(self.refresh_token_lifetime_max),
            retry_window_seconds: seconds(self.retry_window_seconds),
            ..ClientRequest::default()
        }
    }
}

/// Nothing where nothing was said, `null` where it is to be taken away.
fn text(text: Option<String>) -> Sent<String> {
    match text {
        None => Sent::Absent,
        Some(text) if text.is_empty() => Sent::Null,
        Some(text) => Sent::Value(text),
    }
}

fn seconds(limit: Option<Limit>) -> Sent<u64> {
    match limit {
        None => Sent::Absent,
        Some(Limit(None)) => Sent::Null,
        Some(Limit(Some(seconds))) => Sent::Value(seconds),
    }
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client delete acme
  tokenry client delete 41 --yes        without asking, for scripts")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) named: NamedArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry client generate-secret acme
  SECRET=$(tokenry client generate-secret acme --yes -q)")]
pub(super) struct GenerateSecretArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) named: NamedArgs,
    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KindArg {
    /// Runs where its secret could be read: a browser, a phone, a laptop
    Public,
    /// Runs on a server of its own
    Confidential,
}

impl From<KindArg> for ClientKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Public => Self::Public,
            KindArg::Confidential => Self::Confidential,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum GrantTypeArg {
    /// A user consents (RFC 6749 §4.1)
    AuthorizationCode,
    /// A token is exchanged for its successor (RFC 6749 §6)
    RefreshToken,
    /// It acts for itself (RFC 6749 §4.4)
    ClientCredentials,
}

impl From<GrantTypeArg> for GrantType {
    fn from(grant_type: GrantTypeArg) -> Self {
        match grant_type {
            GrantTypeArg::AuthorizationCode => Self::AuthorizationCode,
            GrantTypeArg::RefreshToken => Self::RefreshToken,
            GrantTypeArg::ClientCredentials => Self::ClientCredentials,
        }
    }
}
