//! Migrations: numbered without a gap, the same numbers and names for every engine, and nothing in
//! them that nodes of the version before cannot live with.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Finding, TextFile};

const FOLDER: &str = "crates/store/migrations";
/// The engine whose database nodes of two versions share. The embedded one has one node, which is
/// stopped before it is replaced.
const SHARED: &str = "crates/store/migrations/postgres";
/// What a step begins a line with that takes away something, and then says why nobody needs it.
const CONTRACTS: &str = "-- contracts:";

pub(super) fn check(paths: &[&Path]) -> Vec<Finding> {
    let mut engines: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    for path in paths {
        let Ok(inside) = path.strip_prefix(FOLDER) else {
            continue;
        };
        let engine = inside.components().next().and_then(|part| part.as_os_str().to_str());
        engines.entry(engine.unwrap_or_default()).or_default().push(path);
    }
    let mut findings: Vec<Finding> = engines.values().flat_map(|paths| numbering(paths)).collect();
    findings.extend(same_everywhere(&engines));
    findings
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// `paths` is in the order of the names.
fn numbering(paths: &[&Path]) -> Vec<Finding> {
    let numbered = paths.iter().zip(1_usize..);
    let wrong = numbered.filter(|(path, number)| !is_numbered(file_name(path), *number));
    wrong
        .map(|(path, number)| {
            let message = format!("expected {number:04}_name.sql here: migrations have no gaps");
            Finding::of_file(path, message)
        })
        .collect()
}

fn is_numbered(name: &str, number: usize) -> bool {
    let words = name.strip_prefix(&format!("{number:04}_")).and_then(|n| n.strip_suffix(".sql"));
    words.is_some_and(|words| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !words.is_empty() && words.bytes().all(allowed)
    })
}

fn same_everywhere(engines: &BTreeMap<&str, Vec<&Path>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (engine, paths) in engines {
        for (other, others) in engines.iter().filter(|(other, _)| *other != engine) {
            let missing = paths.iter().filter(|path| {
                let name = file_name(path);
                !others.iter().any(|candidate| file_name(candidate) == name)
            });
            findings.extend(missing.map(|path| {
                let message = format!("{other} has no migration of this number and name: add it");
                Finding::of_file(path, message)
            }));
        }
    }
    findings
}

/// Expand, then contract: a step may add, and what it takes away must have had no reader and no
/// writer for a whole version, which it has to say.
pub(super) fn check_texts(files: &[TextFile]) -> Vec<Finding> {
    let shared = files.iter().filter(|file| file.path.starts_with(SHARED));
    shared.flat_map(takes_away).collect()
}

fn takes_away(file: &TextFile) -> Vec<Finding> {
    let is_reason =
        |line: &str| line.strip_prefix(CONTRACTS).is_some_and(|reason| !reason.trim().is_empty());
    if file.text.lines().any(is_reason) {
        return Vec::new();
    }
    let statements = statements(&file.text);
    let broken = statements.iter().filter_map(|(line, words)| Some((line, taken_away(words)?)));
    broken
        .map(|(line, what)| {
            let message = format!(
                "{what}, and nodes of the version before still run: add what is new beside it, and \
                 take this away in a later version, with a line `{CONTRACTS} why nobody needs it`"
            );
            Finding::of_line(&file.path, *line, message)
        })
        .collect()
}

/// Each statement in words of one case, without comments, and the line that it begins in.
fn statements(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut statements = vec![(0, Vec::new())];
    for (index, line) in text.lines().enumerate() {
        let code = line.split("--").next().unwrap_or_default().replace(['(', ')', ','], " ");
        for (place, part) in code.split(';').enumerate() {
            if place > 0 {
                statements.push((index, Vec::new()));
            }
            let words = part.split_whitespace().map(str::to_uppercase);
            if let Some((begin, statement)) = statements.last_mut() {
                if statement.is_empty() {
                    *begin = index;
                }
                statement.extend(words);
            }
        }
    }
    statements
}

/// What of it somebody may still need.
fn taken_away(statement: &[String]) -> Option<&'static str> {
    let words: Vec<&str> = statement.iter().map(String::as_str).collect();
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|found| found == phrase);
    match words.first().copied()? {
        "DROP" => Some("drops something"),
        "TRUNCATE" => Some("empties a table"),
        "ALTER" if has(&["RENAME"]) => Some("renames something"),
        "ALTER" if has(&["DROP"]) && !has(&["DROP", "NOT", "NULL"]) => Some("drops something"),
        "ALTER" if has(&["TYPE"]) => Some("changes a type"),
        "ALTER" if has(&["SET", "NOT", "NULL"]) => Some("demands a value"),
        "ALTER" if has(&["ADD", "CONSTRAINT"]) => Some("demands more of rows"),
        "ALTER" if has(&["ADD"]) && has(&["NOT", "NULL"]) && !has(&["DEFAULT"]) => {
            Some("demands a value that has no default")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, told};
    use super::*;

    fn findings(names: &[&str]) -> Vec<String> {
        let paths: Vec<String> = names.iter().map(|name| format!("{FOLDER}/{name}")).collect();
        let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
        told(&check(&paths))
    }

    #[test]
    fn numbers_start_at_one_and_have_no_gap() {
        assert!(findings(&["sqlite/0001_first.sql", "sqlite/0002_uses.sql"]).is_empty());
        assert_eq!(findings(&["sqlite/0001_first.sql", "sqlite/0003_uses.sql"]).len(), 1);
        assert_eq!(findings(&["sqlite/0002_first.sql"]).len(), 1);
    }

    #[test]
    fn two_migrations_of_one_number_are_refused() {
        assert_eq!(findings(&["sqlite/0001_a.sql", "sqlite/0001_b.sql"]).len(), 1);
    }

    #[test]
    fn names_are_lower_case_words() {
        assert_eq!(findings(&["sqlite/0001-First.sql"]).len(), 1);
    }

    #[test]
    fn engines_have_the_same_migrations() {
        let same = ["postgres/0001_first.sql", "sqlite/0001_first.sql"];
        assert!(findings(&same).is_empty());
        let told = findings(&["postgres/0001_first.sql", "sqlite/0001_start.sql"]);
        assert_eq!(told.len(), 2, "{told:?}");
    }

    fn of_step(engine: &str, text: &str) -> Vec<String> {
        told(&check_texts(&[file(&format!("{FOLDER}/{engine}/0009_step.sql"), text)]))
    }

    #[test]
    fn a_step_may_add_what_nobody_of_the_version_before_knows_of() {
        for text in [
            "CREATE TABLE IF NOT EXISTS leases (job text NOT NULL PRIMARY KEY);",
            "ALTER TABLE tokens ADD COLUMN IF NOT EXISTS note text;",
            "ALTER TABLE tokens ADD COLUMN kind bigint NOT NULL DEFAULT 0;",
            "ALTER TABLE tokens ALTER COLUMN note DROP NOT NULL;",
            "CREATE INDEX IF NOT EXISTS tokens_kind ON tokens (kind);",
            "-- Nothing to DROP; the other engine had to RENAME.",
            "UPDATE tokens SET kind = 1 WHERE kind = 0;",
        ] {
            assert!(of_step("postgres", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_step_may_not_take_away_what_the_version_before_needs() {
        for text in [
            "DROP TABLE tokens;",
            "DROP INDEX tokens_user;",
            "drop table if exists tokens;",
            "ALTER TABLE tokens\n    DROP COLUMN note;",
            "ALTER TABLE tokens RENAME TO records;",
            "ALTER TABLE tokens RENAME COLUMN note TO remark;",
            "ALTER TABLE tokens ALTER COLUMN note TYPE bigint USING 0;",
            "ALTER TABLE tokens ALTER COLUMN note SET NOT NULL;",
            "ALTER TABLE tokens ADD COLUMN kind bigint NOT NULL;",
            "ALTER TABLE tokens ADD CONSTRAINT positive CHECK (id > 0);",
            "TRUNCATE changes;",
        ] {
            let found = of_step("postgres", &format!("CREATE TABLE a (b text);\n{text}\n"));
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].starts_with(&format!("{SHARED}/0009_step.sql:2: ")), "{found:?}");
        }
    }

    #[test]
    fn a_step_that_contracts_says_why_nobody_needs_what_it_takes_away() {
        let drop = "DROP TABLE old;";
        assert_eq!(of_step("postgres", &format!("{CONTRACTS}\n{drop}")).len(), 1);
        let said = format!("{CONTRACTS} since 0.3 nothing reads it\n{drop}");
        assert!(of_step("postgres", &said).is_empty());
    }

    #[test]
    fn the_embedded_engine_has_no_node_of_another_version_beside_it() {
        assert!(of_step("sqlite", "DROP TABLE tokens;").is_empty());
    }
}
