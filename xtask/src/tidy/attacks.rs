//! `docs/attacks.md`: every attack has a check in the code and a test that tries it, and the page
//! names none that is not there.
//!
//! A row of its tables has four cells: where the attack is described, the attack, the check, the
//! test. A check or a test is a file below `crates/`, followed by names in it, each as code. A row
//! whose last cell is a dash does not apply and says why.

use std::path::{Path, PathBuf};

use super::{Finding, TextFile};

const PAGE: &str = "docs/attacks.md";
const FOLDER: &str = "crates";
/// How many attacks are tried at least.
const ROWS_MIN: usize = 80;
/// What every engine mounts as tests; the functions themselves carry no attribute.
const SUITE: &str = "crates/store/src/suite";
const NOT_APPLICABLE: &str = "–";

/// A name in a file, as a cell gives it.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    path: PathBuf,
    name: String,
}

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == Path::new(PAGE)) else {
        let message = "gone: every attack needs a check and a test that tries it";
        return vec![Finding::of_file(Path::new(PAGE), message)];
    };
    let mut findings = Vec::new();
    let mut tried = 0;
    for (index, cells) in rows(&page.text) {
        let found = row(&cells, files);
        tried += usize::from(found.as_ref().is_ok_and(|row| *row == Row::Tried));
        let messages = found.err().unwrap_or_default();
        let of_line = |message| Finding::of_line(&page.path, index, message);
        findings.extend(messages.into_iter().map(of_line));
    }
    if tried < ROWS_MIN {
        let message =
            format!("{tried} attacks with a check and a test, at least {ROWS_MIN} wanted");
        findings.push(Finding::of_file(&page.path, message));
    }
    findings
}

/// The rows of all tables with their lines, without headings and the lines below those.
fn rows(text: &str) -> Vec<(usize, Vec<&str>)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("|-") || line.starts_with("| -");
    let is_heading = |index: usize| lines.get(index + 1).is_some_and(|next| is_rule(next));
    let in_tables = lines
        .iter()
        .enumerate()
        .filter(|(index, line)| line.starts_with('|') && !is_rule(line) && !is_heading(*index));
    in_tables
        .map(|(index, line)| (index, line.trim_matches('|').split('|').map(str::trim).collect()))
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Row {
    Tried,
    NotApplicable,
}

fn row(cells: &[&str], files: &[TextFile]) -> Result<Row, Vec<String>> {
    let [_, attack, check, test] = cells else {
        let message = "a row has four cells: source, attack, check, test; write no other |";
        return Err(vec![message.to_owned()]);
    };
    if attack.is_empty() || check.is_empty() {
        return Err(vec!["say what the attack is, and what stops it or why not".to_owned()]);
    }
    if *test == NOT_APPLICABLE {
        return Ok(Row::NotApplicable);
    }
    let (in_code, in_tests) = (references(check), references(test));
    let mut messages = Vec::new();
    for (cell, found) in [("check", &in_code), ("test", &in_tests)] {
        match found {
            Ok(found) if found.is_empty() => {
                messages.push(format!("no {cell}: name a `file` and a `function` in it"));
            }
            Ok(_) => {}
            Err(message) => messages.push(message.clone()),
        }
    }
    let missing_in = |references: Result<Vec<Reference>, String>,
                      holds: fn(&TextFile, &str) -> bool| {
        let references = references.unwrap_or_default().into_iter();
        references.filter_map(|reference| missing(&reference, files, holds)).collect::<Vec<_>>()
    };
    messages.extend(missing_in(in_code, defines));
    messages.extend(missing_in(in_tests, tests));
    if messages.is_empty() { Ok(Row::Tried) } else { Err(messages) }
}

/// The names that a cell gives as code, each with the file before it.
fn references(cell: &str) -> Result<Vec<Reference>, String> {
    let mut found = Vec::new();
    let mut path: Option<(&str, usize)> = None;
    for span in cell.split('`').skip(1).step_by(2) {
        match &mut path {
            _ if Path::new(span).extension().is_some_and(|extension| extension == "rs") => {
                nameless(path)?;
                path = Some((span, 0));
            }
            Some((path, names)) => {
                *names += 1;
                let path = Path::new(FOLDER).join(path);
                found.push(Reference { path, name: span.to_owned() });
            }
            None => return Err(format!("`{span}` has no file before it")),
        }
    }
    nameless(path)?;
    Ok(found)
}

fn nameless(path: Option<(&str, usize)>) -> Result<(), String> {
    match path {
        Some((path, 0)) => Err(format!("`{path}` needs the name of a function in it")),
        _ => Ok(()),
    }
}

fn missing(
    reference: &Reference,
    files: &[TextFile],
    holds: fn(&TextFile, &str) -> bool,
) -> Option<String> {
    let Reference { path, name } = reference;
    match files.iter().find(|file| file.path == *path) {
        None => Some(format!("{} is not there: name the file that is", path.display())),
        Some(file) if !holds(file, name) => {
            Some(format!("{} has no {name}: name the one that does it now", path.display()))
        }
        Some(_) => None,
    }
}

/// Whether a file defines this name.
fn defines(file: &TextFile, name: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "const", "static", "trait"];
    file.text.lines().any(|line| {
        kinds.iter().any(|kind| {
            let after = line.split_once(&format!("{kind} {name}")).map(|(before, rest)| {
                let starts = before.is_empty() || before.ends_with([' ', '(']);
                starts && !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            });
            after.unwrap_or_default()
        })
    })
}

/// Whether a file has a test of this name.
fn tests(file: &TextFile, name: &str) -> bool {
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else {
        return false;
    };
    let above = lines.iter().take(at).rev();
    let mut above = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    file.path.starts_with(SUITE)
        || above.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, told};
    use super::*;

    const CODE: &str = "pub fn redeem(x: u8) {}\npub(crate) struct Proof;\nconst MAX: u8 = 4;\n";
    const TEST: &str =
        "/// Why.\n#[tokio::test]\nasync fn a_code_is_redeemed_once() {}\nfn helper() {}\n";

    fn repository(page: &str) -> Vec<TextFile> {
        vec![
            file(PAGE, page),
            file("crates/core/src/code.rs", CODE),
            file("crates/server/tests/it/code.rs", TEST),
            file("crates/store/src/suite/tokens.rs", "pub async fn of_32_one_wins(s: &S) {}\n"),
        ]
    }

    /// What is told of a page with this row, its length aside.
    fn findings(row: &str) -> Vec<String> {
        let page = format!("| source | attack | check | test |\n|---|---|---|---|\n{row}\n");
        let all = told(&check(&repository(&page)));
        all.into_iter().filter(|finding| !finding.contains("at least")).collect()
    }

    const GOOD: &str = "| 4.5 | Twice. | `core/src/code.rs` `redeem` `Proof` `MAX` \
                        | `server/tests/it/code.rs` `a_code_is_redeemed_once` |";

    #[test]
    fn a_row_whose_check_and_test_are_there_is_good() {
        assert_eq!(findings(GOOD), [""; 0]);
        let in_suite = "| 4.5 | Raced. | `core/src/code.rs` `redeem` \
                        | `store/src/suite/tokens.rs` `of_32_one_wins` |";
        assert_eq!(findings(in_suite), [""; 0]);
    }

    #[test]
    fn a_row_that_does_not_apply_needs_its_reason_alone() {
        assert_eq!(findings("| 4.6 | Implicit. | Is not offered. | – |"), [""; 0]);
        assert_eq!(findings("| 4.6 | Implicit. |  | – |").len(), 1);
    }

    #[test]
    fn what_is_gone_or_renamed_is_found_with_its_line() {
        for (from, to, message) in [
            ("core/src/code.rs", "core/src/gone.rs", "crates/core/src/gone.rs is not there"),
            ("redeem`", "redee`", "crates/core/src/code.rs has no redee:"),
            ("MAX", "MAXIMUM", "has no MAXIMUM"),
            ("a_code_is_redeemed_once", "a_code", "it/code.rs has no a_code:"),
            // What is there and is no test tries nothing.
            ("a_code_is_redeemed_once", "helper", "it/code.rs has no helper:"),
        ] {
            let found = findings(&GOOD.replacen(from, to, 1));
            assert!(found.iter().any(|found| found.contains(message)), "{to}: {found:?}");
            assert!(found.iter().all(|found| found.starts_with("docs/attacks.md:3: ")));
        }
    }

    #[test]
    fn a_row_names_both_a_check_and_a_test() {
        for (row, message) in [
            ("| 4.5 | Twice. | `core/src/code.rs` `redeem` | later |", "no test"),
            ("| 4.5 | Twice. | somewhere | `server/tests/it/code.rs` `x` |", "no check"),
            ("| 4.5 | Twice. | `core/src/code.rs` | – and more |", "needs the name of a function"),
            ("| 4.5 | Twice. | `redeem` | – or so |", "has no file before it"),
            ("| 4.5 | Twice. |", "a row has four cells"),
        ] {
            let found = findings(row);
            assert!(found.iter().any(|found| found.contains(message)), "{row}: {found:?}");
        }
    }

    #[test]
    fn a_page_is_there_and_has_its_rows() {
        assert_eq!(told(&check(&[])).len(), 1);
        let page = |rows: usize| format!("| a |\n|---|\n{}", format!("{GOOD}\n").repeat(rows));
        let short = told(&check(&repository(&page(79))));
        assert_eq!(
            short,
            ["docs/attacks.md: 79 attacks with a check and a test, at least 80 wanted"]
        );
        assert_eq!(check(&repository(&page(80))), []);
    }
}
