//! `tokenry scope explain`: what a scope allows.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::process::TOKENRY;

/// With no setting but those of a file.
fn explain(arguments: &[&str]) -> Output {
    let mut command = Command::new(TOKENRY);
    command.args(["scope", "explain"]).args(arguments).env_clear();
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_word_and_the_whole_are_told_with_methods_and_addresses() {
    let said = text(&explain(&["users:write read"]).stdout);
    for line in [
        "users:write  POST, PUT, PATCH, DELETE  users       Change people’s profiles",
        "read         GET, HEAD                 everything  View everything in your account",
        "  GET, HEAD of everything",
        "  POST, PUT, PATCH, DELETE of users",
        "  GET /api/v2/oauth/tokens/{id}",
        "  GET /api/v2/users/me",
    ] {
        assert!(said.lines().any(|found| found == line), "{line:?} is missing in\n{said}");
    }
    assert!(!said.contains("DELETE /api/v2/oauth/tokens"), "{said}");
    assert!(said.contains("Resources here: any_channel:write, apps, auditlogs:read"), "{said}");
}

#[test]
fn what_is_needless_and_what_grants_nothing_is_pointed_out() {
    let output = explain(&["users:read", "read", "reed", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = said["words"].as_array().unwrap().iter();
    let told = told.map(|word| {
        (word["word"].clone(), word["covered_by"].clone(), word["grants_nothing"].clone())
    });
    let expected = [
        (json!("users:read"), json!(["read"]), json!(false)),
        (json!("read"), json!([]), json!(false)),
        (json!("reed"), json!([]), json!(true)),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(said["allows"], json!([{"resource": null, "methods": ["GET", "HEAD"]}]));
    let said = text(&explain(&["users:read read reed"]).stdout);
    assert!(said.contains("`users:read` adds nothing: read covers it."), "{said}");
    assert!(said.contains("Grants nothing: no resource of this name is configured."), "{said}");
}

#[test]
fn the_resources_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokenry.toml");
    let resources = "[scopes]\nresources = [\"oauth\", \"users\", \"invoices:read\"]\n";
    std::fs::write(&file, resources).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let output = explain(&[&["invoices tickets", "--json"], &config[..]].concat());
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["allows"], json!([{"resource": "invoices", "methods": ["GET", "HEAD"]}]));
    assert_eq!(said["words"][1]["grants_nothing"], true);
    assert_eq!(said["resources"], json!(["invoices:read", "oauth", "users"]));
}

#[test]
fn what_is_no_scope_says_what_one_is_and_fails() {
    let output = explain(&["Tickets:read"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("\"Tickets:read\" is not a scope: use a-z"), "{said}");
}
