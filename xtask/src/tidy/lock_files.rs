//! The lock files of the third-party clients: they pin versions and hashes, and no address.

use super::{Finding, TextFile};

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    match file.path.file_name().and_then(|name| name.to_str()) {
        Some("package-lock.json") => package_lock(file),
        Some("requirements.txt") => requirements(file),
        _ => Vec::new(),
    }
}

/// `resolved` would tie the file to the registry, or to the mirror, that it was made with.
fn package_lock(file: &TextFile) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let resolved = lines.filter(|(_, line)| line.contains("\"resolved\""));
    resolved
        .map(|(index, _)| {
            let message = "an address: make the lock file again with \
                           `npm install --package-lock-only --omit-lockfile-registry-resolved`";
            Finding::of_line(&file.path, index, message)
        })
        .collect()
}

/// A requirement is pinned to one version, and to hashes on the lines that follow.
fn requirements(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let is_requirement = line.starts_with(|first: char| first.is_ascii_alphanumeric());
        if is_requirement && !(line.contains("==") && line.ends_with('\\')) {
            let message = "not pinned to one version with its hashes: make the file again with \
                           the command in requirements.in";
            findings.push(Finding::of_line(&file.path, index, message));
        }
        if line.starts_with("--") {
            let message = "an index or a folder of one machine: requirements.txt holds none";
            findings.push(Finding::of_line(&file.path, index, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, told};
    use super::*;

    #[test]
    fn a_package_lock_with_an_address_is_refused() {
        let text = "{\n  \"version\": \"1.0.0\",\n  \"resolved\": \"https://r.test/x.tgz\"\n}\n";
        let findings = told(&check(&file("acceptance/node/package-lock.json", text)));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("acceptance/node/package-lock.json:3: an address"));
    }

    #[test]
    fn requirements_are_pinned_with_hashes_and_name_no_index() {
        let pinned = "idna==3.20 \\\n    --hash=sha256:00\n    # via requests\n";
        assert_eq!(check(&file("requirements.txt", pinned)), []);
        for text in ["idna>=3 \\\n", "idna==3.20\n", "--index-url https://p.test/simple\n"] {
            assert_eq!(check(&file("requirements.txt", text)).len(), 1, "{text}");
        }
    }
}
