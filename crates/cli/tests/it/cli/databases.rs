//! Commands on a database: how they end when it is not there, not reached, or in use.

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use super::{on, terminal::Terminal};
use crate::process::{self, Process};

#[track_caller]
fn ended(mut command: Command, code: i32) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {said}");
    said
}

/// An installation with a backup and an export of it beside.
fn with_files(folder: &Path) -> (String, String) {
    process::init(folder);
    let name = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (backup, lines) = (name("tokenry-backup.db"), name("tokenry.jsonl"));
    ended(on(folder, &["backup", "--to", &backup]), 0);
    ended(on(folder, &["export", "--to", &lines]), 0);
    (backup, lines)
}

/// `store copy` takes no `--data`.
fn copy(folder: &Path, from: &str, to: &str) -> Command {
    let mut command = super::bare(&["store", "copy", "--from", from, "--to", to]);
    command.current_dir(folder);
    command
}

#[test]
fn without_an_installation_every_command_ends_with_three_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 6] = [
        &["backup", "--to", "backup.db"],
        &["export", "--to", "-"],
        &["key", "rotate"],
        &["key", "replace", "--lost"],
        &["purge"],
        &["why", "a0000000G9"],
    ];
    for arguments in commands {
        let said = ended(on(folder.path(), arguments), 3);
        assert!(said.contains("there is no installation in"), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
    let from = format!("sqlite:{}", folder.path().join("data").display());
    let said = ended(copy(folder.path(), &from, "sqlite:other.db"), 3);
    assert!(said.contains("there is no installation in") && said.contains("hint: "), "{said}");
    assert!(!folder.path().join("data").exists());
    assert!(!folder.path().join("other.db").exists());
}

#[test]
fn without_the_file_that_is_named_a_command_ends_with_three() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["import", "restore"] {
        let said = ended(on(folder.path(), &[command, "nowhere.file"]), 3);
        assert!(said.contains("nowhere.file: there is no such file"), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
}

#[test]
fn a_database_that_is_not_reached_ends_every_command_with_five() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, lines) = with_files(folder.path());
    // Nobody listens on a port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = format!("postgres://tokenry@{free}/tokenry");
    let commands: [&[&str]; 7] = [
        &["backup", "--to", "other.db"],
        &["restore", &backup],
        &["export", "--to", "-"],
        &["import", &lines],
        &["key", "rotate"],
        &["purge"],
        &["why", "a0000000G9"],
    ];
    for arguments in commands {
        let mut command = on(folder.path(), arguments);
        command.args(["--store", &store]);
        ended(command, 5);
    }
    let from = format!("sqlite:{}", folder.path().join("data").display());
    ended(copy(folder.path(), &from, &store), 5);
}

#[test]
fn a_database_that_is_served_is_not_filled_and_that_ends_with_five() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, lines) = with_files(folder.path());
    let server = Process::start(folder.path());
    for arguments in [vec!["restore", &backup, "--replace"], vec!["import", &lines]] {
        let said = ended(on(folder.path(), &arguments), 5);
        assert!(said.contains("serves"), "{said}");
    }
    let from = format!("sqlite:{}", folder.path().join("data").display());
    ended(copy(folder.path(), &from, "sqlite:other.db"), 5);
    server.stop();
}

#[test]
fn a_database_is_not_filled_while_a_command_has_it_open_nor_opened_while_it_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, lines) = with_files(folder.path());
    let data = File::open(folder.path().join("data")).unwrap();
    data.lock_shared().unwrap();
    for arguments in [vec!["restore", &backup, "--replace"], vec!["import", &lines]] {
        let said = ended(on(folder.path(), &arguments), 5);
        assert!(said.contains("has the database in") && said.contains("wait until"), "{said}");
    }
    ended(on(folder.path(), &["user", "list"]), 0);
    data.unlock().unwrap();
    data.lock().unwrap();
    let commands: [&[&str]; 4] =
        [&["user", "list"], &["purge"], &["why", "a0000000G9"], &["serve"]];
    for arguments in commands {
        let said = ended(on(folder.path(), arguments), 5);
        assert!(said.contains("fills the database in") && said.contains("wait until"), "{said}");
    }
    data.unlock().unwrap();
    ended(on(folder.path(), &["import", &lines]), 0);
    ended(on(folder.path(), &["restore", &backup, "--replace"]), 0);
}

#[test]
fn whoever_is_asked_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let commands: [(&[&str], &str); 2] = [
        (&["user", "set-password", "ada@acme.test"], "New password: "),
        (&["user", "delete", "ada@acme.test", "--leave-no-admin"], "[y/N] "),
    ];
    for (arguments, question) in commands {
        let mut terminal = Terminal::start(&on(folder.path(), arguments), 100);
        terminal.wait_for(question);
        let data = File::open(folder.path().join("data")).unwrap();
        data.try_lock().unwrap();
        drop(data);
        terminal.enter("\u{3}");
        terminal.end();
    }
}

#[test]
fn a_backup_that_is_damaged_ends_with_six() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, _) = with_files(folder.path());
    let changed = std::fs::read(&backup).unwrap();
    let name = b"ada@acme.test";
    let places = changed.windows(name.len()).enumerate().filter(|(_, part)| part == name);
    let places: Vec<_> = places.map(|(at, _)| at).collect();
    let mut changed = changed.clone();
    for at in places {
        changed[at] = b'b';
    }
    std::fs::write(&backup, changed).unwrap();
    ended(on(folder.path(), &["restore", &backup, "--replace"]), 6);
}
