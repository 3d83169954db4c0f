//! Migrations: numbered without a gap, and the same numbers and names for every engine.

use std::collections::BTreeMap;
use std::path::Path;

use super::Finding;

const FOLDER: &str = "crates/store/migrations";

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

#[cfg(test)]
mod tests {
    use super::super::tests::told;
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
}
