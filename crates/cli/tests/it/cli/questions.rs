//! What is asked at a terminal: passwords, which nobody sees, and confirmations.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::json;

use super::{
    bare, on,
    site::{Site, with_input},
    terminal::Terminal,
};
use crate::{
    browser::Browser,
    client::Client,
    process::{self, Process},
};

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn a_password_is_asked_for_twice_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let command = on(folder.path(), &["user", "set-password", "ada@acme.test"]);
    let mut terminal = Terminal::start(&command, 80);
    terminal.wait_for("New password: ");
    assert!(!terminal.echoes());
    terminal.enter(&format!("{PASSWORD}\n"));
    terminal.wait_for("The same again: ");
    terminal.enter(&format!("{PASSWORD}x\u{7f}\n"));
    terminal.wait_for("has a new password.");
    assert!(terminal.echoes());
    let (shown, status) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(!shown.contains("horse"), "{shown}");

    let server = Process::start(folder.path());
    let ada = json!({"email": "ada@acme.test", "password": PASSWORD});
    Browser::signed_in(&Client::new(&server.base), &ada);
    server.stop();
}

#[test]
fn of_two_passwords_that_differ_none_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let command = on(folder.path(), &["user", "set-password", "ada@acme.test"]);
    let mut terminal = Terminal::start(&command, 80);
    terminal.wait_for("New password: ");
    terminal.enter("correct horse battery\n");
    terminal.wait_for("The same again: ");
    terminal.enter("correct horse bakery\n");
    let (shown, status) = terminal.end();
    assert_eq!(status.code(), Some(1));
    assert!(shown.contains("the two passwords differ; nothing was changed"), "{shown}");
}

#[test]
fn ctrl_c_at_a_password_leaves_a_terminal_that_shows_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let command = on(folder.path(), &["user", "set-password", "ada@acme.test"]);
    let mut terminal = Terminal::start(&command, 80);
    terminal.wait_for("New password: ");
    terminal.enter("correct\u{3}");
    let (shown, status) = terminal.end();
    assert_eq!(status.signal(), Some(2), "{shown}");
}

#[test]
fn nobody_types_a_password_for_somebody_who_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let command = on(folder.path(), &["user", "set-password", "eve@acme.test"]);
    let (shown, status) = Terminal::start(&command, 80).end();
    assert_eq!(status.code(), Some(3), "{shown}");
    assert!(!shown.contains("New password"), "{shown}");
}

#[test]
fn what_cannot_be_undone_is_done_only_after_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let create = ["user", "create", "--email", "ben@acme.test"];
    assert!(on(folder.path(), &create).output().unwrap().status.success());
    for (answer, code) in [("\n", 1), ("n\n", 1), ("yess\n", 1), ("\u{4}", 1), ("Y\n", 0)] {
        let command = on(folder.path(), &["user", "delete", "ben@acme.test"]);
        let mut terminal = Terminal::start(&command, 100);
        terminal.wait_for("Delete user 2 (ben@acme.test)");
        terminal.wait_for("for good? [y/N] ");
        terminal.enter(answer);
        let (shown, status) = terminal.end();
        assert_eq!(status.code(), Some(code), "{answer:?}: {shown}");
        let is_refused = shown.contains("not confirmed; nothing was changed");
        assert_eq!(is_refused, code == 1, "{answer:?}: {shown}");
        let is_there = on(folder.path(), &["user", "show", "2"]).output().unwrap();
        assert_eq!(is_there.status.success(), code == 1, "{answer:?}");
    }
}

#[test]
fn what_would_come_on_standard_input_is_asked_for_at_a_terminal_and_not_shown() {
    let site = Site::start();
    let token = site.ada["api_token"].as_str().unwrap();
    let login = ["login", "--server", &site.server.base, "--email", "ada@acme.test"];
    let login = [&login[..], &["--api-token-stdin"]].concat();
    for (command, question) in [
        (site.command(&login), "The API token (it is not shown): "),
        (site.command(&["decode", "-"]), "The credential (it is not shown): "),
    ] {
        let mut terminal = Terminal::start(&command, 100);
        terminal.wait_for(question);
        assert!(!terminal.echoes());
        terminal.enter(&format!("{token}\n"));
        let (shown, status) = terminal.end();
        assert!(status.success(), "{shown}");
        assert!(!shown.contains(token), "{shown}");
    }
    let set = ["user", "set-password", "ada@acme.test", "--password-stdin"];
    let mut terminal = Terminal::start(&on(site.folder.path(), &set), 100);
    terminal.wait_for("New password: ");
    terminal.enter(&format!("{PASSWORD}\n"));
    terminal.wait_for("The same again: ");
    terminal.enter(&format!("{PASSWORD}\n"));
    let (shown, status) = terminal.end();
    assert!(status.success() && !shown.contains("horse"), "{shown}");
}

#[test]
fn standard_input_that_holds_no_secret_or_far_more_than_one_is_refused() {
    let site = Site::start();
    let login = ["login", "--server", &site.server.base, "--access-token-stdin"];
    for input in ["", "\n", "\r\n", &"x".repeat(70_000)] {
        for command in [site.command(&login), bare(&["decode", "-"])] {
            let output = with_input(command, input);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.contains("on standard input"), "{said}");
        }
    }
}
