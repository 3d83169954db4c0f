//! Questions to whoever sits at the terminal: confirmations and passwords.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use clap::Args;

use crate::{exit_code::Exit, failure::Failure};

/// What every command takes that asks before it does something that cannot be undone.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct ConfirmArgs {
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
}

impl ConfirmArgs {
    /// Goes on only if whoever asked for it says so: with `--yes`, or at the terminal.
    pub(crate) fn confirm(self, question: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            let failure = Failure::new(Exit::Usage, "nobody is at a terminal to confirm this");
            return Err(failure.hint("add --yes to do it without asking").into());
        }
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush())?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Failed, "not confirmed; nothing was changed").into()),
        }
    }
}

/// Asks for a new password, twice, and shows nothing of it.
pub(crate) fn new_password(instead: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let failure = Failure::new(Exit::Usage, "nobody is at a terminal to type a password");
        return Err(failure.hint(instead).into());
    }
    let password = rpassword::prompt_password("New password: ")?;
    if rpassword::prompt_password("The same again: ")? != password {
        let failure = Failure::new(Exit::Failed, "the two passwords differ; nothing was changed");
        return Err(failure.into());
    }
    Ok(password)
}

/// Asks for a line of text; `instead` says what to do where nobody can be asked.
pub(crate) fn line(question: &str, instead: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let failure = Failure::new(Exit::Usage, "nobody is at a terminal to be asked");
        return Err(failure.hint(instead).into());
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question} ").and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    if answer.is_empty() {
        return Err(Failure::new(Exit::Failed, "nothing was typed; nothing was changed").into());
    }
    Ok(answer.to_owned())
}

/// Asks for a secret that there is already, and shows nothing of it.
pub(crate) fn secret(question: &str, instead: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let failure = Failure::new(Exit::Usage, "nobody is at a terminal to type a secret");
        return Err(failure.hint(instead).into());
    }
    Ok(rpassword::prompt_password(format!("{question} "))?.trim().to_owned())
}

/// All of standard input is the password, but for a line's end.
pub(crate) fn password_from_stdin() -> anyhow::Result<String> {
    secret_from_stdin("password")
}

/// All of standard input is the secret, but for a line's end.
pub(crate) fn secret_from_stdin(what: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.with_context(|| format!("the {what} on standard input"))?;
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    Ok(trimmed.strip_suffix('\r').unwrap_or(trimmed).to_owned())
}
