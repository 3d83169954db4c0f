//! `tokenry twin check`: real commands, good ones and bad ones, and what is said of them.

mod baseline;
mod careless;
mod processes;
mod report;
mod trust;

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{pages, process::TOKENRY};

/// What it takes to write a client in a line: `pair REFRESH_TOKEN` prints a token answer, `me
/// ACCESS_TOKEN` a status, and `member NAME` takes a member of an answer.
const CLIENT: &str = r#"
pair() {
  curl -sS -d grant_type=refresh_token -d "refresh_token=$1" \
    -d "client_id=$ZENDESK_REFRESH_CLIENT_ID" "$ZENDESK_SERVER_URL/oauth/tokens"
}
me() {
  curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" \
    "$ZENDESK_SERVER_URL/api/v2/users/me.json"
}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
"#;

/// The program of the page about migration, which starts without a pair.
fn careful() -> String {
    format!("export PAIR=$(mktemp -u)\n{}", pages::file(&pages::page("migrate.md"), "sync.sh"))
}

/// `tokenry twin check OPTIONS -- bash -c SCRIPT`
fn check(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(TOKENRY);
    for name in ["CI", "NO_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS"] {
        command.env_remove(name);
    }
    command.args(["twin", "check"]).args(options).args(["--", "bash", "-c", script]);
    command.stdin(Stdio::null());
    command
}

/// The cases of a report, and how it ended.
#[track_caller]
fn cases(mut command: Command) -> (Vec<Value>, Option<i32>) {
    let output = command.output().unwrap();
    let cases = serde_json::from_slice(&output.stdout);
    (cases.unwrap_or_else(|error| panic!("{error}: {}", said(&output))), output.status.code())
}

/// All that it wrote.
fn said(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    format!("{stdout}{stderr}")
}
