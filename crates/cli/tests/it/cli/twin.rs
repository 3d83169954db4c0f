//! `tokenry twin`: what its command line refuses, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::bare;

/// A running twin, and what it tells of itself.
fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = bare(&["twin", "--port", "0", "--json"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let details: Value = serde_json::from_str(&line).unwrap();
    (child, details)
}

fn address(details: &Value) -> String {
    details["base_url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned()
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

#[test]
fn a_second_interrupt_ends_it_whatever_is_in_flight() {
    let (mut child, details) = start(&[]);
    let address = address(&details);
    let mut connection = TcpStream::connect(&address).unwrap();
    let head = "POST /oauth/tokens HTTP/1.1\r\nhost: twin\r\nexpect: 100-continue\r\n\
                content-length: 9\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    // The answer to that says that the body is waited for. It never comes.
    let mut told = [0; 12];
    connection.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100");

    interrupt(&child);
    while TcpStream::connect(&address).is_ok() {}
    assert!(child.try_wait().unwrap().is_none(), "it waits for the call");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_profile_that_is_none_of_the_scenarios_is_refused() {
    let output = bare(&["twin", "--profile", "legacy", "--scenario", "clock-skew"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("--profile legacy, and the scenario is for refreshing"), "{told}");
    assert!(told.contains("leave --profile out"), "{told}");
}

/// Posts JSON; what came of it, unless the twin is gone.
fn post(details: &Value, path: &str, body: &Value) -> Option<(u16, Value)> {
    let url = format!("{}{path}", details["base_url"].as_str().unwrap());
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = config.max_idle_connections(0).build().new_agent();
    let request = agent.post(url).header("content-type", "application/json");
    let mut answer = request.send(body.to_string()).ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// Refreshes by what a twin has printed.
fn refresh(details: &Value) -> Option<(u16, Value)> {
    let refresh = &details["credentials"]["refresh"];
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": refresh["refresh_token"],
        "client_id": refresh["client_id"],
    });
    post(details, "/oauth/tokens", &body)
}

fn all_that_was_printed_works(details: &Value) {
    let (credentials, base) = (&details["credentials"], details["base_url"].as_str().unwrap());
    let basic = format!(
        "{}/token:{}",
        credentials["email"].as_str().unwrap(),
        credentials["api_token"].as_str().unwrap(),
    );
    let bearer = format!("Bearer {}", credentials["access_token"].as_str().unwrap());
    for (path, authorization) in [
        ("/api/v2/users/me.json", format!("Basic {}", BASE64_STANDARD.encode(basic))),
        ("/api/v2/oauth/tokens/current.json", bearer),
    ] {
        let request = ureq::get(format!("{base}{path}")).header("authorization", authorization);
        assert_eq!(request.call().unwrap().status(), 200, "{path}");
    }
    let body = json!({
        "grant_type": "client_credentials", "scope": "read",
        "client_id": credentials["client_id"], "client_secret": credentials["client_secret"],
    });
    assert_eq!(post(details, "/oauth/tokens", &body).unwrap().0, 201);
    assert_eq!(refresh(details).unwrap().0, 201);
}

#[test]
fn what_is_printed_at_the_next_start_works_whether_it_ended_in_order_or_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data", folder.path().to_str().unwrap()];
    let env_file = folder.path().join("twin.env");
    for round in 0..4 {
        let arguments = [&arguments[..], &["--env-file", env_file.to_str().unwrap()]].concat();
        let (mut child, details) = start(&arguments);
        let token = details["credentials"]["refresh"]["refresh_token"].as_str().unwrap();
        assert!(std::fs::read_to_string(&env_file).unwrap().contains(token));
        all_that_was_printed_works(&details);
        if round % 2 == 0 {
            child.kill().unwrap();
        } else {
            interrupt(&child);
        }
        child.wait().unwrap();
    }
}

/// Killed at any moment, in a refresh or in a reset, it leaves a folder in which the next one
/// starts and tells what works.
#[test]
fn a_twin_that_is_killed_at_any_moment_leaves_a_folder_to_go_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data", folder.path().to_str().unwrap()];
    for round in 0..12 {
        let (mut child, details) = start(&arguments);
        all_that_was_printed_works(&details);
        std::thread::scope(|scope| {
            let busy = scope.spawn(|| {
                // Until nobody answers any more.
                for call in 0.. {
                    let told = current(&details);
                    let answer = told.and_then(|told| match call % 3 {
                        0 => post(&told, "/twin/reset", &json!({})),
                        _ => refresh(&told),
                    });
                    if answer.is_none() {
                        break;
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(20 + 7 * round));
            child.kill().unwrap();
            busy.join().unwrap();
        });
        child.wait().unwrap();
    }
}

/// What it tells now.
fn current(details: &Value) -> Option<Value> {
    let url = format!("{}/twin/connect", details["base_url"].as_str().unwrap());
    let text = ureq::get(url).call().ok()?.body_mut().read_to_string().ok()?;
    serde_json::from_str(&text).ok()
}

#[test]
fn a_folder_that_came_of_another_seed_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (data, seed) = (folder.path().join("data"), folder.path().join("seed.toml"));
    let arguments = ["--data", data.to_str().unwrap()];
    let (mut child, _) = start(&arguments);
    interrupt(&child);
    child.wait().unwrap();
    std::fs::write(&seed, "[[users]]\nemail = \"eve@acme.test\"\nrole = \"admin\"\n").unwrap();
    let mut other = bare(&["twin", "--port", "0", "--seed", seed.to_str().unwrap()]);
    let output = other.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("came of another seed, and stays as it is"), "{told}");
    assert!(told.contains("leave out --seed"), "{told}");
    let (mut child, details) = start(&arguments);
    assert_eq!(details["credentials"]["email"], "ada@acme.test");
    child.kill().unwrap();
    child.wait().unwrap();
}
