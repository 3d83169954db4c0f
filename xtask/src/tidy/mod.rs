//! `cargo xtask tidy`: the rules of STYLE.md that a program can check, each with how to mend it.
//!
//! A rule is a plain function from text, or from a list of paths, to findings; this module reads
//! the repository and hands it to them.

mod attacks;
mod exceptions;
mod layering;
mod links;
mod lock_files;
mod migrations;
mod mirror;
mod source;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// One broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: PathBuf,
    /// Counted from 1; nothing when the rule is about the whole file.
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn of_file(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    /// `index` counts from 0, as iterators do.
    fn of_line(path: &Path, index: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(index + 1), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// A file of the repository with its text.
pub(crate) struct TextFile {
    path: PathBuf,
    text: String,
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = read(workspace)?;
    let mut findings = check(&files);
    findings.extend(layering::check(&workspace.metadata)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files keep the rules", files.len());
            Ok(())
        }
        count => bail!("tidy: {count} broken rules, each named above with the way to mend it"),
    }
}

fn check(files: &[TextFile]) -> Vec<Finding> {
    let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    let mut findings = migrations::check(&paths);
    findings.extend(migrations::check_texts(files));
    findings.extend(mirror::check(files));
    findings.extend(attacks::check(files));
    findings.extend(exceptions::check(&paths));
    for file in files {
        findings.extend(source::check(file));
        findings.extend(links::check(file));
        findings.extend(lock_files::check(file));
    }
    findings
}

/// Every text file; pictures and fonts are nobody's prose.
fn read(workspace: &Workspace) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    for path in workspace.files()? {
        let bytes = fs::read(workspace.root.join(&path)).context(path.display().to_string())?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path, text });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.to_owned() }
    }

    pub(super) fn told(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_finding_names_its_file_and_its_line_counted_from_one() {
        let finding = Finding::of_line(Path::new("a.rs"), 0, "no");
        assert_eq!(finding.to_string(), "a.rs:1: no");
        assert_eq!(Finding::of_file(Path::new("a.rs"), "no").to_string(), "a.rs: no");
    }
}
