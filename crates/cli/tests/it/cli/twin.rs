//! `tokenry twin`: what its command line refuses, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::bare;

/// A running twin, and where it is.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = bare(&["twin", "--port", "0", "--json"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let details: Value = serde_json::from_str(&line).unwrap();
    let base = details["base_url"].as_str().unwrap();
    (child, base.strip_prefix("http://").unwrap().to_owned())
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

#[test]
fn a_second_interrupt_ends_it_whatever_is_in_flight() {
    let (mut child, address) = start(&[]);
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
