//! What `--help` says, of every command.

use std::path::Path;

use insta::assert_snapshot;

use super::{bare, told};

/// Every command, as the reference lists them.
pub(super) fn commands() -> Vec<String> {
    let reference = bare(&["reference", "--cli"]).output().unwrap();
    let reference = String::from_utf8(reference.stdout).unwrap();
    let headings = reference.lines().filter_map(|line| line.strip_prefix("## `tokenry "));
    headings.map(|heading| heading.trim_end_matches('`').to_owned()).collect()
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    assert_snapshot!("help", told(bare(&["--help"]), Path::new("/nowhere")));
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = told(bare(&arguments), Path::new("/nowhere"));
        assert!(help.contains("Example"), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
        assert_snapshot!(format!("help-{}", command.replace(' ', "-")), help);
    }
}

#[test]
fn a_command_that_is_not_there_is_answered_with_the_nearest() {
    let nearest = told(bare(&["usr", "list"]), Path::new("/nowhere"));
    assert_snapshot!(nearest);
}
