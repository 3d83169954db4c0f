//! How far long work is, on standard error: a bar that is drawn anew on a terminal, and elsewhere a
//! line every few seconds.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokenry_store::copy::{self, Stage};

/// Between two lines in a log.
const LINE_PERIOD: Duration = Duration::from_secs(5);
/// Between two pictures on a terminal.
const BAR_PERIOD: Duration = Duration::from_millis(100);
/// Work of which nobody knows how much there is may be over before anybody asks how far it is.
const COUNT_DELAY: Duration = Duration::from_secs(1);
/// Characters of a bar.
const BAR_WIDTH: u64 = 24;

/// Work of one kind after another.
pub(crate) struct Progress {
    is_terminal: bool,
    stage: Option<Shows>,
}

struct Shows {
    name: &'static str,
    began: Instant,
    told: Instant,
    is_shown: bool,
}

/// Which part of a work is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Earlier,
    Last,
    /// Nobody knows.
    Unmeasured,
}

impl Progress {
    /// Nothing has begun.
    pub(crate) fn new() -> Self {
        // A dumb terminal cannot draw anew what is there already.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_terminal: io::stderr().is_terminal() && !is_dumb, stage: None }
    }

    /// So many rows of this work are done. A name that was not there before begins anew.
    pub(crate) fn tell(&mut self, name: &'static str, done: u64, total: u64) {
        self.tell_in("rows", name, done, total);
    }

    /// The same of something else than rows.
    pub(crate) fn tell_in(
        &mut self,
        unit: &'static str,
        name: &'static str,
        done: u64,
        total: u64,
    ) {
        let rows = |time| line((name, unit), done, total, time);
        let part = if done >= total { Part::Last } else { Part::Earlier };
        self.show(name, part, |is_terminal, time| {
            let line = rows(time);
            if is_terminal { format!("{} {line}", bar(done, total)) } else { line }
        });
    }

    /// So many rows were removed by work of which nobody knows how long it is: it has come to an
    /// id, or to its end.
    pub(crate) fn tell_removed(&mut self, name: &'static str, removed: u64, at: Option<u64>) {
        let part = if at.is_none() { Part::Last } else { Part::Earlier };
        self.show(name, part, |_, _| {
            let at = at.map(|id| format!(", at id {}", grouped(id))).unwrap_or_default();
            format!("{name}: {} removed{at}", grouped(removed))
        });
    }

    /// So much is done of work of which nobody knows how much there is.
    pub(crate) fn tell_count(&mut self, unit: &'static str, name: &'static str, done: u64) {
        self.show(name, Part::Unmeasured, |_, _| format!("{name}: {} {unit}", grouped(done)));
    }

    /// What is being done now, until it is drawn over: on a terminal, and nowhere else.
    pub(crate) fn note(&self, text: &str) {
        if self.is_terminal {
            draw(text);
        }
    }

    /// Now and then, and on a terminal at both ends.
    fn show(
        &mut self,
        name: &'static str,
        part: Part,
        text: impl FnOnce(bool, Duration) -> String,
    ) {
        let now = Instant::now();
        let period = if self.is_terminal { BAR_PERIOD } else { LINE_PERIOD };
        let is_new = self.stage.as_ref().is_none_or(|stage| stage.name != name);
        if is_new {
            self.end();
            self.stage = Some(Shows { name, began: now, told: now, is_shown: false });
        }
        let Some(stage) = &mut self.stage else {
            return;
        };
        if part == Part::Unmeasured && now.duration_since(stage.began) < COUNT_DELAY {
            return;
        }
        let is_shown = self.is_terminal && (is_new || part == Part::Last);
        if is_shown || now.duration_since(stage.told) >= period {
            (stage.told, stage.is_shown) = (now, true);
            let text = text(self.is_terminal, now.duration_since(stage.began));
            if self.is_terminal {
                draw(&text);
            } else {
                // A reader that has gone away is no reason to stop.
                let _ = writeln!(io::stderr().lock(), "{text}");
            }
        }
    }

    /// Leaves the last picture where it is.
    pub(crate) fn end(&mut self) {
        let was_shown = self.stage.take().is_some_and(|stage| stage.is_shown);
        if was_shown && self.is_terminal {
            let _ = writeln!(io::stderr().lock());
        }
    }
}

/// Tells how far copying is, by whatever thread that is told on.
#[derive(Clone)]
pub(crate) struct Shown(Arc<Mutex<Progress>>);

impl Shown {
    /// Nothing has begun.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Progress::new())))
    }

    /// For the store to tell.
    pub(crate) fn of_copy(&self) -> copy::Progress {
        let shown = self.clone();
        copy::Progress::new(move |moment| {
            shown.with(|progress| progress.tell(name(moment.stage), moment.done, moment.total));
        })
    }

    /// For whoever tells something else.
    pub(crate) fn with(&self, tell: impl FnOnce(&mut Progress)) {
        tell(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Leaves the last picture where it is.
    pub(crate) fn end(&self) {
        self.with(Progress::end);
    }
}

const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Check => "checking the target",
        Stage::Copy => "copying",
        Stage::Finish => "finishing",
        Stage::Verify => "verifying",
        Stage::Export => "exporting",
        Stage::Import => "importing",
        Stage::Follow => "looking for what has ended since",
    }
}

/// In place of the line that is there.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    // A reader that has gone away is no reason to stop.
    let _ = write!(stderr, "\r\x1b[K{text}");
    let _ = stderr.flush();
}

fn bar(done: u64, total: u64) -> String {
    let full = done.min(total) * BAR_WIDTH / total.max(1);
    (0..BAR_WIDTH).map(|at| if at < full { '█' } else { '░' }).collect()
}

fn line((name, unit): (&str, &str), done: u64, total: u64, time: Duration) -> String {
    let done = done.min(total);
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000) / millis;
    let left = Duration::from_secs((total - done) / rate.max(1));
    format!(
        "{name}: {} of {} {unit} ({} %), {} a second, {} left",
        grouped(done),
        grouped(total),
        done * 100 / total.max(1),
        grouped(rate),
        span(left),
    )
}

/// `1,234,567`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 token`, `1,234 tokens`
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// `2 min 5 s`
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long_still() {
        assert_eq!(
            line(("copying", "rows"), 250_000, 1_000_000, Duration::from_secs(50)),
            "copying: 250,000 of 1,000,000 rows (25 %), 5,000 a second, 2 min 30 s left"
        );
    }

    #[test]
    fn what_is_empty_or_has_grown_meanwhile_can_be_told() {
        let at_once = |done, total| line(("copying", "rows"), done, total, Duration::ZERO);
        assert_eq!(at_once(0, 0), "copying: 0 of 0 rows (0 %), 0 a second, 0 s left");
        assert!(at_once(7, 5).starts_with("copying: 5 of 5 rows (100 %)"));
    }

    #[test]
    fn a_bar_fills_from_left_to_right() {
        assert_eq!(bar(0, 10).matches('█').count(), 0);
        assert!(bar(5, 10).starts_with("████████████░"));
        assert_eq!(bar(12, 10).matches('░').count(), 0);
    }
}
