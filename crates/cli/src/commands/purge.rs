//! `tokenry purge`

use std::{process::ExitCode, time::Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tokenry_server::jobs::Purge;
use tokenry_store::PurgeSubject;

use super::open_existing;
use crate::{
    args::ConfigArgs,
    output,
    progress::{Shown, grouped, span},
};

#[derive(Args)]
#[command(after_help = "\
A server does this by itself, every purge.interval. Here it is done now and without pauses, beside
servers or without one: codes that nobody redeemed, expired tokens, grants that were listed long
enough (purge.expired_grants_kept), expired sessions, events, refusals and changes beyond those that
are kept (purge.events_kept, purge.refusals_kept), deleted clients and users. All of it is over
already: nothing that is alive is ended, and nobody is asked.

It takes no lease and keeps nobody from purging at the same time: every step looks at each row again
as it removes it, so two that purge at once remove each row once. Steps are small, and what was
removed stays removed when it is broken off.

Examples:
  tokenry purge --data /var/lib/tokenry
  tokenry purge --config /etc/tokenry/tokenry.toml --json")]
pub(crate) struct PurgeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print `{"removed": {"tokens", "sign_in_sessions", "events", "refusals", "changes",
    /// "clients", "users"}, "seconds"}`
    #[arg(long)]
    json: bool,
}

/// Rows that were removed, by kind.
#[derive(Default, Serialize)]
struct Removed {
    tokens: u64,
    sign_in_sessions: u64,
    events: u64,
    refusals: u64,
    changes: u64,
    clients: u64,
    users: u64,
}

impl Removed {
    fn of(&mut self, subject: PurgeSubject) -> (&'static str, &mut u64) {
        match subject {
            PurgeSubject::Tokens { .. } => ("purging tokens", &mut self.tokens),
            PurgeSubject::SignInSessions => ("purging sessions", &mut self.sign_in_sessions),
            PurgeSubject::Events { .. } => ("purging events", &mut self.events),
            PurgeSubject::Refusals { .. } => ("purging refusals", &mut self.refusals),
            PurgeSubject::Changes { .. } => ("purging changes", &mut self.changes),
            PurgeSubject::Clients => ("purging clients", &mut self.clients),
            PurgeSubject::Users => ("purging users", &mut self.users),
        }
    }
}

#[derive(Serialize)]
struct Report {
    removed: Removed,
    seconds: f64,
}

/// Removes what is over.
pub(crate) async fn run(arguments: PurgeArgs) -> anyhow::Result<ExitCode> {
    let node = open_existing(&arguments.config).await?;
    let began = Instant::now();
    let shown = Shown::new();
    let mut removed = Removed::default();
    let mut purge = Purge::default();
    let swept = purge.sweep_telling(&node.state, |subject, step| {
        let (name, count) = removed.of(subject);
        *count += u64::from(step.removed);
        let (so_far, at) = (*count, step.next);
        shown.with(|progress| progress.tell_removed(name, so_far, at));
    });
    let swept = swept.await;
    shown.end();
    node.close().await;
    swept.context("what was removed by then stays removed")?;
    let time = began.elapsed();
    if arguments.json {
        output::line(serde_json::to_string(&Report { removed, seconds: time.as_secs_f64() })?);
        return Ok(ExitCode::SUCCESS);
    }
    let Removed { tokens, sign_in_sessions, events, refusals, changes, clients, users } = removed;
    output::line(format_args!("{:<18}{:>14}", "records", "removed"));
    for (name, count) in [
        ("tokens", tokens),
        ("sign_in_sessions", sign_in_sessions),
        ("events", events),
        ("refusals", refusals),
        ("changes", changes),
        ("clients", clients),
        ("users", users),
    ] {
        output::line(format_args!("{name:<18}{:>14}", grouped(count)));
    }
    output::line(format_args!("Purged in {}.", span(time)));
    Ok(ExitCode::SUCCESS)
}
