//! `tokenry decode`: what a credential says of itself, without a server.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tokenry_protocol::secret::{Credential, Kind, Parts};

use crate::process::TOKENRY;

fn credential() -> String {
    let (secret, tag) = (*b"0123456789abcdef", *b"tag tag t");
    let parts =
        Parts { kind: Kind::RefreshToken, id: 1001, rotation: 3, key_number: 2, secret, tag };
    Credential::assemble(parts).reveal().to_owned()
}

/// By an argument.
fn decode(arguments: &[&str]) -> Output {
    Command::new(TOKENRY).arg("decode").args(arguments).output().unwrap()
}

/// On standard input.
fn decode_piped(text: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(TOKENRY);
    command.args(["decode", "-"]).args(arguments);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_whole_credential_says_what_it_is_and_its_secret_part_is_not_printed() {
    let credential = credential();
    let output = decode_piped(&format!("{credential}\n"), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "r0000000G9 names record 1001, as a refresh token.\n  rotation    3\n  key number  2\n  \
         checksum    holds\nWhether it works its server can say: tokenry why r0000000G9\n"
    );
    assert_eq!(text(&output.stderr), "");
    let expected = json!({
        "verdict": "whole", "public_part": "r0000000G9", "kind": "refresh_token", "id": 1001,
        "rotation": 3, "key_number": 2, "checksum_holds": true, "faults": [],
    });
    assert_eq!(json_of(&decode_piped(&credential, &["--json"])), expected);
}

/// A JWT access token; whether its signature holds only its server knows.
const JWT: &str = "\
    eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJjcmVkZW50aWFsIjoiYTAwMDAwMDBXSF90b2tlbnJ5XzA\
    wMDBsTTBJUHBSa2xlSDM0blhKaHM0VDZGWGZrc3ZHTUNyMm1WOTBuZGhDMCIsImlzcyI6Imh0dHBzOi8vYXV0aC5\
    0ZXN0Iiwic3ViIjoiMjkiLCJhdWQiOiJodHRwczovL2F1dGgudGVzdCIsImNsaWVudF9pZCI6ImFjbWVfcmVwb3J\
    0cyIsInNjb3BlIjoicmVhZCIsImlhdCI6MTc3MjcxMjAwMCwiZXhwIjoxNzcyNzEzODAwLCJqdGkiOiIyMDAxIn0\
    .WzDhEA34U9aox5IprVk4PTQv4yJFqK5HC4Ai0egzezY";

#[test]
fn a_jwt_access_token_says_which_credential_is_in_it() {
    let output = decode_piped(JWT, &[]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let said = text(&output.stdout);
    assert!(said.contains("a0000000WH names record 2001, as an access token."), "{said}");
    assert!(said.contains("tokenry why a0000000WH"), "{said}");
    let whole = decode_piped(JWT, &["--json"]);
    let expected = json!({
        "verdict": "jwt_access_token", "public_part": "a0000000WH", "kind": "access_token",
        "id": 2001, "rotation": 1, "key_number": 1, "checksum_holds": null, "faults": [],
    });
    assert_eq!(json_of(&whole), expected);
    for printed in [said, text(&whole.stdout)] {
        assert!(!printed.contains("_tokenry_") && !printed.contains("eyJ"), "{printed}");
    }
    let cut = decode_piped(&JWT[..JWT.len() - 1], &["--json"]);
    assert_eq!(
        (cut.status.code(), json_of(&cut)["verdict"].as_str()),
        (Some(6), Some("json_web_token"))
    );
}

#[test]
fn an_argument_is_warned_of_unless_all_of_it_is_public() {
    let output = decode(&[&credential()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("process lists"), "{}", text(&output.stderr));
    let output = decode(&["r0000000G9"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(text(&output.stdout).contains("no checksum to judge"), "{}", text(&output.stdout));
}

/// Whatever was done to it, what is left of its secret part is not printed either.
#[test]
fn what_is_damaged_or_foreign_says_what_is_wrong_and_fails() {
    let whole = credential();
    let changed = whole.replace("_tokenry_", "_tokenri_");
    for (given, verdict, checksum, fault) in [
        (&whole[..63], "damaged", json!(null), "63 characters"),
        (&changed, "damaged", json!(false), "`_tokenry_`"),
        (&format!("{}00", &whole[..62]), "damaged", json!(false), "checksum"),
        (&format!("r000000000{}", &whole[10..]), "damaged", json!(false), "no id"),
        ("r00000-0G9", "damaged", json!(null), "not all of 0-9 A-Z a-z"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "json_web_token", json!(null), ""),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "foreign", json!(null), ""),
    ] {
        let output = decode_piped(given, &["--json"]);
        assert_eq!(output.status.code(), Some(6), "{given}");
        let said = json_of(&output);
        assert_eq!((&said["verdict"], &said["checksum_holds"]), (&json!(verdict), &checksum));
        let faults = said["faults"].to_string();
        assert!(faults.contains(fault), "{given}: {faults}");
        let words = decode_piped(given, &[]);
        assert_eq!(words.status.code(), Some(6), "{given}");
        for printed in [&output.stdout, &words.stdout, &words.stderr] {
            let printed = text(printed);
            for at in 19..whole.len() - 6 {
                assert!(!printed.contains(&whole[at..at + 6]), "{given}: {printed}");
            }
        }
    }
}
