//! Files that may be longer than the rule allows, each reviewed and with its reason.

use std::path::Path;

use super::Finding;

/// The longest a source file may be, in lines, its test module not counted.
const LINES_MAX: usize = 500;

/// The longest a file of tests alone may be: one rule after the other reads easily for longer.
const TEST_LINES_MAX: usize = 800;

struct Exception {
    path: &'static str,
    lines_max: usize,
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 0] = [];

/// How many lines this file may have.
pub(super) fn lines_max(path: &Path) -> usize {
    let exception = EXCEPTIONS.iter().find(|exception| Path::new(exception.path) == path);
    let usual = if is_test(path) { TEST_LINES_MAX } else { LINES_MAX };
    exception.map_or(usual, |exception| exception.lines_max)
}

/// Below a folder `tests`, the file `tests.rs` of a module, or the suite that engines mount.
fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "suite")
}

/// An exception outlives neither its file nor its reason.
pub(super) fn check(paths: &[&Path]) -> Vec<Finding> {
    let here = Path::new(file!());
    let gone = EXCEPTIONS.iter().filter(|exception| !paths.contains(&Path::new(exception.path)));
    gone.map(|exception| {
        let message = format!(
            "the exception for {} ({}) names a file that is gone: remove it",
            exception.path, exception.reason
        );
        Finding::of_file(here, message)
    })
    .collect()
}
