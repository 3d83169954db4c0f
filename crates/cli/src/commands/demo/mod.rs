//! `tokenry demo`: the whole life of a token over real HTTP, then a server to look around in.

mod browser;
mod cast;
mod http;
mod walk;

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use tokenry_server::{
    accounts::CreatedUser,
    config::{Config, Mode, Override},
    environment::Environment,
    node,
    node::Node,
};

use self::cast::Cast;
use super::serve::stop_signal;
use crate::{args::flag, output};

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

/// Starts a server, walks through the main job, and keeps serving.
pub(crate) async fn run(arguments: DemoArgs) -> anyhow::Result<ExitCode> {
    output::line("Tokenry demo: the life of a token, over real HTTP.\n");
    let temporary = match &arguments.data {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("tokenry-demo-").tempdir()?),
    };
    let folder = temporary.as_ref().map(|folder| folder.path().display().to_string());
    let folder = arguments.data.clone().or(folder).unwrap_or_default();
    let overrides: Vec<Override> = [
        flag("data", "--data", Some(&folder)),
        flag("listen", "demo", Some("127.0.0.1:0")),
        flag("log.filter", "demo", Some("error")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let config = Config::load(Mode::Serve, None, std::iter::empty(), &overrides)?.config;
    tokenry_server::telemetry::start_log(&config.log).context("log.filter")?;

    let bound = node::bind(&config)?;
    let base = bound.base().clone();
    let node = Node::open(config, base.clone(), Environment::system()).await?;
    let lock = node.lock()?;
    let cast = Cast::of(&node, base.as_str()).await?;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(node.serve(bound, lock, None, async move {
        let _ = stopped.await;
    }));
    // The walk uses a blocking client, as a script would.
    let walked = tokio::task::spawn_blocking(move || {
        let walked = walk::walk(&cast);
        (cast, walked)
    });
    let (cast, walked) = walked.await?;
    if let Err(error) = &walked {
        output::line(format_args!("\nA step did not hold: {error:#}"));
    } else {
        output::line("\nEvery step held.");
    }
    if !arguments.once {
        let fate = if temporary.is_some() { "removed at the end" } else { "kept" };
        // Before anybody is told that it waits: see `serve`.
        let stop = stop_signal()?;
        look_around(&cast, &folder, fate);
        stop.await;
        output::line("\nStopping.");
    }
    let _ = stop.send(());
    server.await??;
    Ok(if walked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look_around(cast: &Cast, folder: &str, fate: &str) {
    let Cast { base, administrator, user } = cast;
    let secret = |user: &CreatedUser| user.password.clone().unwrap_or_default();
    output::line(format_args!(
        "\nThe server goes on. Look around:\n\n  \
         {base}/account/connections   what has access to an account\n  \
         {base}/.well-known/oauth-authorization-server\n\n  \
         Cleo, a user      {}   password {}\n  \
         Ada, an admin     {}   password {}\n\n  \
         curl -u '{}/token:{}' {base}/api/v2/oauth/tokens.json?all=true\n\n  \
         data in {folder} ({fate})\n\nCtrl-C ends it.",
        user.email,
        secret(user),
        administrator.email,
        secret(administrator),
        administrator.email,
        administrator.api_token,
    ));
}
