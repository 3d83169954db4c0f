//! `tokenry user …`: what it prints in every format, and what it does to a running server.

use std::{
    io::Write as _,
    ops::RangeInclusive,
    path::Path,
    process::{Command, Stdio},
};

use insta::assert_snapshot;
use serde_json::Value;
use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    user::{Role, User},
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::SecretHash,
    time::Timestamp,
};
use tokenry_store::{
    ApiTokenInsertion, Insertion, Store as _,
    sqlite::{SqliteStore, StoreOptions},
};

use super::{on, told};
use crate::{
    browser::Browser,
    client::Client,
    process::{self, Process},
};

/// Ada, who administers, and Ben, whose name is not as harmless as he is.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let ben = ["user", "create", "--email", "ben@acme.test", "--name", "=Ben 日本, \"B\""];
    assert!(on(folder.path(), &ben).output().unwrap().status.success());
    folder
}

fn list(folder: &Path, options: &[&str]) -> String {
    let arguments: Vec<&str> = ["user", "list"].iter().chain(options).copied().collect();
    told(on(folder, &arguments), folder)
}

#[test]
fn a_list_is_a_table_for_people() {
    let folder = folder();
    assert_snapshot!(list(folder.path(), &[]));
}

#[test]
fn a_list_for_scripts_holds_the_same_in_every_format() {
    let folder = folder();
    for format in ["json", "yaml", "csv", "quiet"] {
        let listed = list(folder.path(), &[&format!("--{format}")]);
        assert_snapshot!(format!("users-{format}"), listed);
    }
}

#[test]
fn a_list_is_narrowed_by_role_and_status() {
    let folder = folder();
    let disable = ["user", "disable", "2"];
    assert!(on(folder.path(), &disable).output().unwrap().status.success());
    let ids = |options: &[&str]| {
        let listed = list(folder.path(), &[options, &["-q"]].concat());
        listed.lines().filter(|line| !line.starts_with(['─', '$'])).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&[]), "1 2");
    assert_eq!(ids(&["--role", "admin"]), "1");
    assert_eq!(ids(&["--status", "disabled"]), "2");
    assert_eq!(ids(&["--role", "admin", "--status", "disabled"]), "");
    let nobody = list(folder.path(), &["--role", "agent"]);
    assert_snapshot!(nobody);
}

#[test]
fn a_list_of_more_than_a_page_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    fill(&folder.path().join("data/tokenry.db"), 2..=305);
    let listed = on(folder.path(), &["user", "list", "--json"]).output().unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let ids: Vec<u64> = listed.iter().map(|user| user["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=305).collect::<Vec<_>>());
}

/// Users with these ids.
#[tokio::main(flavor = "current_thread")]
async fn fill(database: &Path, ids: RangeInclusive<u64>) {
    let store = SqliteStore::open(database, StoreOptions::default()).unwrap();
    for id in ids {
        let user = User {
            id: UserId::new(id).unwrap(),
            email: format!("user{id}@acme.test"),
            name: format!("User {id}"),
            role: Role::EndUser,
            password_hash: None,
            verified: true,
            suspended: false,
            password_epoch: 0,
            created_at: Timestamp::from_seconds(1_772_712_000),
            updated_at: Timestamp::from_seconds(1_772_712_000),
        };
        assert_eq!(store.insert_user(user).await.unwrap(), Insertion::Done);
    }
    store.close().await;
}

#[test]
fn one_user_is_shown_line_by_line_or_as_a_record() {
    let folder = folder();
    let show = |user: &str, format: &[&str]| {
        let arguments: Vec<&str> = ["user", "show", user].iter().chain(format).copied().collect();
        told(on(folder.path(), &arguments), folder.path())
    };
    let shown = [
        show("BEN@acme.test", &[]),
        show("2", &["--json"]),
        show("2", &["--yaml"]),
        show("2", &["--csv"]),
        show("2", &["-q"]),
    ];
    assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn what_was_done_is_told_in_one_sentence_or_as_the_record() {
    let folder = folder();
    let run = |arguments: &[&str]| told(on(folder.path(), arguments), folder.path());
    let create = ["user", "create", "--email", "eve@acme.test", "--role", "admin"];
    let told = [
        run(&create),
        run(&create),
        run(&["user", "disable", "ben@acme.test"]),
        run(&["user", "enable", "2", "--json"]),
        run(&["user", "set-role", "ben@acme.test", "agent"]),
        run(&["user", "set-password", "2", "--generate", "--revoke-tokens"]),
        run(&["user", "set-password", "2", "--generate", "--revoke-tokens", "--yes"]),
        run(&["user", "set-password", "2", "--generate", "--json"]),
        run(&["user", "delete", "2", "--yes"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

/// Whoever uses such a token need not be the one who made it.
#[test]
fn api_tokens_that_a_user_made_for_everybody_are_told_before_they_end_and_when_they_go_on() {
    let folder = folder();
    let database = folder.path().join("data/tokenry.db");
    let run = |account_wide: &str, arguments: &[&str]| {
        let mut command = on(folder.path(), arguments);
        command.env("TOKENRY_API_TOKENS_ACCOUNT_WIDE", account_wide);
        told(command, folder.path())
    };
    let revoke = ["user", "set-password", "2", "--generate", "--revoke-tokens", "--yes"];
    make_unbound(&database, &[(901, 2), (902, 2), (903, 1)]);
    let mut told = vec![
        run("true", &["user", "disable", "2"]),
        run("true", &["user", "disable", "2", "-q"]),
        run("false", &["user", "disable", "2"]),
        run("true", &revoke),
    ];
    make_unbound(&database, &[(904, 2)]);
    told.push(run("true", &["user", "delete", "2", "--yes"]));
    assert_snapshot!(told.join("\n\n"));
    assert_eq!(api_tokens(&database), [1, 903]);
}

/// API tokens with these ids and makers.
#[tokio::main(flavor = "current_thread")]
async fn make_unbound(database: &Path, made: &[(u64, u64)]) {
    let store = SqliteStore::open(database, StoreOptions::default()).unwrap();
    for (id, maker) in made {
        let token = ApiToken {
            id: ApiTokenId::new(*id).unwrap(),
            hash: SecretHash::from_bytes([1; 32]),
            description: String::new(),
            status: ApiTokenStatus::Active,
            user_id: UserId::new(*maker).unwrap(),
            assigned_user_id: None,
            created_at: Timestamp::from_seconds(1_772_712_000),
            updated_at: Timestamp::from_seconds(1_772_712_000),
            last_used: None,
        };
        let inserted = store.insert_api_token(token, 256).await.unwrap();
        assert_eq!(inserted, ApiTokenInsertion::Done);
    }
    store.close().await;
}

#[tokio::main(flavor = "current_thread")]
async fn api_tokens(database: &Path) -> Vec<u64> {
    let store = SqliteStore::open(database, StoreOptions::default()).unwrap();
    let listed = store.list_api_tokens().await.unwrap();
    store.close().await;
    listed.iter().map(|token| token.id.get()).collect()
}

#[test]
fn whoever_is_made_quietly_is_told_by_their_secrets_alone() {
    let folder = folder();
    let create = ["user", "create", "--email", "eve@acme.test", "-q"];
    let printed = on(folder.path(), &create).output().unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(!lines[0].contains("_tokenry_") && lines[1].contains("_tokenry_"));
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let eve = serde_json::json!({"email": "eve@acme.test", "api_token": lines[1]});
    assert_eq!(client.me(&eve).status, 200);
    let eve = serde_json::json!({"email": "eve@acme.test", "password": lines[0]});
    Browser::signed_in(&client, &eve);
    server.stop();
}

/// Runs it, and gives it something to read.
fn with_input(mut command: Command, input: &str) -> String {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    format!("{:?} {}", output.status.code(), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_password_from_standard_input_has_rules_as_well() {
    let folder = folder();
    let arguments = ["user", "set-password", "2", "--password-stdin"];
    let ended = with_input(on(folder.path(), &arguments), "correct horse battery\n");
    assert_eq!(ended, "Some(0) ");
    let ended = with_input(on(folder.path(), &arguments), "short\n");
    assert!(ended.starts_with("Some(2) tokenry: a password has at least 8"), "{ended}");
}

#[test]
fn a_running_server_follows_what_is_changed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let json = |arguments: &[&str]| -> Value {
        let output = on(folder.path(), arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let ben = json(&["user", "create", "--email", "ben@acme.test", "--json"]);
    let role = || client.me(&ben).expect(200).json()["user"]["role"].clone();
    assert_eq!(role(), "end-user");
    json(&["user", "set-role", "ben@acme.test", "agent", "--json"]);
    assert!(holds_soon(|| role() == "agent"));
    json(&["user", "disable", "ben@acme.test", "--json"]);
    assert!(holds_soon(|| client.me(&ben).status == 401));
    json(&["user", "enable", "ben@acme.test", "--json"]);
    assert!(holds_soon(|| client.me(&ben).status == 200));
    json(&["user", "set-password", "ben@acme.test", "--generate", "--json"]);
    assert_eq!(client.me(&ben).status, 200, "an API token outlives a password");
    let arguments = ["user", "set-password", "ben@acme.test", "--generate", "--revoke-tokens"];
    json(&[&arguments[..], &["--yes", "--json"]].concat());
    assert!(holds_soon(|| client.me(&ben).status == 401));
    server.stop();
}

/// A server looks for changes ten times a second; each look here is a whole request.
fn holds_soon(mut holds: impl FnMut() -> bool) -> bool {
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 5 {
        if holds() {
            return true;
        }
    }
    false
}
