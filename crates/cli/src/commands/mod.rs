//! One command a file.

pub(crate) mod api_token;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check_config;
pub(crate) mod client;
pub(crate) mod completions;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod introspect;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
mod presented;
pub(crate) mod profile;
pub(crate) mod purge;
pub(crate) mod reference;
pub(crate) mod restore;
pub(crate) mod scope;
pub(crate) mod serve;
pub(crate) mod server_key;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod twin;
pub(crate) mod user;
pub(crate) mod whoami;
pub(crate) mod why;

use std::path::Path;

use anyhow::Context;
use tokenry_server::{
    config::{Config, Loaded, Mode, Override, process_environment},
    data_folder::DataFolder,
    environment::Environment,
    node::Node,
};

use crate::{args::ConfigArgs, exit_code::Exit, failure::Failure};

/// Reads the configuration with these flags over it.
pub(crate) fn load(arguments: &ConfigArgs, overrides: &[Override]) -> anyhow::Result<Loaded> {
    Ok(Config::load(Mode::Serve, arguments.config.as_deref(), process_environment(), overrides)?)
}

/// Opens an installation that is there already, for a command that does its work and ends.
pub(crate) async fn open_existing(arguments: &ConfigArgs) -> anyhow::Result<Node> {
    let config = load(arguments, &arguments.overrides())?.config;
    let database = DataFolder::named(&config.data).database();
    if config.store.is_none() && !database.exists() {
        return Err(no_installation(&config.data).into());
    }
    open(arguments).await
}

/// A folder without a database.
pub(crate) fn no_installation(folder: &Path) -> Failure {
    let message = format!("there is no installation in {}", folder.display());
    let hint = "name its folder with --data, or make one with `tokenry init`";
    Failure::new(Exit::NotFound, message).hint(hint)
}

/// Opens the data folder for a command that does its work and ends.
pub(crate) async fn open(arguments: &ConfigArgs) -> anyhow::Result<Node> {
    let config = load(arguments, &arguments.overrides())?.config;
    tokenry_server::telemetry::start_log(&config.log).context("log.filter")?;
    // Nothing that such a command does shows the public address.
    let base = config.base_at(config.listen)?;
    Ok(Node::open(config, base, Environment::system()).await?)
}

/// Before the name of something.
pub(crate) fn article(name: &str) -> &'static str {
    if name.starts_with(['a', 'A', 'o']) { "an" } else { "a" }
}
