//! Rules about the text of single files: length, leftovers, module docs, machine paths.

use std::path::Path;

use super::exceptions::lines_max;
use super::{Finding, TextFile};

/// The longest line of Rust, in characters; rustfmt leaves strings and comments alone.
const LINE_WIDTH_MAX: usize = 100;

/// What must not stay in source. These words stand in this folder, which is not searched for them.
const LEFTOVERS: [(&str, &str); 7] = [
    ("TODO", "do it now, or file an issue"),
    ("FIXME", "mend it now, or file an issue"),
    ("dbg!(", "remove it"),
    ("todo!(", "build it, or leave its caller out"),
    ("unimplemented!(", "build it, or leave its caller out"),
    ("#[ignore", "a test runs or is deleted"),
    ("#[allow(", "use #[expect(lint, reason = \"…\")], which ends when its cause does"),
];

/// Text that is true on one machine or in one network only.
const MACHINE_TEXT: [&str; 7] =
    ["/root/", "/home/", "/Users/", "://registry.", "://index.", "://static.", "://files."];

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    if file.path.starts_with("xtask/src/tidy") {
        return rust(file);
    }
    let mut findings = machine_text(file);
    if has_extension(&file.path, &["rs", "mjs", "py", "toml", "html", "css", "sql"]) {
        findings.extend(leftovers(file));
    }
    findings.extend(rust(file));
    findings
}

fn rust(file: &TextFile) -> Vec<Finding> {
    if !has_extension(&file.path, &["rs"]) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(length(file));
    findings.extend(module_docs(file));
    findings.extend(line_width(file));
    findings
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

fn length(file: &TextFile) -> Option<Finding> {
    let (lines, max) = (lines_without_tests(&file.text), lines_max(&file.path));
    (lines > max).then(|| {
        let message = format!(
            "{lines} lines without its tests, {max} are allowed: split it by what it speaks of, \
             or add it to xtask/src/tidy/exceptions.rs with a reason"
        );
        Finding::of_file(&file.path, message)
    })
}

/// Counts up to the test module, which stands last in a file.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |pair: &[&str]| {
        matches!(pair, [attribute, module]
            if *attribute == "#[cfg(test)]" && module.starts_with("mod ") && module.ends_with('{'))
    };
    lines.windows(2).position(starts_tests).unwrap_or(lines.len())
}

fn module_docs(file: &TextFile) -> Option<Finding> {
    let starts_with_docs = file.text.trim_start().starts_with("//!");
    (!starts_with_docs).then(|| {
        let message = "start the file with `//!`: what it is, its RFC, its invariants";
        Finding::of_file(&file.path, message)
    })
}

/// A link cannot be broken, and a raw string only by changing what it shows.
fn line_width(file: &TextFile) -> Vec<Finding> {
    let cannot_be_broken = |line: &str| line.contains("://") || line.contains("r#\"");
    let lines = file.text.lines().enumerate();
    let wide =
        lines.filter(|(_, line)| line.chars().count() > LINE_WIDTH_MAX && !cannot_be_broken(line));
    wide.map(|(index, line)| {
        let width = line.chars().count();
        let message = format!("{width} characters, {LINE_WIDTH_MAX} are allowed: break the line");
        Finding::of_line(&file.path, index, message)
    })
    .collect()
}

fn leftovers(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (word, remedy) in LEFTOVERS {
            if line.contains(word) {
                findings.push(Finding::of_line(&file.path, index, format!("{word}: {remedy}")));
            }
        }
    }
    findings
}

fn machine_text(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for text in MACHINE_TEXT {
            if line.contains(text) {
                let message = format!(
                    "{text} is one machine's or one network's own: name the thing without it"
                );
                findings.push(Finding::of_line(&file.path, index, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, told};
    use super::*;

    #[test]
    fn a_file_of_the_allowed_length_passes_and_one_line_more_does_not() {
        let lines = |count: usize| format!("//! Doc.\n{}", "x\n".repeat(count - 1));
        assert_eq!(check(&file("a.rs", &lines(500))), []);
        let findings = told(&check(&file("a.rs", &lines(501))));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("a.rs: 501 lines without its tests, 500 are allowed"));
    }

    #[test]
    fn files_of_tests_alone_may_be_longer() {
        let text = format!("//! Doc.\n{}", "x\n".repeat(799));
        for name in ["crates/server/tests/it/api/tokens.rs", "crates/server/src/views/tests.rs"] {
            assert_eq!(check(&file(name, &text)), []);
            assert_eq!(check(&file(name, &format!("{text}x\n"))).len(), 1);
        }
    }

    #[test]
    fn the_test_module_does_not_count_but_one_that_is_only_declared_ends_nothing() {
        let text = format!("//! D.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "x\n".repeat(900));
        assert_eq!(lines_without_tests(&text), 1);
        assert_eq!(lines_without_tests("//! D.\n#[cfg(test)]\nmod tests;\nx\n"), 4);
    }

    #[test]
    fn a_file_without_module_docs_is_told_so() {
        let findings = told(&check(&file("a.rs", "use std::fs;\n")));
        assert_eq!(
            findings,
            ["a.rs: start the file with `//!`: what it is, its RFC, its invariants"]
        );
    }

    #[test]
    fn leftovers_are_named_with_their_line() {
        let findings = told(&check(&file("a.rs", "//! D.\nfn f() { todo!() }\n")));
        assert_eq!(findings, ["a.rs:2: todo!(: build it, or leave its caller out"]);
        let findings = told(&check(&file("a.py", "# TODO later\n")));
        assert_eq!(findings, ["a.py:1: TODO: do it now, or file an issue"]);
    }

    #[test]
    fn a_lint_is_expected_and_never_allowed() {
        let findings = check(&file("a.rs", "//! D.\n#[allow(dead_code)]\nfn f() {}\n"));
        assert_eq!(findings.len(), 1);
        let text = "//! D.\n#[expect(dead_code, reason = \"r\")]\nfn f() {}\n";
        assert_eq!(check(&file("a.rs", text)), []);
    }

    #[test]
    fn paths_of_one_machine_are_found_in_every_kind_of_file() {
        for name in ["README.md", "a.rs", ".ci/run", "deny.toml"] {
            let findings = told(&check(&file(name, "//! see /home/me/tokenry\n")));
            assert_eq!(findings.len(), 1, "{name}: {findings:?}");
        }
    }

    #[test]
    fn a_wide_line_is_found_unless_it_holds_a_link_or_a_raw_string() {
        let wide = format!("//! D.\n// {}\n", "x".repeat(98));
        assert_eq!(
            told(&check(&file("a.rs", &wide))),
            ["a.rs:2: 101 characters, 100 are allowed: break the line"]
        );
        let link = format!("//! D.\n// https://example.test/{}\n", "x".repeat(98));
        assert_eq!(check(&file("a.rs", &link)), []);
        let raw = format!("//! D.\nconst A: &str = r#\"{}\"#;\n", "x".repeat(98));
        assert_eq!(check(&file("a.rs", &raw)), []);
    }
}
