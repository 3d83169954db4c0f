//! Commands whose form other programs rely on, and what they say when something is wrong.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::{
    client::Client,
    cluster,
    process::{self, Process, tokenry},
};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    tokenry(folder, arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What went wrong, in one piece of text.
fn failure(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn init_prints_one_json_object_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    assert_eq!(members(&admin), ["email", "password", "api_token"]);
    assert_eq!(admin["email"], "ada@acme.test");
    assert_eq!(admin["api_token"].as_str().unwrap().len(), 64);
    let again = failure(&run(folder.path(), &["init", "--json"]));
    assert!(again.contains("there are users already"), "{again}");
}

#[test]
fn the_server_key_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let mode = |path: &str| {
        let metadata = std::fs::metadata(folder.path().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("data/server.key"), 0o600);
    assert_eq!(mode("data"), 0o700);
}

#[test]
fn a_user_is_made_beside_a_running_server_and_can_call_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let server = Process::start(folder.path());
    let arguments = [
        "user",
        "create",
        "--email",
        "Ben@acme.test",
        "--name",
        "Ben Okafor",
        "--role",
        "agent",
        "--json",
    ];
    let ben = json(&run(folder.path(), &arguments));
    assert_eq!(members(&ben), ["id", "email", "api_token", "password"]);
    let me = Client::new(&server.base).me(&ben).expect(200).json()["user"].clone();
    assert_eq!((&me["name"], &me["role"]), (&"Ben Okafor".into(), &"agent".into()));
    assert_eq!(me["verified"], true);
    let taken = failure(&run(folder.path(), &["user", "create", "--email", "ben@ACME.test"]));
    assert!(taken.contains("already"), "{taken}");
    server.stop();
}

#[test]
fn a_given_password_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let arguments = ["user", "create", "--email", "c@acme.test", "--password-stdin", "--json"];
    let mut child = tokenry(folder.path(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
    let made = json(&child.wait_with_output().unwrap());
    assert_eq!(members(&made), ["id", "email", "api_token"]);
}

#[test]
fn a_user_who_owns_clients_is_not_deleted_and_another_is_dead_on_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    client.register(&admin);
    let delete = ["user", "delete", "ada@acme.test", "--yes", "--leave-no-admin"];
    let owner = failure(&run(folder.path(), &delete));
    assert!(owner.contains("owns clients"), "{owner}");
    let ben = ["user", "create", "--email", "ben@acme.test", "--json"];
    let ben = json(&run(folder.path(), &ben));
    assert_eq!(client.me(&ben).expect(200).json()["user"]["email"], "ben@acme.test");
    let deleted = run(folder.path(), &["user", "delete", "ben@acme.test", "--yes"]);
    assert!(deleted.status.success());
    assert_eq!(client.me(&ben).status, 401);
    server.stop();
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let server = Process::start(folder.path());
    let second = failure(&run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]));
    assert!(second.contains("another tokenry serves"), "{second}");
    server.stop();
}

#[test]
fn a_database_does_not_open_without_its_key_and_lives_on_when_the_key_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let (app, grants) = client.prepare(&admin, 1);
    server.stop();

    std::fs::remove_file(folder.path().join("data/server.key")).unwrap();
    let missing = failure(&run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]));
    assert!(missing.contains("key replace --lost"), "{missing}");
    let unconfirmed = failure(&run(folder.path(), &["key", "replace"]));
    assert!(unconfirmed.contains("--lost"), "{unconfirmed}");
    assert!(run(folder.path(), &["key", "replace", "--lost"]).status.success());

    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let held = &grants[0];
    assert_eq!(client.is_alive(&held.access), Some(true));
    let rotated = client.refresh(&app, held.refresh.as_ref().unwrap()).unwrap().tokens();
    assert_eq!(client.is_alive(&rotated.access), Some(true));
    server.stop();
}

#[test]
fn another_key_is_told_from_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut command = tokenry(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let refused = failure(&command.env("TOKENRY_SERVER_KEY", other).output().unwrap());
    assert!(refused.contains("does not open this store"), "{refused}");
}

#[test]
fn keys_rotate_beside_a_running_server_and_old_tokens_hold() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let app = client.register(&admin);
    let before = client.issue(&app).unwrap().tokens().access;
    assert!(run(folder.path(), &["key", "rotate"]).status.success());
    assert_eq!(client.is_alive(&before), Some(true));
    server.stop();
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    assert_eq!(client.is_alive(&before), Some(true));
    let after = client.issue(&app).unwrap().tokens().access;
    assert_eq!(client.is_alive(&after), Some(true));
    server.stop();
}

#[test]
fn the_first_start_on_an_empty_folder_makes_an_administrator_and_prints_no_secret_to_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let kept = folder.path().join("data/first-administrator.txt");
    let text = std::fs::read_to_string(kept).unwrap();
    assert!(text.contains("admin@example.com"), "{text}");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("_tokenry_"), "{log}");
    server.stop();
}

#[test]
fn a_line_of_the_log_names_its_request_and_counts_in_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "DELETE /api/v2/oauth/tokens/1.json HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-7\r\n";
    write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    server.stop();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered = lines.into_iter().find(|line| line["message"] == "answered").unwrap();
    assert_eq!(answered["request"], serde_json::json!({"id": "r-7"}));
    assert_eq!(answered["status"], 401);
    assert!(answered["micros"].is_u64(), "{answered}");
}

/// Who was acted for is not all that an audit needs to know.
#[test]
fn the_log_of_a_call_on_behalf_of_somebody_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let create = ["user", "create", "--email", "cleo@acme.test", "--role", "end-user"];
    assert!(run(folder.path(), &create).status.success());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let app = client.register(&admin);
    let form = format!(
        "grant_type=client_credentials&scope=read+impersonate&client_id={}&client_secret={}",
        app.identifier, app.secret
    );
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = client.send(("POST", "/oauth/token"), &kind, &form).unwrap();
    let bearer = format!("Bearer {}", answer.tokens().access);
    let headers = [("authorization", &*bearer), ("x-on-behalf-of", "cleo@acme.test")];
    let me = ("GET", "/api/v2/users/me");
    let cleo = client.send(me, &headers, "").unwrap().expect(200).json();
    let ada = client.look(&admin, me.1).unwrap().expect(200).json();
    server.stop();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_behalf = "a call runs on behalf of an end user";
    let told = lines.into_iter().find(|line| line["message"] == of_behalf);
    let request = &told.unwrap()["request"];
    assert_eq!(request["user.id"], cleo["user"]["id"]);
    assert_eq!(request["impersonator.id"], ada["user"]["id"]);
    assert_ne!(cleo["user"]["id"], ada["user"]["id"]);
}

#[test]
fn a_wrong_setting_is_named_with_its_nearest_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokenry.toml");
    std::fs::write(&file, "[tokens]\nacces_token_lifetime = 900\n").unwrap();
    let checked = tokenry(folder.path(), &["check-config", "--config", file.to_str().unwrap()]);
    let said = failure(&{ checked }.output().unwrap());
    assert!(said.contains("acces_token_lifetime"), "{said}");
    assert!(said.contains("access_token_lifetime"), "{said}");
}

/// The settings that its log calls weak.
fn said_to_be_weak(settings: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    Process::start_with(folder.path(), settings).stop();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings = lines.filter(|line| line["level"] == "WARN");
    warnings
        .map(|line| {
            let message = line["message"].as_str().unwrap();
            assert!(message.starts_with("weaker than what is safe: "), "{line}");
            line["setting"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_server_says_at_each_start_which_settings_weaken_it() {
    let (limited, query) =
        (("TOKENRY_RATE_LIMITS", "on"), ("TOKENRY_RECORD_API_TOKEN_IN_QUERY", "on"));
    assert_eq!(said_to_be_weak(&[limited]), Vec::<String>::new());
    assert_eq!(said_to_be_weak(&[limited, query]), ["record_api.token_in_query"]);
    assert_eq!(said_to_be_weak(&[query]), ["rate_limits", "record_api.token_in_query"]);
}

#[test]
fn check_config_ends_with_the_settings_that_weaken_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tokenry(folder.path(), &["check-config"]);
    let output = command.env("TOKENRY_TOKENS_PKCE_WITHOUT_SECRET", "on").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (_, weak) = said.split_once("# Weaker than what is safe:\n").unwrap();
    let lines: Vec<_> = weak.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 2, "{weak}");
    assert!(lines[0].starts_with("# rate_limits (TOKENRY_RATE_LIMITS): "), "{weak}");
    assert!(lines[1].starts_with("# tokens.pkce_without_secret (TOKENRY_"), "{weak}");
}

#[test]
fn plain_http_is_refused_off_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--base-url", "http://auth.example.com"];
    let said = failure(&run(folder.path(), &arguments));
    assert!(said.contains("https"), "{said}");
}

#[test]
fn the_demo_walks_through_and_ends_with_success() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenry"));
    let output = command.args(["demo", "--once"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    for step in 1..=11 {
        assert!(said.contains(&format!("\n{step}. ")), "step {step} is missing in\n{said}");
    }
    assert!(said.contains("Every step held."), "{said}");
}

#[test]
fn metrics_are_served_on_a_listener_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    process::init(folder.path());
    // It must be known before the start.
    let own = cluster::address();
    let server = Process::start_with(folder.path(), &[("TOKENRY_METRICS_LISTEN", &own)]);
    let client = Client::new(&server.base);
    assert_eq!(client.fetch("/healthz").status, 200);
    assert_eq!(client.fetch("/metrics").status, 404);
    let metrics = Client::new(&format!("http://{own}")).fetch("/metrics").text;
    assert!(
        metrics.contains("tokenry_requests_total{route=\"/healthz\",status=\"200\"} 1"),
        "{metrics}"
    );
    server.stop();
}

#[test]
fn with_a_certificate_the_server_says_that_it_is_https_and_without_one_that_fits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/certificates");
        format!("{folder}/{name}")
    };
    let (certificate, key, other) = (of("first.crt"), of("first.key"), of("second.key"));
    let mut settings = [("TOKENRY_TLS_CERTIFICATE", &*certificate), ("TOKENRY_TLS_KEY", &*key)];
    let server = Process::start_with(folder.path(), &settings);
    assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
    drop(server);
    settings[1].1 = &other;
    let mut serve = tokenry(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let text = failure(&serve.envs(settings).output().unwrap());
    assert!(text.contains("are of no use together"), "{text}");
}
