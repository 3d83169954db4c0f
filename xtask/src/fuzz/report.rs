//! What libFuzzer prints, and what is made of it.

use std::time::Duration;

/// What one run of one target came to.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) executions: u64,
    /// Edges of the program that some input reached.
    pub(super) edges: u64,
    /// Inputs that each reach something of their own.
    pub(super) corpus: u64,
    pub(super) time: Duration,
    /// Where the input is that broke a property.
    pub(super) finding: Option<String>,
}

impl Outcome {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            executions: 0,
            edges: 0,
            corpus: 0,
            time: Duration::ZERO,
            finding: None,
        }
    }

    /// Takes one line of what libFuzzer prints.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = number.trim().parse().unwrap_or(self.executions);
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.finding = Some(path.to_owned());
        } else if let Some(status) = line.strip_prefix('#') {
            let mut words = status.split_whitespace();
            let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
            self.executions = number(words.next()).unwrap_or(self.executions);
            while let Some(word) = words.next() {
                match word {
                    "cov:" => self.edges = number(words.next()).unwrap_or(self.edges),
                    "corp:" => {
                        let corpus = words.next().and_then(|word| word.split('/').next());
                        self.corpus = number(corpus).unwrap_or(self.corpus);
                    }
                    _ => {}
                }
            }
        }
    }

    pub(super) fn line(&self) -> String {
        let found = if self.finding.is_some() { "FOUND" } else { "-" };
        format!(
            "{:<24} {:>12} {:>8} {:>8} {:>7} s  {found}",
            self.name,
            self.executions,
            self.edges,
            self.corpus,
            self.time.as_secs()
        )
    }
}

/// The closing table.
pub(super) fn print(outcomes: &[Outcome]) {
    println!(
        "\n  {:<24} {:>12} {:>8} {:>8} {:>9}  findings",
        "target", "executions", "edges", "corpus", "time"
    );
    for outcome in outcomes {
        println!("  {}", outcome.line());
    }
    let executions: u64 = outcomes.iter().map(|outcome| outcome.executions).sum();
    let time: Duration = outcomes.iter().map(|outcome| outcome.time).sum();
    println!("  {:<24} {executions:>12} {:>8} {:>8} {:>7} s\n", "all", "", "", time.as_secs());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Outcome {
        let mut outcome = Outcome::new("form");
        for line in lines {
            outcome.read(line);
        }
        outcome
    }

    #[test]
    fn a_status_line_tells_executions_edges_and_corpus() {
        let line = "#15130\tREDUCE cov: 11 ft: 12 corp: 4/13b lim: 135 exec/s: 0 rss: 27Mb";
        let outcome = read(&["INFO: seed corpus: files: 1", line]);
        assert_eq!((outcome.executions, outcome.edges, outcome.corpus), (15_130, 11, 4));
        assert_eq!(outcome.finding, None);
    }

    #[test]
    fn the_closing_statistics_have_the_last_word() {
        let outcome = read(&["#16\tpulse  cov: 3", "stat::number_of_executed_units: 99"]);
        assert_eq!(outcome.executions, 99);
    }

    #[test]
    fn an_input_that_breaks_a_property_is_named() {
        let line = "artifact_prefix='a/'; Test unit written to a/crash-31";
        assert_eq!(read(&[line]).finding.as_deref(), Some("a/crash-31"));
    }
}
