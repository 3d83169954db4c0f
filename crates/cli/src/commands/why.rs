//! `tokenry why`
//!
//! 1. `facts`: what the database knows of the record that a public part names.
//! 2. `tokenry_core::standing`: whether its credential works, and if not why.
//! 3. `timeline` and `report`: both told, as text or as JSON.

mod facts;
mod report;
mod timeline;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use tokenry_protocol::secret::{PUBLIC_LENGTH, examination::Examination};
use tokenry_server::{
    config::Config, data_folder::DataFolder, database::Database, environment::Environment,
    telemetry,
};

use self::{
    facts::{Asked, Facts},
    report::Report,
};
use super::{load, no_installation, presented};
use crate::{args::ConfigArgs, output};

#[derive(Args)]
#[command(after_help = "\
Works while a server runs, on the database that the same flags and settings name. Of a whole
credential the first 10 characters are used, and how often its record had been refreshed when it was
issued; nothing of it is printed or looked up but those. Of a JWT access token the credential in it
is meant.

A server writes down uses and refusals once a second. Of refused credentials only those leave
something whose tag shows that this server issued them: what somebody made up leaves nothing.

The exit code is 0 if the question could be answered, whatever the answer is.

Examples:
  tokenry why a0000000G9
  tokenry why r0000000G9 --data /var/lib/tokenry
  tokenry why - --json < token.txt")]
pub(crate) struct WhyArgs {
    /// The first 10 characters of a credential, as logs and lists show them, or - for standard
    /// input
    #[arg(value_name = "PUBLIC_PART", allow_hyphen_values = true)]
    credential: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print `{"credential", "kind", "id", "works", "standing", "explanation", …, "timeline"}`
    #[arg(long)]
    json: bool,
}

/// Says what a credential is or was, and why it is refused.
pub(crate) async fn run(arguments: WhyArgs) -> anyhow::Result<ExitCode> {
    let asked = asked(&presented::text(&arguments.credential)?)?;
    let config = load(&arguments.config, &arguments.config.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let database = open(&config).await?;
    let now = Environment::system().clock.now();
    let unbound = config.api_tokens.unbound();
    let facts = Facts::gather(database.store().as_ref(), asked, unbound, now).await;
    database.close().await;
    let report = Report::of(&facts?, &config.purge);
    if arguments.json {
        output::line(serde_json::to_string(&report)?);
    } else {
        output::line(report);
    }
    Ok(ExitCode::SUCCESS)
}

/// What text names, if it is one of ours as far as its first 10 characters go.
fn asked(text: &str) -> anyhow::Result<Asked> {
    let examined = Examination::of(text);
    let rotation = match examined {
        Examination::Whole { rotation, .. } | Examination::JwtAccessToken { rotation, .. } => {
            Some(rotation)
        }
        _ => None,
    };
    match examined.public() {
        Some(public) => Ok(Asked { public, rotation }),
        None => bail!(
            "this is none of Tokenry's credentials, nor the first {PUBLIC_LENGTH} characters of \
             one: `tokenry decode` says what is wrong with it"
        ),
    }
}

/// Opens the database without its keys, which nothing here needs; makes none where there is none.
async fn open(config: &Config) -> anyhow::Result<Database> {
    let folder = DataFolder::named(&config.data);
    if config.store.is_none() && !folder.database().is_file() {
        return Err(no_installation(&config.data).into());
    }
    Ok(Database::open(&folder, config).await?)
}
