//! `tokenry key rotate` and `tokenry key replace --lost`

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use tokenry_core::credentials::Key;
use tokenry_server::{
    config::Config, data_folder::DataFolder, database::Database, environment::Environment, keyring,
    telemetry,
};

use super::{load, no_installation, open_existing};
use crate::{args::ConfigArgs, output};

#[derive(Args)]
#[command(after_help = "Example:
  tokenry key rotate --data /var/lib/tokenry")]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make new token, cursor and page keys; the old ones stay valid for what they made
    Rotate(KeyRotateArgs),
    /// Make a new server key for a database whose key is lost for good
    Replace(KeyReplaceArgs),
}

#[derive(Args)]
#[command(after_help = "Example:
  tokenry key rotate --data /var/lib/tokenry

It works while servers run, which take the new keys at once.")]
pub(crate) struct KeyRotateArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Args)]
#[command(after_help = "\
Example:
  tokenry key replace --lost --data /var/lib/tokenry

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

/// Rotates or replaces keys.
pub(crate) async fn run(arguments: KeyArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        KeyCommand::Rotate(arguments) => rotate(&arguments.config).await,
        KeyCommand::Replace(arguments) => replace(&arguments.config).await,
    }
}

async fn rotate(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let node = open_existing(arguments).await?;
    let state = &node.state;
    let entropy = state.environment.entropy.as_ref();
    let rotated =
        keyring::rotate(state.store.as_ref(), &state.root_key, entropy, state.now()).await;
    node.close().await;
    rotated?;
    output::line("New keys are in use; what the old ones made stays valid.");
    Ok(ExitCode::SUCCESS)
}

/// Opens the database without its keys, which is what is wrong with it.
async fn replace(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = load(arguments, &arguments.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let folder = DataFolder::named(&config.data);
    if config.store.is_none() && !folder.database().is_file() {
        return Err(no_installation(&config.data).into());
    }
    let folder = DataFolder::open(&config.data)?;
    // Nodes on a shared database have no lock in common; whoever does this has stopped them.
    let _lock = if config.store.is_none() { Some(folder.lock()?) } else { None };
    let environment = Environment::system();
    let database = Database::open(&folder, &config).await?;
    let (root_key, kept_in) = new_root_key(&config, &folder, &environment)?;
    let store = database.store();
    let now = environment.clock.now();
    let replaced =
        keyring::replace_lost(store.as_ref(), &root_key, environment.entropy.as_ref(), now).await;
    database.close().await;
    replaced?;
    output::line(format_args!("A new server key is in use; it is kept in {kept_in}. Back it up."));
    Ok(ExitCode::SUCCESS)
}

/// The key that the configuration gives, or a new one in the folder; an old key file stays beside.
fn new_root_key(
    config: &Config,
    folder: &DataFolder,
    environment: &Environment,
) -> anyhow::Result<(Key, String)> {
    let (given, file) = (config.server_key.as_ref(), config.key_file.as_deref());
    if given.is_some() || file.is_some() {
        let key = folder.root_key(given, file)?.context("no key")?;
        let kept_in =
            file.map_or("TOKENRY_SERVER_KEY".to_owned(), |file| file.display().to_string());
        return Ok((key, kept_in));
    }
    let path = folder.server_key();
    if path.exists() {
        set_aside(&path)?;
    }
    let key = Key::draw(environment.entropy.as_ref());
    folder.write_key(&key).with_context(|| path.display().to_string())?;
    Ok((key, path.display().to_string()))
}

fn set_aside(path: &Path) -> anyhow::Result<()> {
    let aside = path.with_extension("key.replaced");
    if aside.exists() {
        bail!("{} is in the way: move it elsewhere first", aside.display());
    }
    std::fs::rename(path, &aside).with_context(|| path.display().to_string())?;
    output::line(format_args!("The old key is set aside in {}.", aside.display()));
    Ok(())
}
