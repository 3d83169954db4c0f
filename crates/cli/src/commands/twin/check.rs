//! `tokenry twin check`: somebody's test command against the twin, under each profile and each
//! fault in turn.
//!
//! Each case begins with the account as it was at first (`case.rs`), runs the command (`run.rs`),
//! gathers what it called (`evidence.rs`) and judges that (`verdict.rs`, which is pure).

mod args;
mod baseline;
mod case;
mod evidence;
mod offspring;
mod report;
mod run;
mod verdict;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::Context as _;
use tempfile::TempDir;
use tokenry_server::{
    config::Log,
    environment::{Clock as _, SystemClock},
    telemetry,
};
use tokenry_twin::{Options, Profile, Seed, Twin, journal::Filter};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::args::CheckArgs;
use self::{
    case::Case,
    evidence::{Evidence, Trouble},
    offspring::Family,
    report::{Form, Report, Row},
    run::{Runner, Unstartable},
    verdict::Outcome,
};
use crate::{commands::serve::stop_signal, exit_code::Exit, failure::Failure, output};

/// What is shown of the last line that a command wrote.
const LAST_WORDS_MAX: usize = 120;
/// So many lines of what a command wrote are shown when it failed, its last ones.
const LINES_MAX: usize = 20;
/// So many bytes of them.
const SHOWN_MAX: usize = 4 << 10;

/// Runs the command once for each case.
pub(super) async fn run(arguments: CheckArgs) -> anyhow::Result<ExitCode> {
    telemetry::start_log(&Log { filter: "warn".to_owned(), ..Log::default() })?;
    let cases = case::chosen(&arguments)?;
    let baseline = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let folder = Folder::new(arguments.keep.as_deref())?;
    let twin = Twin::start_with(options(&arguments)?).await?;
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let form = if arguments.markdown { Form::Markdown } else { Form::Records(arguments.output) };
    let mut report = Report::new(form, &names);
    let stop = any_stop_signal()?;
    let checked = check_all(&twin, &cases, (&arguments, &folder), &mut report);
    tokio::select! {
        checked = checked => checked?,
        () = stop => return Err(Failure::new(Exit::Interrupted, "stopped in the middle").into()),
    }
    let is_well = report.end(baseline.as_deref(), SystemClock.now())?;
    twin.stop().await;
    Ok(if is_well { Exit::Done } else { Exit::Wrong }.into())
}

async fn check_all(
    twin: &Twin,
    cases: &[Case],
    (arguments, folder): (&CheckArgs, &Folder),
    report: &mut Report,
) -> anyhow::Result<()> {
    let runner =
        Runner { command: &arguments.command, limit: arguments.timeout, family: Family::new()? };
    let mut without_faults: Vec<(Profile, Outcome)> = Vec::new();
    for (number, case) in (1..).zip(cases) {
        report.begin(number, &case.name);
        let files = folder.files(number, &case.name);
        let began = Instant::now();
        let evidence = run_case(twin, case, (&runner, &files), arguments).await;
        let mut evidence = evidence.map_err(|error| unstartable(error, number))?;
        let took = began.elapsed();
        let control = without_faults.iter().find(|(profile, _)| *profile == case.profile);
        evidence.without_faults = control.map(|(_, outcome)| *outcome);
        let verdict = verdict::judge(&evidence);
        if case.is_plain() {
            without_faults.push((case.profile, verdict.outcome));
        }
        let written = run::written(&files.output)?;
        let shown = match verdict.outcome {
            _ if arguments.verbose => written.as_str(),
            Outcome::Failed => end_of(&written),
            _ => "",
        };
        let names = (case.name.as_str(), case.profile.as_str());
        report.add(Row::new(names, verdict, evidence.calls.len(), took), shown);
        folder.passed(&files);
    }
    Ok(())
}

/// A command that cannot be started at all was typed wrong; one that cannot any more was not.
fn unstartable(error: anyhow::Error, number: usize) -> anyhow::Error {
    match error.downcast::<Unstartable>() {
        Ok(error) if number == 1 => {
            let hint = "write the command behind --, as you would run it in this folder";
            Failure::new(Exit::Usage, error.to_string()).hint(hint).into()
        }
        Ok(error) => anyhow::Error::new(error).context("the command cannot be started any more"),
        Err(error) => error,
    }
}

/// As `stop_signal`, and the end of the terminal.
fn any_stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let stop = stop_signal()?;
    let (mut hangup, mut quit) = (signal(SignalKind::hangup())?, signal(SignalKind::quit())?);
    Ok(async move {
        tokio::select! {
            () = stop => {}
            _ = hangup.recv() => {}
            _ = quit.recv() => {}
        }
    })
}

/// The last lines, so that nobody has to look for a file.
fn end_of(written: &str) -> &str {
    let written = written.trim_end();
    let lines = written.rmatch_indices('\n').map(|(at, _)| at + 1).nth(LINES_MAX - 1).unwrap_or(0);
    let from = lines.max(written.len().saturating_sub(SHOWN_MAX));
    let from = (from..written.len()).find(|at| written.is_char_boundary(*at)).unwrap_or(from);
    written.get(from..).unwrap_or_default()
}

async fn run_case(
    twin: &Twin,
    case: &Case,
    (runner, files): (&Runner<'_>, &Files),
    arguments: &CheckArgs,
) -> anyhow::Result<Evidence> {
    twin.reset_to(case.profile).await?;
    twin.play(&case.scenario).await?;
    let ended = runner.run(&twin.connection_details(), &case.name, &files.output).await?;
    let journal = twin.journal().since(0, &Filter::default());
    if let Some(path) = &files.calls {
        let text = serde_json::to_string_pretty(&journal)?;
        fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    let entries = journal.entries.iter().map(AsRef::as_ref);
    let calls = evidence::calls(entries, &case.scenario.clock);
    Ok(Evidence {
        profile: case.profile,
        rotation: arguments.rotation.into(),
        without_faults: None,
        trouble: Trouble::of(case, &twin.faults(), calls.len()),
        ended,
        last_words: last_line(&run::written(&files.output)?),
        calls,
    })
}

fn options(arguments: &CheckArgs) -> anyhow::Result<Options> {
    Ok(Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        rotation: Some(arguments.rotation.into()),
        seed: arguments.seed.as_deref().map(Seed::read).transpose()?,
        https_port: arguments.https.then_some(0),
        ..Options::default()
    })
}

/// The last line that says something.
fn last_line(written: &str) -> Option<String> {
    let line = written.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let shown = output::escaped(line);
    let mut cut: String = shown.chars().take(LAST_WORDS_MAX).collect();
    if cut.len() < shown.len() {
        cut.push('…');
    }
    Some(cut)
}

/// Where what a command writes is kept.
struct Folder {
    path: PathBuf,
    /// It goes with this, where nobody wants to keep it.
    passing: Option<TempDir>,
}

/// The files of one case.
struct Files {
    /// What the command wrote.
    output: PathBuf,
    /// What it called, if that is to be kept.
    calls: Option<PathBuf>,
}

impl Folder {
    fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            fs::create_dir_all(path).with_context(|| path.display().to_string())?;
            return Ok(Self { path: path.to_owned(), passing: None });
        }
        let passing = tempfile::tempdir()?;
        Ok(Self { path: passing.path().to_owned(), passing: Some(passing) })
    }

    /// What nobody wants to keep goes as soon as it has been shown.
    fn passed(&self, files: &Files) {
        if self.passing.is_some() {
            let _ = fs::remove_file(&files.output);
        }
    }

    fn files(&self, number: usize, case: &str) -> Files {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = case.chars().map(plain).collect();
        let path = |ending: &str| self.path.join(format!("{number:02}-{name}.{ending}"));
        let calls = self.passing.is_none().then(|| path("json"));
        Files { output: path("txt"), calls }
    }
}
