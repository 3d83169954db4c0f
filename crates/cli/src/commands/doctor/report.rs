//! What was checked, what was found and how to mend it.

use std::{borrow::Cow, fmt::Display};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tokenry_client::models::Timestamp;

use crate::{
    failure,
    output::{self, Cell, Column, Format, List, OutputArgs, Record},
};

/// How it stands with what was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warning,
    Wrong,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Wrong => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// One thing that was checked.
#[derive(Serialize)]
struct Check {
    check: &'static str,
    state: State,
    found: String,
    mend: Option<String>,
}

/// Everything that was checked, in order. People see each check as soon as it is done.
pub(super) struct Report {
    output: OutputArgs,
    checks: Vec<Check>,
}

impl Report {
    pub(super) const fn new(output: OutputArgs) -> Self {
        Self { output, checks: Vec::new() }
    }

    /// It is as it should be.
    pub(super) fn ok(&mut self, check: &'static str, found: impl Display) {
        self.add(check, State::Ok, &found, None);
    }

    /// It works, and should be looked at.
    pub(super) fn warn(&mut self, check: &'static str, found: impl Display, mend: impl Display) {
        self.add(check, State::Warning, &found, Some(&mend));
    }

    /// It does not work, or must not stay like this.
    pub(super) fn wrong(&mut self, check: &'static str, found: impl Display, mend: impl Display) {
        self.add(check, State::Wrong, &found, Some(&mend));
    }

    /// The same of an error that may know how to mend itself.
    pub(super) fn failed(&mut self, check: &'static str, error: &anyhow::Error, mend: &str) {
        let hint = failure::hint(error).map_or_else(|| mend.to_owned(), Cow::into_owned);
        self.wrong(check, failure::message(error), hint);
    }

    fn add(
        &mut self,
        check: &'static str,
        state: State,
        found: &dyn Display,
        mend: Option<&dyn Display>,
    ) {
        let shown = |text: &dyn Display| output::escaped(&text.to_string());
        let (found, mend) = (shown(found), mend.map(shown));
        if self.output.format() == Format::Words {
            let (style, word) = (state.style(), state.word());
            output::line(format_args!("{style}{word:<7}{style:#}  {check}: {found}"));
            if let Some(mend) = &mend {
                output::line(format_args!("         {mend}"));
            }
        }
        self.checks.push(Check { check, state, found, mend });
    }

    /// Prints what is left to print, and says whether something is wrong.
    pub(super) fn end(self, now: Timestamp) -> anyhow::Result<bool> {
        let count = |state| self.checks.iter().filter(|check| check.state == state).count();
        let (wrong, warnings) = (count(State::Wrong), count(State::Warning));
        match self.output.format() {
            Format::Words => output::line(match (wrong, warnings) {
                (0, 0) => "Nothing is wrong.".to_owned(),
                (0, _) => format!("Nothing is wrong; {warnings} to look at."),
                _ => format!("{wrong} wrong, {warnings} to look at."),
            }),
            format => {
                let mut list = List::new(self.output, now);
                let is_listed = |check: &&Check| format != Format::Ids || check.state != State::Ok;
                for check in self.checks.iter().filter(is_listed) {
                    list.push(check)?;
                }
                list.end()?;
            }
        }
        Ok(wrong > 0)
    }
}

impl Record for Check {
    const PLURAL: &'static str = "checks";
    const FIELDS: &'static [&'static str] = &["check", "state", "found", "mend"];
    const COLUMNS: &'static [Column] =
        &[Column::new("check").whole(), Column::new("state").whole(), Column::new("found")];

    fn id(&self) -> String {
        self.check.to_owned()
    }

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![Cell::new(self.check), Cell::new(self.state.word()), Cell::new(&self.found)]
    }
}
