//! What came of each case, for people as soon as it is known, and for programs at the end.

use std::{io::Write as _, time::Duration};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tokenry_protocol::time::Timestamp;

use super::{
    baseline::{self, Change, Known},
    verdict::{Outcome, Verdict},
};
use crate::{
    output::{self, Cell, Column, Format, List, OutputArgs, Record},
    progress::Progress,
};

/// A case that is over.
#[derive(Serialize)]
pub(super) struct Row {
    case: String,
    profile: &'static str,
    result: Outcome,
    why: String,
    calls: usize,
    millis: u64,
}

impl Row {
    pub(super) fn new(
        (case, profile): (&str, &'static str),
        verdict: Verdict,
        calls: usize,
        took: Duration,
    ) -> Self {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let Verdict { outcome, why } = verdict;
        Self { case: case.to_owned(), profile, result: outcome, why, calls, millis }
    }
}

impl Outcome {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Survived => "survived",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::NotReached => "not reached",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Survived | Self::Stopped => AnsiColor::Green.on_default(),
            Self::NotReached => AnsiColor::Yellow.on_default(),
            Self::Failed => AnsiColor::Red.on_default().bold(),
        }
    }

    const fn is_well(self) -> bool {
        matches!(self, Self::Survived | Self::Stopped)
    }
}

/// In which form a report is printed.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// As records are.
    Records(OutputArgs),
    /// As a table in Markdown.
    Markdown,
}

/// What came of all cases.
pub(super) struct Report {
    form: Form,
    total: usize,
    /// The widest name of a case.
    width: usize,
    rows: Vec<Row>,
    /// What failed commands wrote last, for the end of a page.
    written: Vec<(String, String)>,
    progress: Progress,
}

impl Report {
    pub(super) fn new(form: Form, names: &[&str]) -> Self {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let progress = Progress::new();
        Self { form, total: names.len(), width, rows: Vec::new(), written: Vec::new(), progress }
    }

    const fn is_for_people(&self) -> bool {
        matches!(self.form, Form::Records(output) if matches!(output.format(), Format::Words))
    }

    /// A case begins, which may take its time.
    pub(super) fn begin(&self, number: usize, case: &str) {
        if self.is_for_people() {
            let case = output::escaped(case);
            self.progress.note(&format!("{number} of {}: {case} …", self.total));
        }
    }

    /// A case is over. `written` is what is to be shown of what the command wrote.
    pub(super) fn add(&mut self, row: Row, written: &str) {
        if self.is_for_people() {
            self.progress.note("");
            self.tell(&row);
            for line in written.lines() {
                output::line(format_args!("             │ {}", output::escaped(line)));
            }
        } else {
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            let done = count(self.rows.len() + 1);
            self.progress.tell_in("cases", "checking", done, count(self.total));
            if !written.is_empty() {
                self.written.push((row.case.clone(), written.to_owned()));
            }
        }
        self.rows.push(row);
    }

    fn tell(&self, row: &Row) {
        let (style, word, width) = (row.result.style(), row.result.word(), self.width);
        let (case, calls) = (output::escaped(&row.case), row.calls);
        let time = format!("{}.{} s", row.millis / 1_000, row.millis % 1_000 / 100);
        let noun = if calls == 1 { "call" } else { "calls" };
        output::line(format_args!(
            "{style}{word:<11}{style:#}  {case:<width$}  {time:>6}  {calls} {noun}"
        ));
        if !row.why.is_empty() {
            output::line(format_args!("             {}", output::escaped(&row.why)));
        }
    }

    /// Prints what is left to print, and says whether all is well: beside what was before, if that
    /// is known, and otherwise in itself.
    pub(super) fn end(mut self, before: Option<&[Known]>, now: Timestamp) -> anyhow::Result<bool> {
        self.progress.end();
        let changes = before.map(|before| baseline::compare(before, &self.known()));
        match self.form {
            Form::Markdown => {
                let changes = changes.as_deref().map(|it| baseline::told(it, "- "));
                let changes = changes.map(|text| format!("\n\n{}", text.replacen('\n', "\n\n", 1)));
                let changes = changes.unwrap_or_default();
                output::line(format_args!(
                    "{}{changes}{}",
                    self.markdown().trim_end(),
                    self.written_in_markdown()
                ));
            }
            Form::Records(_) if self.is_for_people() => {
                output::line(format_args!("\n{}", self.summary()));
                if let Some(changes) = &changes {
                    output::line(baseline::told(changes, "  "));
                }
            }
            Form::Records(arguments) => {
                self.list(arguments, now)?;
                self.tell_beside(arguments, changes.as_deref());
            }
        }
        Ok(match changes {
            Some(changes) => !changes.iter().any(Change::is_worse),
            None => self.rows.iter().all(|row| row.result.is_well()),
        })
    }

    fn known(&self) -> Vec<Known> {
        let known = |row: &Row| Known { case: row.case.clone(), result: row.result };
        self.rows.iter().map(known).collect()
    }

    fn list(&self, arguments: OutputArgs, now: Timestamp) -> anyhow::Result<()> {
        let is_listed = |row: &&Row| arguments.format() != Format::Ids || !row.result.is_well();
        let mut list = List::new(arguments, now);
        for row in self.rows.iter().filter(is_listed) {
            list.push(row)?;
        }
        list.end()
    }

    /// What is no record goes beside them, to whoever reads the log.
    fn tell_beside(&self, arguments: OutputArgs, changes: Option<&[Change]>) {
        let mut stderr = anstream::stderr().lock();
        if arguments.format() != Format::Ids {
            for (case, written) in &self.written {
                let _ = writeln!(stderr, "{}:", output::escaped(case));
                for line in written.lines() {
                    let _ = writeln!(stderr, "  │ {}", output::escaped(line));
                }
            }
        }
        if let Some(changes) = changes {
            let _ = writeln!(stderr, "{}", baseline::told(changes, "  "));
        }
    }

    fn written_in_markdown(&self) -> String {
        let parts = self.written.iter().map(|(case, written)| {
            // Four spaces make it code, whatever is in it.
            let lines = written.lines().map(|line| format!("    {}\n", output::escaped(line)));
            let lines = lines.collect::<String>();
            format!("\n\nThe end of what it wrote in `{case}`:\n\n{}", lines.trim_end_matches('\n'))
        });
        parts.collect()
    }

    fn summary(&self) -> String {
        let all = [Outcome::Survived, Outcome::Stopped, Outcome::Failed, Outcome::NotReached];
        let counts = all.map(|outcome| {
            let count = self.rows.iter().filter(|row| row.result == outcome).count();
            (outcome, count)
        });
        let told: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| format!("{count} {}", outcome.word()))
            .collect();
        let mut text = format!("{} of {} cases: {}.", self.rows.len(), self.total, told.join(", "));
        if counts.iter().any(|(outcome, count)| *outcome == Outcome::NotReached && *count > 0) {
            text.push_str(
                "\nWhat was not reached is not checked: let the command make such calls, or leave \
                 the case out with --skip.",
            );
        }
        text
    }

    fn markdown(&self) -> String {
        let cell = |text: &str| output::escaped(text).replace('|', "\\|");
        let rows = self.rows.iter().map(|row| {
            let (case, why) = (cell(&row.case), cell(&row.why));
            let Row { profile, calls, .. } = row;
            let result = row.result.word();
            format!("| `{case}` | {profile} | {result} | {calls} | {why} |\n")
        });
        let head = "| case | profile | result | calls | why |\n|---|---|---|---|---|\n";
        format!("{head}{}\n{}", rows.collect::<String>(), self.summary())
    }
}

impl Record for Row {
    const PLURAL: &'static str = "cases";
    const FIELDS: &'static [&'static str] =
        &["case", "profile", "result", "why", "calls", "millis"];
    const COLUMNS: &'static [Column] =
        &[Column::new("case").whole(), Column::new("result").whole(), Column::new("why")];

    fn id(&self) -> String {
        self.case.clone()
    }

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![Cell::new(&self.case), Cell::new(self.result.word()), Cell::new(&self.why)]
    }
}
