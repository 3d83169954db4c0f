//! `tokenry token …` and `tokenry audit`: against a real server with a thousand tokens, and against
//! one that answers as Zendesk does.

mod audit;
mod cast;
mod list;
mod one;
mod revoke;
mod zendesk;

use std::process::{Command, Output};

use serde_json::Value;

/// What it printed for people and for scripts, when it has ended well.
#[track_caller]
fn done(mut command: Command) -> (String, String) {
    let Output { stdout, stderr, status } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{status}: {said}");
    (String::from_utf8(stdout).unwrap(), said)
}

/// How it failed: its code, and what it said.
#[track_caller]
fn failed(mut command: Command) -> (i32, String) {
    let Output { stdout, stderr, status } = command.output().unwrap();
    assert!(!status.success(), "{}", String::from_utf8_lossy(&stdout));
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// A list that was printed as JSON.
#[track_caller]
fn json(command: Command) -> Vec<Value> {
    serde_json::from_str(&done(command).0).unwrap()
}

/// Lines of ids, as `-q` prints them.
#[track_caller]
fn ids(command: Command) -> Vec<u64> {
    done(command).0.lines().map(|line| line.parse().unwrap()).collect()
}

/// The same without the points in time, which differ from run to run; how long ago they were does
/// not.
fn timeless(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let pattern = [super::SHOWN_MINUTE, super::SECOND].into_iter().find(|pattern| {
            rest.get(..pattern.len()).is_some_and(|part| super::is_of(part, pattern))
        });
        let taken = pattern.map_or(first.len_utf8(), str::len);
        let still = pattern.map(|pattern| pattern.replace('d', "0"));
        shown.push_str(still.as_deref().unwrap_or(&rest[..taken]));
        rest = &rest[taken..];
    }
    shown
}
