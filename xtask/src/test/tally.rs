//! Counting what ran: the tests that cargo's runners report, and every other step as one.

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// The runners' own closing lines, those that ran at least one test.
    pub(super) summaries: Vec<String>,
}

impl Tally {
    pub(super) fn one_passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub(super) fn one_failed() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    pub(super) fn one_skipped() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.summaries.extend(other.summaries.iter().cloned());
    }

    /// Reads one line of a runner; all but its closing lines change nothing.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            let counts = result.split_once(". ").map(|(_, counts)| counts);
            self.count(line, counts.unwrap_or_default().split(';'));
        } else if let Some(counts) = of_pytest(line) {
            self.count(line, counts.split(','));
        } else if let Some(count) = line.strip_prefix("# ") {
            self.count_tap(line, count);
        }
    }

    /// `4 passed`, `1 failed` and so on.
    fn count<'a>(&mut self, line: &str, counts: impl Iterator<Item = &'a str>) {
        let mut run = 0;
        for (number, word) in counts.filter_map(|count| count.trim().split_once(' ')) {
            let number = number.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" | "error" | "errors" => self.failed += number,
                "ignored" | "skipped" => self.skipped += number,
                _ => continue,
            }
            run += if matches!(word, "ignored" | "skipped") { 0 } else { number };
        }
        if run > 0 {
            self.summaries.push(line.to_owned());
        }
    }

    /// One of the lines at the end of what Node.js reports: `# pass 4`.
    fn count_tap(&mut self, line: &str, count: &str) {
        let Some((word, Ok(number))) =
            count.split_once(' ').map(|(word, number)| (word, number.parse::<usize>()))
        else {
            return;
        };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.skipped += number,
            _ => return,
        }
        if number > 0 {
            self.summaries.push(line.to_owned());
        }
    }
}

/// The counts in pytest's closing line, `1 failed, 27 passed in 25.51s`.
fn of_pytest(line: &str) -> Option<&str> {
    let (counts, time) = line.split_once(" in ")?;
    let seconds = time.split(' ').next()?.strip_suffix('s')?;
    let is_counts = counts.split(", ").all(|count| {
        count.split_once(' ').is_some_and(|(number, _)| number.parse::<usize>().is_ok())
    });
    (is_counts && seconds.parse::<f64>().is_ok()).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; \
                        0 filtered out; finished in 0.02s";
    const BAD: &str = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; \
                       7 filtered out; finished in 1.50s";

    #[test]
    fn closing_lines_are_summed_and_kept() {
        let mut tally = Tally::default();
        for line in ["running 12 tests", "test a ... ok", GOOD, "", BAD] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (15, 2, 1));
        assert_eq!(tally.summaries, [GOOD, BAD]);
    }

    #[test]
    fn the_closing_lines_of_pytest_and_of_node_are_counted_too() {
        let mut tally = Tally::default();
        let pytest = "1 failed, 27 passed, 2 skipped, 1 error in 125.51s (0:02:05)";
        let tap = ["# tests 9", "# pass 5", "# fail 1", "# cancelled 1", "# skipped 2", "# todo 0"];
        let prose = ["3 calls in 5 seconds", "# a note", "passed in 2s", "# pass", "# pass all"];
        for line in [pytest].into_iter().chain(tap).chain(prose) {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (32, 4, 4));
        assert_eq!(tally.summaries.len(), 5);
        assert_eq!(tally.summaries[0], pytest);
    }

    #[test]
    fn a_runner_without_tests_leaves_no_line() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(tally, Tally::default());
    }
}
