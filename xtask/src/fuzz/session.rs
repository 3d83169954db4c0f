//! One run of one target.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::build::Fuzzer;
use super::report::Outcome;

/// In bytes: past every limit that a parser has.
const LENGTH_MAX: u32 = 4_096;
/// In seconds, for one input: hundreds of times what the longest takes.
const INPUT_TIME_MAX: u32 = 5;
/// In MiB.
const MEMORY_MAX: u32 = 1_024;
/// How often a long run says where it is.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Runs a target from the kept and the working corpus. What it learns goes to the latter.
pub(super) fn run(fuzzer: &Fuzzer, name: &str, time: Duration) -> Result<Outcome> {
    let learnt = fuzzer.work.join("corpus").join(name);
    let kept = fuzzer.source.join("corpus").join(name);
    let artifacts = fuzzer.work.join("artifacts").join(name);
    for folder in [&learnt, &kept, &artifacts] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let begin = Instant::now();
    let mut command = fuzzer.command(name);
    command.args([&learnt, &kept]).args(limits());
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(["-print_final_stats=1", "-use_value_profile=1"]);
    match time.as_secs() {
        // Without a time libFuzzer never ends; without runs it reads its corpus and does.
        0 => command.arg("-runs=0"),
        seconds => command.arg(format!("-max_total_time={seconds}")),
    };
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut outcome = Outcome::new(name);
    let mut told = Vec::new();
    let mut tell_at = begin + TELL_EVERY;
    for line in BufReader::new(child.stderr.take().context("no standard error")?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        outcome.read(&line);
        told.push(line);
        if Instant::now() >= tell_at {
            println!("  … {}", outcome.line());
            tell_at += TELL_EVERY;
        }
    }
    outcome.time = begin.elapsed();
    let status = child.wait()?;
    if !status.success() {
        println!("\n{}\n", last_lines(&told).join("\n"));
        let finding = outcome.finding.get_or_insert_with(|| format!("no input ({status})"));
        println!("  {name}: found {finding}");
    }
    Ok(outcome)
}

/// Runs one input and shows what it does.
pub(super) fn replay(fuzzer: &Fuzzer, names: &[String], input: &Path) -> Result<()> {
    for name in names {
        let status = fuzzer.command(name).args(limits()).arg(input).status()?;
        if !status.success() {
            bail!("{} breaks a property of {name}", input.display());
        }
    }
    Ok(())
}

fn limits() -> [String; 3] {
    [
        format!("-max_len={LENGTH_MAX}"),
        format!("-timeout={INPUT_TIME_MAX}"),
        format!("-rss_limit_mb={MEMORY_MAX}"),
    ]
}

/// The panic and what libFuzzer says of it, without the progress before.
fn last_lines(told: &[String]) -> &[String] {
    let begin = told.iter().position(|line| line.contains("panicked at"));
    let begin = begin.unwrap_or(told.len().saturating_sub(20));
    told.get(begin..).unwrap_or_default()
}
