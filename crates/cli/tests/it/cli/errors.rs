//! What goes wrong: a line what it is, a line how to mend it, and an exit code.

use insta::assert_snapshot;

use super::{bare, on, told};
use crate::process;

#[test]
fn whoever_names_nobody_is_told_how_to_find_somebody() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    for command in ["show", "enable", "disable"] {
        let told = told(on(folder.path(), &["user", command, "eve@acme.test"]), folder.path());
        let rest = told.split_once('\n').unwrap().1;
        assert_eq!(
            rest,
            "── stderr\ntokenry: there is no user eve@acme.test\n  \
             hint: `tokenry user list` shows who there is\n── exit code 3",
            "{command}"
        );
    }
}

#[test]
fn where_there_is_no_installation_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(told(on(folder.path(), &["user", "list"]), folder.path()));
    let others: [&[&str]; 2] = [&["key", "rotate"], &["user", "create", "--email", "a@b.test"]];
    for arguments in others {
        let told = told(on(folder.path(), arguments), folder.path());
        assert!(told.contains("there is no installation in"), "{told}");
        assert!(told.contains("hint: ") && told.ends_with("exit code 3"), "{told}");
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn what_cannot_be_undone_needs_a_yes_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let told = told(on(folder.path(), &["user", "delete", "ada@acme.test"]), folder.path());
    assert_snapshot!(told);
}

#[test]
fn a_password_needs_a_terminal_or_another_way() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let told = told(on(folder.path(), &["user", "set-password", "ada@acme.test"]), folder.path());
    assert_snapshot!(told);
}

#[test]
fn the_last_administrator_is_kept_unless_one_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let ada = "ada@acme.test";
    let refused = [
        vec!["user", "disable", ada],
        vec!["user", "set-role", ada, "agent"],
        vec!["user", "delete", ada, "--yes"],
    ];
    for arguments in refused {
        let told = told(on(folder.path(), &arguments), folder.path());
        assert!(told.contains("is the last active administrator"), "{told}");
        assert!(told.contains("\n  hint: make another with"), "{told}");
        assert!(told.ends_with("── exit code 1"), "{told}");
    }
    let allowed = on(folder.path(), &["user", "disable", ada, "--leave-no-admin"]);
    assert!({ allowed }.output().unwrap().status.success());
}

#[test]
fn wrong_usage_ends_with_two() {
    let wrong: [&[&str]; 7] = [
        &["user", "list", "--json", "--csv"],
        &["user", "list", "--role", "owner"],
        &["user", "show", "nobody"],
        &["user", "set-password", "a@b.test", "--generate", "--password-stdin"],
        &["user", "create"],
        &["completions", "tcsh"],
        &[],
    ];
    for arguments in wrong {
        assert_eq!(bare(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = on(folder.path(), &["user", "list"]);
    command.env("TOKENRY_LISTEN", "nowhere");
    assert_eq!(command.output().unwrap().status.code(), Some(2));
}

#[test]
fn a_database_that_is_not_reached_ends_with_five() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = format!("postgres://tokenry@{free}/tokenry");
    let mut command = on(folder.path(), &["user", "list", "--store", &store]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let mut command = on(folder.path(), &["user", "list", "--json"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
