//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokenry_server::config::Override;

use crate::{
    commands::{
        api_token::ApiTokenArgs, audit::AuditArgs, backup::BackupArgs,
        check_config::CheckConfigArgs, client::ClientArgs, completions::CompletionsArgs,
        decode::DecodeArgs, demo::DemoArgs, doctor::DoctorArgs, export::ExportArgs,
        import::ImportArgs, init::InitArgs, introspect::IntrospectArgs, key::KeyArgs,
        login::LoginArgs, logout::LogoutArgs, man::ManArgs, profile::ProfileArgs, purge::PurgeArgs,
        reference::ReferenceArgs, restore::RestoreArgs, scope::ScopeArgs, serve::ServeArgs,
        store::StoreArgs, token::TokenArgs, twin::TwinArgs, user::UserArgs, whoami::WhoamiArgs,
        why::WhyArgs,
    },
    exit_code::Exit,
};

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
  tokenry twin                          a double of Zendesk to test a client against
  tokenry serve --listen 0.0.0.0:4000 --data /var/lib/tokenry --base-url https://auth.example.com
  tokenry user create --email ben@example.com --name 'Ben Okafor' --role agent
  tokenry store copy --from sqlite:/var/lib/tokenry --to postgres://tokenry@db.example.com/tokenry
  tokenry why a0000000G9                why a token is refused, by its first 10 characters
  tokenry check-config --config tokenry.toml

Every setting is also an environment variable: see `tokenry check-config`.
Data for scripts goes to standard output, everything else to standard error.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Watch the whole life of a token over real HTTP, then look around in the server
    Demo(DemoArgs),
    /// Serve: the authorization server, the record API and the pages
    Serve(ServeArgs),
    /// Start a double of Zendesk's token API for tests, with faults and a clock to turn
    Twin(Box<TwinArgs>),
    /// Make the data folder and the first administrator, without serving
    Init(InitArgs),
    /// List, make, change and end user accounts
    User(UserArgs),
    /// Rotate the keys, or replace a lost server key
    Key(KeyArgs),
    /// Move a whole installation into another database
    Store(StoreArgs),
    /// Sign in at a server: its commands are then sent there, as you
    Login(LoginArgs),
    /// Sign out: revoke what `login` got, and forget it
    Logout(LogoutArgs),
    /// List, show, pick and forget the servers that one is signed in at
    Profile(ProfileArgs),
    /// Show who is signed in, where, and what they may do
    Whoami(WhoamiArgs),
    /// List, register, change and end clients
    Client(ClientArgs),
    /// List, show, make and revoke tokens: one, or all that nobody uses any more
    Token(TokenArgs),
    /// Print who holds what, with what scope, last used when, and what is wrong with it
    Audit(AuditArgs),
    /// List, make, change and end API tokens
    ApiToken(ApiTokenArgs),
    /// Ask as a client whether a token is active, and what it may do
    Introspect(IntrospectArgs),
    /// Say what a credential is or was, why it is refused, and what happened to it
    Why(WhyArgs),
    /// Say what a credential says of itself, without asking any server
    Decode(DecodeArgs),
    /// Explain scopes
    Scope(ScopeArgs),
    /// Take a backup while servers run, and verify it
    Backup(BackupArgs),
    /// Put a backup back, and settle what was revoked since it was taken
    Restore(RestoreArgs),
    /// Write clients, users and token records as JSON Lines
    Export(ExportArgs),
    /// Take in what `export` has written
    Import(ImportArgs),
    /// Remove what is over now, as servers do by themselves
    Purge(PurgeArgs),
    /// Find what is wrong with the installation and the sign-in here, and say how to mend it
    Doctor(DoctorArgs),
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
