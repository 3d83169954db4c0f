//! The page that compares: every row with a test, and every test there.

use std::{fs, path::Path};

#[test]
fn every_row_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/sdk/comparison.md")).unwrap();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{row}");
        let (ours, test) = (cells[2], cells[3].trim_matches('`'));
        let is_heading = ours.is_empty();
        if is_heading || ours.starts_with("none") || test.starts_with("cargo xtask ") {
            continue;
        }
        let (file, name) = test.split_once("::").unwrap_or((test, ""));
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(source.contains(&format!("fn {name}(")), "{row}");
        rows += 1;
    }
    assert!(rows >= 45, "{rows}");
}
