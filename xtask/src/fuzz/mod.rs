//! `cargo xtask fuzz`: runs the targets of `fuzz/` under libFuzzer and keeps what they find.
//!
//! 1. Build all targets, instrumented, into a target folder of their own.
//! 2. Run each for a time, from the kept corpus; what it learns goes to the working corpus.
//! 3. With `--keep`, fold the working corpus into the kept one, as few inputs as cover the same.
//! 4. Tell what ran. An input that breaks a property is a finding, and fails the run.

mod build;
mod corpus;
mod report;
mod session;

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::build::Fuzzer;
use self::report::Outcome;
use crate::workspace::Workspace;

const EXAMPLES: &str = "\
Examples:
  cargo xtask fuzz                                  every target for 5 s: what CI runs
  cargo xtask fuzz --target form --seconds 60       one target, longer
  cargo xtask fuzz --seconds 450 --keep             for hours of a night, and keep what was learnt
  cargo xtask fuzz --seconds 0 --keep               only minimise the kept corpus

To run one input again: cargo xtask fuzz --target form --input FILE";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Run this target only; may be given several times
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u64,
    /// How many targets run at once [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Fold what was learnt into the kept corpus, and minimise it
    #[arg(long)]
    keep: bool,
    /// Run one input through the target instead
    #[arg(long, value_name = "FILE", requires = "target")]
    input: Option<std::path::PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let fuzzer = build::build(workspace, workspace.cargo())?;
    let names = chosen(&fuzzer, &arguments.target)?;
    if let Some(input) = &arguments.input {
        return session::replay(&fuzzer, &names, input);
    }
    let jobs = arguments.jobs.unwrap_or_else(processors);
    let outcomes = run_all(&fuzzer, &names, Duration::from_secs(arguments.seconds), jobs)?;
    if arguments.keep {
        for name in &names {
            corpus::keep(&fuzzer, name)?;
        }
    }
    report::print(&outcomes);
    let found = outcomes.iter().filter(|outcome| outcome.finding.is_some()).count();
    if found > 0 {
        bail!("{found} targets found an input that breaks a property; see above");
    }
    Ok(())
}

/// Every target for `time`: how many hold and how many do not.
pub(crate) fn run_briefly(
    workspace: &Workspace,
    cargo: std::process::Command,
    time: Duration,
) -> Result<(usize, usize)> {
    let fuzzer = build::build(workspace, cargo)?;
    let names = fuzzer.targets()?;
    let outcomes = run_all(&fuzzer, &names, time, processors())?;
    report::print(&outcomes);
    let found = outcomes.iter().filter(|outcome| outcome.finding.is_some()).count();
    Ok((outcomes.len() - found, found))
}

fn chosen(fuzzer: &Fuzzer, wanted: &[String]) -> Result<Vec<String>> {
    let known = fuzzer.targets()?;
    if let Some(stranger) = wanted.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {stranger}; there are: {}", known.join(", "));
    }
    let is_wanted = |name: &String| wanted.is_empty() || wanted.contains(name);
    Ok(known.into_iter().filter(is_wanted).collect())
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs the targets, `jobs` at once, and gives their outcomes in the order of their names.
fn run_all(fuzzer: &Fuzzer, names: &[String], time: Duration, jobs: usize) -> Result<Vec<Outcome>> {
    let waiting = Mutex::new(names.iter());
    let outcomes = Mutex::new(Vec::new());
    let next = || waiting.lock().ok().and_then(|mut names| names.next());
    let work = || -> Result<()> {
        while let Some(name) = next() {
            let outcome = session::run(fuzzer, name, time).context(name.clone())?;
            println!("  {}", outcome.line());
            if let Ok(mut outcomes) = outcomes.lock() {
                outcomes.push(outcome);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a worker panicked"),
        })
    })?;
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    outcomes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(outcomes)
}
