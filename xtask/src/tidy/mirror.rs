//! Tests mirror the source tree: a reader of an endpoint finds its tests under the same name.

use std::path::{Path, PathBuf};

use super::{Finding, TextFile};

const SOURCE: &str = "crates/server/src";
const TESTS: &str = "crates/server/tests/it";

/// The folders of the server whose every file speaks HTTP.
const MIRRORED: [&str; 2] = ["endpoints", "api"];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().filter_map(|file| finding(files, &file.path)).collect()
}

fn finding(files: &[TextFile], source: &Path) -> Option<Finding> {
    let test = Path::new(TESTS).join(mirrored(source)?);
    if !files.iter().any(|file| file.path == test) {
        let message = format!("no tests: add {}, where its rules are tested", test.display());
        return Some(Finding::of_file(source, message));
    }
    let declared = declarations(&test).any(|parent| {
        let name = test.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let declaration = format!("mod {name};");
        let mut parents = files.iter().filter(|file| file.path == parent);
        parents.any(|file| file.text.lines().any(|line| line.trim() == declaration))
    });
    (!declared).then(|| Finding::of_file(&test, "never runs: declare it in the module above it"))
}

/// `endpoints/token/form.rs` is tested with its endpoint, in `endpoints/token.rs`.
fn mirrored(source: &Path) -> Option<PathBuf> {
    let inside = source.strip_prefix(SOURCE).ok()?;
    let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
    let (folder, name) = match parts.as_slice() {
        [folder, name] => (folder, name.strip_suffix(".rs")?),
        [folder, name, ..] => (folder, *name),
        _ => return None,
    };
    let is_mirrored = MIRRORED.contains(folder) && name != "mod";
    is_mirrored.then(|| Path::new(folder).join(format!("{name}.rs")))
}

/// Where a module of the test tree may be declared.
fn declarations(test: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = test.parent().unwrap_or(Path::new("")).to_owned();
    [folder.join("mod.rs"), folder.with_extension("rs"), Path::new(TESTS).join("main.rs")]
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, told};
    use super::*;

    const REVOCATION: &str = "crates/server/src/endpoints/revocation.rs";

    #[test]
    fn an_endpoint_without_tests_of_its_name_is_found() {
        let findings = told(&check(&[file(REVOCATION, "")]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("add crates/server/tests/it/endpoints/revocation.rs"));
    }

    #[test]
    fn tests_that_no_module_declares_are_found() {
        let test = file("crates/server/tests/it/endpoints/revocation.rs", "");
        let findings = told(&check(&[file(REVOCATION, ""), test]));
        assert_eq!(
            findings,
            ["crates/server/tests/it/endpoints/revocation.rs: never runs: declare it in the \
              module above it"]
        );
    }

    #[test]
    fn declared_tests_of_the_same_name_satisfy_the_rule() {
        for parent in ["endpoints/mod.rs", "endpoints.rs", "main.rs"] {
            let files = [
                file(REVOCATION, ""),
                file("crates/server/tests/it/endpoints/revocation.rs", ""),
                file(&format!("crates/server/tests/it/{parent}"), "mod revocation;\n"),
            ];
            assert_eq!(check(&files), [], "{parent}");
        }
    }

    #[test]
    fn parts_of_an_endpoint_are_tested_with_it_and_other_folders_are_free() {
        let part = Path::new("crates/server/src/endpoints/token/form.rs");
        assert_eq!(mirrored(part), Some("endpoints/token.rs".into()));
        assert_eq!(mirrored(Path::new("crates/server/src/api/mod.rs")), None);
        assert_eq!(mirrored(Path::new("crates/server/src/config/keys.rs")), None);
        assert_eq!(mirrored(Path::new("crates/server/src/lib.rs")), None);
    }
}
