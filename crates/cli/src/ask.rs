//! Questions to whoever sits at the terminal: confirmations and passwords.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _},
};

use anyhow::Context as _;
use clap::Args;
use rustix::{
    process::{Signal, getpid, kill_process},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};

use crate::{exit_code::Exit, failure::Failure};

/// More than any secret has, of ours or of others.
const LENGTH_MAX: u64 = 64 << 10;

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
        self.confirm_by(&format!("{question} [y/N] "), |answer| {
            matches!(answer.to_lowercase().as_str(), "y" | "yes")
        })
    }

    /// The same where a yes is typed too quickly: whoever goes on types how many there are.
    pub(crate) fn confirm_count(self, question: &str, count: u64) -> anyhow::Result<()> {
        self.confirm_by(&format!("{question} Type {count} to go on: "), |answer| {
            answer.replace(',', "") == count.to_string()
        })
    }

    /// Fails early where nobody could be asked in the end.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        if self.yes || io::stdin().is_terminal() {
            return Ok(());
        }
        let failure = Failure::new(Exit::Usage, "nobody is at a terminal to confirm this");
        Err(failure.hint("add --yes to do it without asking").into())
    }

    fn confirm_by(self, question: &str, is_yes: impl FnOnce(&str) -> bool) -> anyhow::Result<()> {
        self.check()?;
        if self.yes {
            return Ok(());
        }
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question}").and_then(|()| stderr.flush())?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if is_yes(answer.trim()) {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, "not confirmed; nothing was changed").into())
    }
}

/// Asks for a new password, twice, and shows nothing of it.
pub(crate) fn new_password(instead: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let failure = Failure::new(Exit::Usage, "nobody is at a terminal to type a password");
        return Err(failure.hint(instead).into());
    }
    let mut unseen = Unseen::begin().context("the terminal")?;
    let password = unseen.ask("New password: ")?;
    if unseen.ask("The same again: ")? != password {
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
    given(&typed(question)?, "nothing was typed; nothing was changed")
}

/// The terminal, which shows nothing of what is typed: from before the first question, so that not
/// even the hasty are seen, until this is dropped.
struct Unseen {
    terminal: BufReader<File>,
    before: Termios,
}

/// Ctrl-C, as it is typed.
const INTERRUPT: u8 = 3;

impl Unseen {
    fn begin() -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut unseen = before.clone();
        // Ctrl-C would end the process with the terminal as it is now. So it ends the line instead.
        unseen.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        unseen.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        unseen.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(&terminal, OptionalActions::Flush, &unseen)?;
        Ok(Self { terminal: BufReader::new(terminal), before })
    }

    fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        self.terminal.get_mut().write_all(question.as_bytes())?;
        let mut typed = Vec::new();
        while !matches!(typed.last(), Some(&(b'\n' | INTERRUPT))) {
            let read = self.terminal.fill_buf()?;
            let end = read.iter().position(|byte| matches!(*byte, b'\n' | INTERRUPT));
            let taken = end.map_or(read.len(), |end| end + 1);
            if taken == 0 {
                return Err(Failure::new(
                    Exit::Failed,
                    "no password was typed; nothing was changed",
                )
                .into());
            }
            typed.extend(read.iter().take(taken));
            self.terminal.consume(taken);
        }
        if typed.pop() == Some(INTERRUPT) {
            self.end();
            kill_process(getpid(), Signal::INT)?;
            // Whoever started it may have had the signal ignored.
            return Err(Failure::new(Exit::Interrupted, "interrupted; nothing was changed").into());
        }
        String::from_utf8(typed).context("what was typed is no text")
    }

    fn end(&self) {
        // There is nothing else to be done with a terminal that is gone.
        let _ = tcsetattr(self.terminal.get_ref(), OptionalActions::Now, &self.before);
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        self.end();
    }
}

/// The new password that comes on standard input; whoever sits at a terminal types it twice.
pub(crate) fn password_from_stdin() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return new_password("pipe it into standard input");
    }
    secret_from_stdin("password")
}

/// The secret that comes on standard input: all of it, but for a line's end. Whoever sits at a
/// terminal is asked for it.
pub(crate) fn secret_from_stdin(what: &str) -> anyhow::Result<String> {
    let text = if io::stdin().is_terminal() {
        typed(&format!("The {what} (it is not shown):"))?
    } else {
        let mut text = String::new();
        let read = io::stdin().take(LENGTH_MAX + 1).read_to_string(&mut text);
        if read.with_context(|| format!("the {what} on standard input"))? as u64 > LENGTH_MAX {
            let text = format!("what is on standard input is too long for a {what}");
            return Err(Failure::new(Exit::Usage, text).into());
        }
        text
    };
    given(&text, &format!("there is no {what} on standard input"))
}

fn typed(question: &str) -> anyhow::Result<String> {
    let mut unseen = Unseen::begin().context("the terminal")?;
    unseen.ask(&format!("{question} "))
}

/// A secret without its line's end; `missing` says that there is none.
fn given(text: &str, missing: &str) -> anyhow::Result<String> {
    let secret = text.strip_suffix('\n').unwrap_or(text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(Failure::new(Exit::Usage, missing).into());
    }
    Ok(secret.to_owned())
}
