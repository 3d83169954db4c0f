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

    /// Reads one line of a runner; all but its closing line change nothing.
    pub(super) fn read(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let Some((_, counts)) = result.split_once(". ") else {
            return;
        };
        let count = |word: &str| -> usize {
            let mut parts = counts.split(';').filter_map(|part| part.trim().split_once(' '));
            let number = parts.find(|(_, name)| *name == word).map(|(number, _)| number);
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let (passed, failed, ignored) = (count("passed"), count("failed"), count("ignored"));
        self.passed += passed;
        self.failed += failed;
        self.skipped += ignored;
        if passed + failed > 0 {
            self.summaries.push(line.to_owned());
        }
    }
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
    fn a_runner_without_tests_leaves_no_line() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(tally, Tally::default());
    }
}
