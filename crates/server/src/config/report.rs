//! What is in force and why, and what of it weakens the server: the answer of
//! `tokenry check-config`. It is itself a configuration file that means the same, secrets excepted.

use std::fmt::Write as _;

use super::{Loaded, Origin, Weakness, kinds::Shown, section::Section, setting::Setting};

/// Where the comments begin, if the line before them is not longer.
const COMMENT_COLUMN: usize = 48;

impl Loaded {
    /// Where the value of a setting came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Every setting with its value and its origin, and at the end those that weaken the server, as
    /// TOML with comments. Secrets are not shown.
    pub fn report(&self) -> String {
        let mut report = String::new();
        for group in self.config.groups() {
            if !group.section.is_empty() {
                // Writing to a String cannot fail.
                let _ = writeln!(report, "\n[{}]", group.section);
            }
            for setting in &group.settings {
                let line = line(setting);
                let origin = self.origin(setting.key);
                let _ = writeln!(report, "{line:<COMMENT_COLUMN$} # {origin}");
            }
        }
        let weaknesses = self.config.weaknesses();
        if !weaknesses.is_empty() {
            report.push_str("\n# Weaker than what is safe:\n");
        }
        for Weakness { key, consequence } in weaknesses {
            let _ = writeln!(report, "# {key} ({}): {consequence}", self.origin(key));
        }
        report
    }
}

fn line(setting: &Setting) -> String {
    match &setting.value {
        Shown::Toml(value) => format!("{} = {value}", setting.name()),
        Shown::Unset => format!("# {} is not set", setting.name()),
        Shown::Redacted => format!("# {} is set and not shown", setting.name()),
    }
}
