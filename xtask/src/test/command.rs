//! Running other programs, with what they print passed on.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::tally::Tally;

/// Runs it to its end; an error when it cannot start or does not succeed.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    println!("  $ {shown}");
    let status = command.status().with_context(|| format!("{shown} could not be started"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs it quietly: its standard output, or nothing when it cannot start or does not succeed.
pub(super) fn ask(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(told)
}

/// Runs tests: passes on what they print and counts what they report.
pub(super) fn count(command: &mut Command) -> Result<Tally> {
    let shown = shown(command);
    println!("  $ {shown}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{shown} could not be started"))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            tally.read(&line);
        }
    }
    // A runner that failed without a failed test did not build, or was ended from outside.
    if !child.wait()?.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

fn shown(command: &Command) -> String {
    let program = command.get_program();
    let name = std::path::Path::new(program).file_name().unwrap_or(program);
    let words: Vec<&OsStr> = std::iter::once(name).chain(command.get_args()).collect();
    words.join(OsStr::new(" ")).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_is_shown_without_the_folder_of_its_program() {
        let mut command = Command::new("/usr/bin/env");
        assert_eq!(shown(command.arg("true")), "env true");
    }

    #[test]
    fn failures_to_start_and_to_succeed_are_errors_that_name_the_command() {
        let missing = succeed(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(missing.to_string().contains("no-such-program-here could not be started"));
        let failed = succeed(&mut shell("exit 3")).unwrap_err();
        assert!(failed.to_string().contains("exit status: 3"));
    }

    #[test]
    fn an_answer_is_trimmed_and_a_failure_is_none() {
        assert_eq!(ask(&mut shell("echo 1.2")), Some("1.2".to_owned()));
        assert_eq!(ask(&mut shell("echo 1.2; exit 1")), None);
        assert_eq!(ask(&mut Command::new("no-such-program-here")), None);
    }

    #[test]
    fn tests_are_counted_from_the_runners_own_line() {
        let line = "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let tally = count(&mut shell(&format!("echo '{line}'"))).unwrap();
        assert_eq!((tally.passed, tally.failed), (4, 0));
    }

    #[test]
    fn a_runner_that_does_not_build_counts_as_one_failure() {
        assert_eq!(count(&mut shell("exit 101")).unwrap().failed, 1);
    }
}
