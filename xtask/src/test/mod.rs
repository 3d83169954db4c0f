//! `cargo xtask test`: brings what the tests need, runs them all, and ends with their count.
//!
//! A run is a list of steps (`STEPS`). Every step runs even when an earlier one failed, unless it
//! needs that one, so that one run names everything that is wrong.

mod checks;
mod clients;
mod command;
mod libraries;
pub(crate) mod mutants;
mod packages;
mod policy;
mod rolling_upgrade;
mod tally;
mod tools;
mod twin_packages;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;

use self::tally::Tally;
use crate::workspace::Workspace;

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                        everything: what CI runs
  cargo xtask test --list                 the steps, in their order
  cargo xtask test --only acceptance      one step, and what it needs
  cargo xtask test --only fmt --only clippy
  cargo xtask test --offline              once a run has brought everything

The closing line counts every test, and every other step as one.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Use what is already here; never ask the network
    #[arg(long)]
    offline: bool,
    /// Run this step and what it needs; may be given several times
    #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(names()))]
    only: Vec<String>,
    /// Print the steps and end
    #[arg(long)]
    list: bool,
}

/// What a step gets to know.
pub(crate) struct Context<'a> {
    workspace: &'a Workspace,
    network: Network,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    Allowed,
    Forbidden,
}

struct Step {
    name: &'static str,
    what: &'static str,
    needs: &'static [&'static str],
    run: fn(&Context) -> Result<Tally>,
}

const STEPS: &[Step] = &[
    Step {
        name: "packages",
        what: "Python, Node.js, Chromium, C++",
        needs: &[],
        run: packages::run,
    },
    Step {
        name: "python-clients",
        what: "third-party clients from requirements.txt",
        needs: &["packages"],
        run: clients::python,
    },
    Step {
        name: "npm-clients",
        what: "third-party clients from package-lock.json",
        needs: &["packages"],
        run: clients::npm,
    },
    Step { name: "fmt", what: "formatting", needs: &[], run: checks::fmt },
    Step { name: "tidy", what: "the rules of STYLE.md", needs: &[], run: checks::tidy },
    Step { name: "clippy", what: "lints, warnings refused", needs: &[], run: checks::clippy },
    Step {
        name: "postgresql",
        what: "the database that storage tests start for themselves",
        needs: &[],
        run: packages::postgresql,
    },
    Step {
        name: "nginx",
        what: "the proxy that tests of several nodes start for themselves",
        needs: &[],
        run: packages::proxy,
    },
    Step {
        name: "tests",
        what: "unit, property, storage, router and process tests",
        needs: &["postgresql", "nginx"],
        run: checks::tests,
    },
    Step {
        name: "rolling-upgrade",
        what: "nodes of the schema before and of today's on one database",
        needs: &["postgresql"],
        run: rolling_upgrade::run,
    },
    Step {
        name: "router-on-postgresql",
        what: "the router's tests over the other engine",
        needs: &["postgresql"],
        run: checks::router_on_postgresql,
    },
    Step {
        name: "acceptance",
        what: "third-party clients and a browser against the real binary",
        needs: &["packages", "python-clients", "npm-clients"],
        run: checks::acceptance,
    },
    Step {
        name: "acceptance-on-postgresql",
        what: "the same over the other engine",
        needs: &["packages", "python-clients", "npm-clients", "postgresql"],
        run: checks::acceptance_on_postgresql,
    },
    Step {
        name: "twin-packages",
        what: "the twin in test suites of Python and Node.js, and the recipes for CI",
        needs: &["packages"],
        run: twin_packages::run,
    },
    Step {
        name: "bench",
        what: "every benchmark in its short form, for its answers and not for its times",
        needs: &[],
        run: checks::bench,
    },
    Step {
        name: "bench-on-postgresql",
        what: "the same over the other engine, and several nodes",
        needs: &["postgresql"],
        run: checks::bench_on_postgresql,
    },
    Step {
        name: "fuzz",
        what: "every parser under libFuzzer, briefly",
        needs: &["packages"],
        run: checks::fuzz,
    },
    Step {
        name: "features",
        what: "the libraries with each feature by itself, and for WebAssembly",
        needs: &[],
        run: libraries::features,
    },
    Step {
        name: "package",
        what: "the libraries out of their packages",
        needs: &[],
        run: libraries::package,
    },
    Step { name: "doc", what: "API documentation, warnings refused", needs: &[], run: checks::doc },
    Step { name: "docs", what: "generated pages are true", needs: &[], run: checks::docs },
    Step {
        name: "cargo-deny",
        what: "the tool for the dependency policy",
        needs: &[],
        run: policy::install,
    },
    Step {
        name: "deny",
        what: "the dependency policy of deny.toml",
        needs: &["cargo-deny"],
        run: policy::check,
    },
    Step {
        name: "cargo-mutants",
        what: "the tool for mutation testing",
        needs: &[],
        run: mutants::install,
    },
    Step {
        name: "mutants",
        what: "a sample of mutants of core and protocol, each noticed by a test",
        needs: &["cargo-mutants"],
        run: mutants::sample,
    },
];

fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if arguments.list {
        for step in STEPS {
            println!("{:<25} {}", step.name, step.what);
        }
        return Ok(());
    }
    let network = if arguments.offline { Network::Forbidden } else { Network::Allowed };
    let context = Context { workspace, network };
    let start = Instant::now();
    let mut results = Vec::new();
    let steps = selected(&arguments.only);
    for (number, step) in (1_usize..).zip(&steps) {
        let heading = format!("[{number:>2}/{}] {}", steps.len(), step.name);
        println!("\n{heading}: {} ({} so far)", step.what, seconds(start.elapsed()));
        let result = run_step(step, &context, &results);
        println!("{heading}: {} in {}", result.word(), seconds(result.time));
        results.push(result);
    }
    close(&results, start.elapsed())
}

/// The steps asked for and all that they need, in the order of the table.
fn selected(only: &[String]) -> Vec<&'static Step> {
    let mut wanted: Vec<&str> = only.iter().map(String::as_str).collect();
    for step in STEPS.iter().rev() {
        if wanted.contains(&step.name) {
            wanted.extend(step.needs);
        }
    }
    STEPS.iter().filter(|step| only.is_empty() || wanted.contains(&step.name)).collect()
}

struct StepResult {
    name: &'static str,
    state: State,
    tally: Tally,
    time: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Passed,
    Failed,
    NotRun,
}

impl StepResult {
    fn word(&self) -> &'static str {
        match self.state {
            State::Passed => "passed",
            State::Failed => "FAILED",
            State::NotRun => "not run",
        }
    }
}

fn run_step(step: &Step, context: &Context, earlier: &[StepResult]) -> StepResult {
    let begin = Instant::now();
    let is_missing =
        |result: &&StepResult| step.needs.contains(&result.name) && result.state != State::Passed;
    let (state, tally) = if let Some(needed) = earlier.iter().find(is_missing) {
        println!("  it needs {}, which {}", needed.name, needed.word());
        (State::NotRun, Tally::one_skipped())
    } else {
        match (step.run)(context) {
            Ok(tally) if tally.failed == 0 => (State::Passed, tally),
            Ok(tally) => (State::Failed, tally),
            Err(error) => {
                println!("error: {error:#}");
                (State::Failed, Tally::one_failed())
            }
        }
    };
    StepResult { name: step.name, state, tally, time: begin.elapsed() }
}

/// The runners' own summary lines, then one line in a form that every reader of logs knows.
fn close(results: &[StepResult], time: Duration) -> Result<()> {
    println!("\nSteps");
    for result in results {
        println!("  {:<25} {:<8} {:>9}", result.name, result.word(), seconds(result.time));
    }
    println!("  all in {}", seconds(time));
    let mut sum = Tally::default();
    for result in results {
        sum.add(&result.tally);
    }
    println!();
    for line in &sum.summaries {
        println!("{line}");
    }
    println!("\n{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    let bad: Vec<&str> = results
        .iter()
        .filter(|result| result.state != State::Passed)
        .map(|result| result.name)
        .collect();
    if !bad.is_empty() {
        bail!("not passed: {}. To run one again: cargo xtask test --only STEP", bad.join(", "));
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    match minutes {
        0 => format!("{}.{} s", rest / 10, rest % 10),
        _ => format!("{minutes} min {} s", rest / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
        selected(&only).iter().map(|step| step.name).collect()
    }

    #[test]
    fn one_step_brings_what_it_needs_before_it() {
        assert_eq!(
            names_of(&["acceptance"]),
            ["packages", "python-clients", "npm-clients", "acceptance"]
        );
        assert_eq!(names_of(&["fmt"]), ["fmt"]);
        assert_eq!(names_of(&["npm-clients"]), ["packages", "npm-clients"]);
    }

    #[test]
    fn without_a_choice_every_step_runs() {
        assert_eq!(names_of(&[]).len(), STEPS.len());
    }

    #[test]
    fn every_need_names_an_earlier_step() {
        for (index, step) in STEPS.iter().enumerate() {
            let earlier = &names()[..index];
            assert!(step.needs.iter().all(|need| earlier.contains(need)), "{}", step.name);
        }
    }

    #[test]
    fn a_step_whose_need_failed_is_not_run_and_counts_as_skipped() {
        let failed = StepResult {
            name: "cargo-deny",
            state: State::Failed,
            tally: Tally::one_failed(),
            time: Duration::ZERO,
        };
        let workspace = Workspace {
            root: "/nowhere".into(),
            target: "/nowhere".into(),
            metadata: serde_json::Value::Null,
        };
        let context = Context { workspace: &workspace, network: Network::Forbidden };
        let deny = STEPS.iter().find(|step| step.name == "deny").unwrap();
        let result = run_step(deny, &context, &[failed]);
        assert_eq!(result.state, State::NotRun);
        assert_eq!(result.tally.skipped, 1);
    }

    #[test]
    fn times_are_told_in_seconds_and_then_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(1_550)), "1.5 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }
}
