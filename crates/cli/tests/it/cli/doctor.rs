//! `tokenry doctor`: what is right is ok, and what is not is said with how to mend it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output},
};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::site::Site;
use crate::{
    durability::faults::{Faults, layout::Word},
    process::Process,
};

fn doctor(site: &Site, options: &[&str]) -> Command {
    let data = site.folder.path().join("data");
    let arguments = ["doctor", "--data", data.to_str().unwrap()];
    site.command(&[&arguments, options].concat())
}

/// What is not ok, by check: how it stands, and what is said of it.
fn found(mut command: Command) -> (BTreeMap<String, String>, Option<i32>) {
    let Output { stdout, stderr, status } = command.arg("--json").output().unwrap();
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    let checks: Vec<Value> = serde_json::from_slice(&stdout).unwrap();
    let notable = checks.iter().filter(|check| check["state"] != "ok").map(|check| {
        let text = |name: &str| check[name].as_str().unwrap().to_owned();
        (text("check"), format!("{}: {} -> {}", text("state"), text("found"), text("mend")))
    });
    (notable.collect(), status.code())
}

/// The checks that found something.
fn names(notable: &BTreeMap<String, String>) -> String {
    notable.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn in_a_good_set_up_every_check_is_ok() {
    let site = Site::signed_in();
    let output = doctor(&site, &[]).output().unwrap();
    let text = site.told_output("doctor", output);
    let lines = text.lines().map(|line| {
        // Both are others each time.
        let line = line.split_once(" MiB").map_or(line, |_| "ok       disk space: …");
        let line = line.split_once(", this version's").map_or(line, |_| "ok       schema: …");
        if line.contains("lock: process") {
            "ok       lock: process … serves this folder"
        } else {
            line
        }
    });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn where_there_is_nothing_nothing_is_wrong_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = super::bare(&["doctor"]);
    command.current_dir(folder.path()).env("HOME", folder.path());
    command.env_remove("XDG_CONFIG_HOME");
    let (notable, code) = found(command);
    assert_eq!((notable, code), (BTreeMap::new(), Some(0)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_others_can_read_is_told_with_the_command_that_mends_it() {
    let site = Site::signed_in();
    let mode = |path: PathBuf, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let data = site.folder.path().join("data");
    mode(data.clone(), 0o755);
    mode(data.join("server.key"), 0o644);
    mode(site.profiles(), 0o644);
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!(code, Some(6));
    let data = data.display();
    assert_eq!(
        notable["data folder"],
        format!("warning: others can look into {data} -> chmod 700 {data}")
    );
    assert_eq!(
        notable["server key"],
        format!("wrong: others can read {data}/server.key -> chmod 600 {data}/server.key")
    );
    let profiles = notable["profiles"].as_str();
    assert!(
        profiles.ends_with(&format!("-> chmod 600 {}", site.profiles().display())),
        "{profiles}"
    );
}

#[test]
fn a_setting_that_weakens_the_server_is_told_with_what_follows() {
    let site = Site::signed_in();
    let mut command = doctor(&site, &[]);
    command.env("TOKENRY_RECORD_API_PASSWORD_ACCESS", "on").env("TOKENRY_RATE_LIMITS", "on");
    let (notable, code) = found(command);
    assert_eq!((names(&notable).as_str(), code), ("setting", Some(0)));
    let told = "warning: record_api.password_access: A user's password opens the record API with \
                the user's full rights. -> set it back to its default";
    assert!(notable["setting"].starts_with(told), "{notable:?}");
}

#[test]
fn an_installation_that_cannot_start_is_told_why() {
    let mut site = Site::start();
    site.server.kill();
    let data = site.folder.path().join("data");
    let key = fs::read(data.join("server.key")).unwrap();
    fs::remove_file(data.join("server.key")).unwrap();
    fs::write(data.join("tokenry.db"), "no database at all, and longer than its head".repeat(9))
        .unwrap();
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!(code, Some(6));
    assert!(notable["server key"].contains("key replace --lost"), "{notable:?}");
    assert!(notable["database"].contains("restore"), "{notable:?}");

    fs::remove_file(data.join("tokenry.db")).unwrap();
    fs::write(data.join("server.key"), key).unwrap();
    let (notable, _) = found(doctor(&site, &[]));
    assert!(notable["database"].contains("there is no database"), "{notable:?}");
    assert!(!data.join("tokenry.db").exists(), "it looks and makes nothing");

    let nowhere = site.folder.path().join("nowhere");
    let (notable, code) = found(site.command(&["doctor", "--data", nowhere.to_str().unwrap()]));
    assert!(notable["data folder"].contains("tokenry init"), "{notable:?}");
    assert_eq!(code, Some(6));

    let mut command = doctor(&site, &[]);
    command.env("TOKENRY_LISTEN", "nowhere");
    let (notable, code) = found(command);
    assert!(notable["configuration"].contains("listen"), "{notable:?}");
    assert_eq!(code, Some(6));
}

#[test]
fn a_server_that_is_away_or_goes_by_another_name_is_told() {
    let mut site = Site::signed_in();
    let port = site.server.base.rsplit(':').next().unwrap().to_owned();
    site.server.signal("-TERM");
    site.server.wait();
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!((names(&notable), code), ("reachable".to_owned(), Some(6)));
    assert!(notable["reachable"].contains("Connection refused"), "{notable:?}");

    let base = format!("http://localhost:{port}");
    let address = format!("127.0.0.1:{port}");
    site.server = Process::start_at(&address, site.folder.path(), &[("TOKENRY_BASE_URL", &base)]);
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!((names(&notable), code), ("issuer".to_owned(), Some(6)));
    assert!(notable["issuer"].contains(&base), "{notable:?}");
}

#[test]
fn credentials_that_have_died_and_roles_that_see_little_are_told() {
    let site = Site::start();
    let ben = site.create_user("ben@acme.test");
    assert!(site.sign_in(&ben, &[]).status.success());
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!((names(&notable), code), ("role".to_owned(), Some(0)));
    let delete = super::on(site.folder.path(), &["user", "delete", "ben@acme.test", "--yes"]);
    assert!({ delete }.output().unwrap().status.success());
    // The server follows within a tenth of a second; each look here is a whole run.
    let began = std::time::Instant::now();
    let (mut notable, mut code) = found(doctor(&site, &[]));
    while code == Some(0) && began.elapsed().as_secs() < 20 {
        (notable, code) = found(doctor(&site, &[]));
    }
    assert_eq!((names(&notable), code), ("sign-in".to_owned(), Some(6)));
    assert!(notable["sign-in"].ends_with("sign in again: tokenry login"), "{notable:?}");
}

#[test]
fn what_never_ends_and_what_leads_nowhere_is_counted() {
    let site = Site::signed_in();
    let created = site.json(&["client", "create", "--identifier", "nowhere", "--json"]);
    let only_itself =
        ["client", "create", "--identifier", "own", "--grant-type", "client_credentials"];
    assert_eq!(site.code(&only_itself), Some(0));
    let client = crate::client::Client::new(&site.server.base);
    let body = json!({"token": {"client_id": created["id"], "scopes": ["read"]}});
    let path = "/api/v2/oauth/tokens";
    client.change(&site.ada, ("POST", path), &body).unwrap().expect(201);
    for _ in 0..11 {
        let made = site.json(&["api-token", "create", "--json"]);
        let mut ada = site.ada.clone();
        ada["api_token"] = made["full_token"].clone();
        assert_eq!(client.me(&ada).status, 200);
    }
    let (notable, code) = found(doctor(&site, &[]));
    assert_eq!(code, Some(0), "{notable:?}");
    let told: Vec<String> =
        notable.iter().map(|(check, found)| format!("{check}: {found}")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn clocks_that_differ_are_told() {
    let folder = tempfile::tempdir().unwrap();
    crate::process::init(folder.path());
    let Some(faults) = Faults::new("clocks_that_differ_are_told", folder.path()) else { return };
    let server = faults.start_with(&[]);
    for (shift, state) in [(90_000, "warning"), (3_600_000, "wrong")] {
        faults.set(Word::ClockShift, shift);
        // A server writes the date of its answers anew once a second.
        let began = std::time::Instant::now();
        let mut clocks = None;
        while clocks.is_none() && began.elapsed().as_secs() < 20 {
            let mut command = super::bare(&["doctor", "--server", &server.base]);
            command.env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME");
            let (notable, _) = found(command);
            clocks = notable.get("clocks").filter(|told| told.starts_with(state)).cloned();
        }
        assert!(clocks.is_some(), "{shift}");
    }
    server.stop();
}

#[test]
fn variables_that_change_nothing_are_named() {
    let site = Site::start();
    let mut command = doctor(&site, &[]);
    command.env("ZENDESK_USERNAME", "ada@acme.test").env("TOKENRY_CLIENT_SEVER", "x");
    let Output { stdout, status, .. } = command.output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{text}");
    for name in ["ZENDESK_USERNAME", "TOKENRY_CLIENT_SEVER"] {
        let line = format!("warning  environment: {name} is set and changes nothing: ");
        assert!(text.contains(&line), "{text}");
    }
}
