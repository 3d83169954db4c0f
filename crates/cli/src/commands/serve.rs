//! `tokenry serve`

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use tokenry_server::{
    config::{BaseUrl, Config, Override, Weakness},
    environment::Environment,
    node::{self, Node, NodeError},
    telemetry,
};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    init::{self, FIRST_EMAIL},
    load,
};
use crate::{
    args::{ConfigArgs, flag},
    output,
};

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

/// Between two attempts to reach a shared database.
const RETRY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn run(arguments: ServeArgs) -> anyhow::Result<ExitCode> {
    let config = load(&arguments.config, &arguments.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let metrics = match config.metrics.listen {
        Some(_) => Some(telemetry::start_metrics()?),
        None => None,
    };
    tell_weaknesses(&config);
    let bound = node::bind(&config)?;
    let base = bound.base().clone();
    let node = open(&config, &base).await?;
    let lock = node.lock()?;
    if let Some(created) = init::first_administrator(&node, &arguments.admin_email).await? {
        introduce(&node, &created, base.as_str())?;
    }
    // Before anybody is told that it serves: whoever stops it at once must find it listening.
    let stop = stop_signal()?;
    tracing::info!(base_url = base.as_str(), version = env!("CARGO_PKG_VERSION"), "serving");
    // Programs wait for this line and read the address from it.
    output::line(format_args!("Tokenry serves {}", base.as_str()));
    node.serve(bound, lock, metrics, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// What somebody took on for an old client or for a test must not be forgotten.
fn tell_weaknesses(config: &Config) {
    for Weakness { key, consequence } in config.weaknesses() {
        tracing::warn!(setting = key, "weaker than what is safe: {consequence}");
    }
}

/// Opens everything. A shared database that is away is waited for: nodes and database often start
/// together.
async fn open(config: &Config, base: &BaseUrl) -> Result<Node, NodeError> {
    let mut attempts = 0_u32;
    loop {
        match Node::open(config.clone(), base.clone(), Environment::system()).await {
            Err(error) if config.store.is_some() && error.may_pass() => {
                // Once at first, and then every half minute.
                if attempts.is_multiple_of(30) {
                    tracing::warn!(%error, "waiting for the database");
                }
                attempts += 1;
                tokio::time::sleep(RETRY).await;
            }
            opened => return opened,
        }
    }
}

/// The first administrator's secrets go to a terminal, or else to a file that only its owner reads:
/// standard output may be a log that many see.
fn introduce(node: &Node, created: &init::Administrator, base: &str) -> anyhow::Result<()> {
    let text = created.in_words(base);
    if io::stdout().is_terminal() {
        output::line(text);
    } else {
        let path = node.folder.write_first_administrator(&text)?;
        output::line(format_args!(
            "The first administrator is {}; password and API token are in {}",
            created.email,
            path.display()
        ));
    }
    Ok(())
}

/// Done at SIGTERM or Ctrl-C.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what is in flight");
    })
}
