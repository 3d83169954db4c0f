//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokenry_server::config::Override;

use crate::{
    commands::{
        completions::CompletionsArgs, man::ManArgs, reference::ReferenceArgs, user::UserArgs,
    },
    exit_code::Exit,
};

/// The first administrator's address when nobody says otherwise.
const FIRST_EMAIL: &str = "admin@example.com";

/// OAuth tokens like those of Zendesk's API, for any HTTP API.
#[derive(Parser)]
#[command(name = "tokenry", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = after_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What `tokenry --help` ends with.
fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}", Exit::help())
}

const EXAMPLES: &str = "\
Examples:
  tokenry demo                          watch the whole life of a token, then look around
  tokenry serve                         serve on http://127.0.0.1:4000, data in ./tokenry-data
  tokenry serve --listen 0.0.0.0:4000 --data /var/lib/tokenry --base-url https://auth.example.com
  tokenry user create --email ben@example.com --name 'Ben Okafor' --role agent
  tokenry store copy --from sqlite:/var/lib/tokenry --to postgres://tokenry@db.example.com/tokenry
  tokenry check-config --config tokenry.toml

Every setting is also an environment variable: see `tokenry check-config`.
Data for scripts goes to standard output, everything else to standard error.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Watch the whole life of a token over real HTTP, then look around in the server
    Demo(DemoArgs),
    /// Serve: the authorization server, the record API and the pages
    Serve(ServeArgs),
    /// Make the data folder and the first administrator, without serving
    Init(InitArgs),
    /// List, make, change and end user accounts
    User(UserArgs),
    /// Rotate the keys, or replace a lost server key
    Key(KeyArgs),
    /// Move a whole installation into another database
    Store(StoreArgs),
    /// Check the configuration without starting, and show every value and where it comes from
    CheckConfig(CheckConfigArgs),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of every command into a folder
    Man(ManArgs),
    /// Print the generated reference
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// What every command that opens the data folder takes.
#[derive(Args, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder that holds everything [default: ./tokenry-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// The database that several nodes share, postgres://… [default: the one in the folder]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

impl ConfigArgs {
    /// The flags that were given, as settings.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let data = flag("data", "--data", self.data.as_deref());
        data.into_iter().chain(flag("store", "--store", self.store.as_deref())).collect()
    }
}

/// A flag that was given, as a setting.
pub(crate) fn flag(key: &str, flag: &str, value: Option<&str>) -> Option<Override> {
    value.map(|value| Override {
        key: key.to_owned(),
        value: value.to_owned(),
        flag: flag.to_owned(),
    })
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry demo
  tokenry demo --once > walk.txt        end after the walk; status 0 only if every step held")]
pub(crate) struct DemoArgs {
    /// Keep the data in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// End after the walk
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry serve
  tokenry serve --listen 127.0.0.1:0 --data /tmp/try
  TOKENRY_METRICS_LISTEN=127.0.0.1:9090 tokenry serve --config /etc/tokenry.toml

The first start on an empty folder makes an administrator and says how to sign in.
SIGTERM and Ctrl-C stop the server; requests that are in flight are finished.")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The address to listen on; port 0 takes any free port [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// The address that clients reach the server by [default: the address it listens on]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Allow plain http on an address that is not loopback
    #[arg(long)]
    pub(crate) insecure_http: bool,
    /// The address of the first administrator, if there is no user yet
    #[arg(long, value_name = "EMAIL", default_value = FIRST_EMAIL)]
    pub(crate) admin_email: String,
}

impl ServeArgs {
    /// The flags that were given, as settings.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let insecure = self.insecure_http.then_some("true");
        let mut overrides = self.config.overrides();
        overrides.extend(flag("listen", "--listen", self.listen.as_deref()));
        overrides.extend(flag("base_url", "--base-url", self.base_url.as_deref()));
        overrides.extend(flag("insecure_http", "--insecure-http", insecure));
        overrides
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry init --data /var/lib/tokenry --admin-email ada@example.com --json")]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The first administrator's address
    #[arg(long, value_name = "EMAIL", default_value = FIRST_EMAIL)]
    pub(crate) admin_email: String,
    /// Print `{"email", "password", "api_token"}` instead of sentences
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make new token, cursor and page keys; the old ones stay valid for what they made
    Rotate(ConfigArgs),
    /// Make a new server key for a database whose key is lost for good
    Replace(KeyReplaceArgs),
}

#[derive(Args)]
#[command(after_help = "\
Tokens that were issued under the lost key stay valid. What needs the key itself is over
for them: a refresh whose answer was lost cannot be given again, and an old refresh token that comes
back is refused without ending its grant. Stop the server first.")]
pub(crate) struct KeyReplaceArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Confirm that the old key is lost
    #[arg(long, required = true)]
    pub(crate) lost: bool,
}

#[derive(Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Make one database the same as another, between SQLite and PostgreSQL or within one of them
    Copy(StoreCopyArgs),
}

#[derive(Args)]
#[command(after_help = "\
ADDRESS is one of
  sqlite:PATH        a data folder, or a database file that ends in .db
  postgres://…       a database that is there already
  env:NAME           the address is in that environment variable: an argument can be seen in
                     process lists, so an address with a password belongs there

Examples:
  tokenry store copy --from sqlite:/var/lib/tokenry --to postgres://tokenry@db.example.com/tokenry
  TOKENRY_STORE='postgres://tokenry:…@db.example.com/tokenry' \\
      tokenry store copy --from sqlite:/var/lib/tokenry --to env:TOKENRY_STORE
  tokenry store copy --from env:TOKENRY_STORE --to sqlite:/var/lib/tokenry-copy --json

Stop every server on both databases first. All that was issued stays valid: tokens, API tokens,
sessions, clients and users are copied with their ids and the sealed keys. The server key is not in
a database: take it along. At the end both sides are read again and compared.

It can be run again, after it was broken off or when the source has moved on, and makes the target
the same as the source again. A target that holds anything else, or that was served since it was
copied, is refused before anything is written. Until a copy is whole no server opens its target.")]
pub(crate) struct StoreCopyArgs {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database to read
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: String,
    /// The database to write: empty, or an earlier copy that was not served since
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// Print `{"tables": [{"table", "rows", "changed", "sha256"}], "seconds", "server_key"}`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry check-config
  tokenry check-config --config /etc/tokenry.toml")]
pub(crate) struct CheckConfigArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
