//! Lines that tell how far a run is, how fast, and how long it will take.

use std::time::{Duration, Instant};

/// Between two lines.
const PERIOD: Duration = Duration::from_secs(5);

/// A run on its way.
pub struct Progress {
    name: &'static str,
    unit: &'static str,
    goal: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// Begins now.
    pub fn new(name: &'static str, unit: &'static str, goal: u64) -> Self {
        let now = Instant::now();
        Self { name, unit, goal, began: now, told: now }
    }

    /// Prints a line if the last one is a while ago.
    pub fn reached(&mut self, count: u64) {
        if self.told.elapsed() >= PERIOD {
            self.told = Instant::now();
            println!("{}", self.line(count, self.began.elapsed()));
        }
    }

    fn line(&self, count: u64, time: Duration) -> String {
        let Self { name, unit, goal, .. } = self;
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = count.saturating_mul(1_000) / millis;
        let left = goal.saturating_sub(count) / rate.max(1);
        format!(
            "{name}: {} of {} {unit} ({} %), {} a second, {} left",
            grouped(count),
            grouped(*goal),
            count.saturating_mul(100) / goal.max(&1),
            grouped(rate),
            span(Duration::from_secs(left)),
        )
    }
}

/// `1,234,567`
pub fn grouped(number: u64) -> String {
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

/// `2 min 5 s`
pub fn span(time: Duration) -> String {
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
        let progress = Progress::new("fleet", "refreshes", 1_000_000);
        assert_eq!(
            progress.line(250_000, Duration::from_secs(50)),
            "fleet: 250,000 of 1,000,000 refreshes (25 %), 5,000 a second, 2 min 30 s left"
        );
    }

    #[test]
    fn a_run_that_has_not_begun_can_be_told() {
        let line = Progress::new("growth", "tokens", 10).line(0, Duration::ZERO);
        assert_eq!(line, "growth: 0 of 10 tokens (0 %), 0 a second, 10 s left");
    }
}
