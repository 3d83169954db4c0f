//! The same commands against a server that answers as Zendesk does: nulls, hexadecimal tokens, a
//! cursor on the last page too, 429 with `Retry-After`, and failures.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tokenry_protocol::time::Seconds;

use super::{
    cast::{now, signed_out},
    done, failed, ids, json,
};

/// How long a test waits for what never comes, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers as Zendesk does.
struct Zendesk {
    folder: tempfile::TempDir,
    base: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    account: Mutex<Account>,
    changed: Condvar,
}

#[derive(Default)]
struct Account {
    tokens: BTreeMap<u64, Value>,
    /// Somebody uses these after they were listed.
    used_meanwhile: BTreeSet<u64>,
    /// Somebody else revokes these after they were listed.
    gone_meanwhile: BTreeSet<u64>,
    /// Revoking these fails.
    broken: BTreeSet<u64>,
    /// So many requests are refused for being too many.
    too_many: u32,
    /// So many revocations more are answered, and then none until this is raised; `None` is all.
    answered_more: Option<u32>,
    /// Revocations that wait for their answer.
    waiting: u32,
    /// Tokens in the order in which they were revoked.
    revoked: Vec<u64>,
    requests: Vec<String>,
}

impl State {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// Changes the account and lets whoever waits look again.
    fn change(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.account());
        self.changed.notify_all();
    }

    /// Returns when the account is so.
    fn wait(&self, is_so: impl Fn(&Account) -> bool) {
        let account = self.account();
        let is_other = |account: &mut Account| !is_so(account);
        let (account, waited) =
            self.changed.wait_timeout_while(account, PATIENCE, is_other).unwrap();
        drop(account);
        assert!(!waited.timed_out());
    }
}

impl Zendesk {
    /// With so many tokens: each third was used lately, each third long ago, each third never.
    fn start(tokens: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        state.change(|account| {
            account.tokens = (1..=tokens).map(|id| (900_000 + id, token(900_000 + id))).collect();
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { folder: tempfile::tempdir().unwrap(), base, state }
    }

    /// As the generated SDKs are told of an account.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = signed_out(self.folder.path(), arguments);
        command.env("ZENDESK_SERVER_URL", &self.base);
        command.env("ZENDESK_USERNAME", "ada@acme.test/token");
        command.env("ZENDESK_PASSWORD", "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv");
        command
    }

    fn change(&self, change: impl FnOnce(&mut Account)) {
        self.state.change(change);
    }

    fn left(&self) -> Vec<u64> {
        self.state.account().tokens.keys().copied().collect()
    }
}

/// A time of so many days ago.
fn days_ago(days: u32) -> String {
    now().minus(Seconds(days * 86_400 + 60)).to_string()
}

fn token(id: u64) -> Value {
    let used_at = match id % 3 {
        0 => json!(days_ago(1)),
        1 => json!(days_ago(200)),
        _ => Value::Null,
    };
    json!({
        "url": format!("https://acme.zendesk.com/api/v2/oauth/tokens/{id}.json"),
        "id": id,
        "user_id": 7,
        "client_id": 41 + id % 2,
        "token": format!("{:010x}", 0xaf_0000_0000_u64 + id),
        "refresh_token": null,
        "refresh_token_expires_at": null,
        "created_at": days_ago(300),
        "expires_at": null,
        "used_at": used_at,
        "scopes": ["read"],
        "full_token": null,
        "resource_type": "oauth_token",
    })
}

fn serve(stream: &TcpStream, state: &State) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut authorization = String::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            match header.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    value.clone_into(&mut authorization);
                }
                Some(_) => {}
                None => break,
            }
        }
        assert!(authorization.starts_with("Basic "), "{line}");
        let (status, body) = answer(state, method, target);
        let retry = if status == "429 Too Many Requests" { "Retry-After: 1\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{retry}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        // Whoever hung up reads no answer.
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(state: &State, method: &str, target: &str) -> (&'static str, String) {
    state.change(|account| account.requests.push(format!("{method} {target}")));
    let url = url::Url::parse(&format!("http://zendesk.test{target}")).unwrap();
    let path = url.path().trim_start_matches("/api/v2/").trim_end_matches(".json").to_owned();
    let missing =
        || ("404 Not Found", json!({"error": "RecordNotFound", "description": "Not found"}));
    {
        let mut account = state.account();
        if account.too_many > 0 {
            account.too_many -= 1;
            return ("429 Too Many Requests", json!({"error": "TooManyRequests"}).to_string());
        }
    }
    let id = path.rsplit('/').next().and_then(|id| id.parse::<u64>().ok());
    let (status, body) = match (method, path.as_str(), id) {
        ("GET", "oauth/tokens", _) => ("200 OK", page(&state.account(), &url)),
        ("GET", "api_tokens", _) => ("200 OK", api_tokens()),
        ("GET", path, Some(id)) if path.starts_with("oauth/tokens/") => state
            .account()
            .shown(id)
            .map_or_else(missing, |token| ("200 OK", json!({"token": token}))),
        ("GET", path, Some(id)) if path.starts_with("oauth/clients/") => ("200 OK", client(id)),
        ("GET", "users/7", _) => (
            "200 OK",
            json!({"user": {
                "id": 7, "name": "Ben", "email": "ben@acme.test", "suspended": false, "photo": null,
            }}),
        ),
        ("DELETE", path, Some(id)) if path.starts_with("oauth/tokens/") => revoke(state, id),
        _ => missing(),
    };
    (status, if body.is_null() { String::new() } else { body.to_string() })
}

impl Account {
    fn shown(&self, id: u64) -> Option<Value> {
        let mut token = self.tokens.get(&id)?.clone();
        if self.used_meanwhile.contains(&id) {
            token["used_at"] = json!(now().to_string());
        }
        Some(token)
    }
}

fn page(account: &Account, url: &url::Url) -> Value {
    let parameter = |name: &str| {
        let pair = url.query_pairs().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.into_owned())
    };
    assert_eq!(parameter("all").as_deref(), Some("true"));
    let size: usize = parameter("page[size]").unwrap().parse().unwrap();
    let after: u64 = parameter("page[after]").map_or(0, |after| after.parse().unwrap());
    let client: Option<u64> = parameter("client_id").map(|id| id.parse().unwrap());
    let is_meant = |token: &&Value| client.is_none_or(|id| token["client_id"] == id);
    let rest: Vec<&Value> =
        account.tokens.range(after + 1..).map(|(_, t)| t).filter(is_meant).collect();
    let tokens = &rest[..rest.len().min(size)];
    // A cursor stands on the last page too.
    let cursor = tokens.last().map_or(after, |token| token["id"].as_u64().unwrap()).to_string();
    json!({
        "tokens": tokens,
        "meta": {"has_more": rest.len() > size, "after_cursor": cursor, "before_cursor": null},
        "links": {"next": null, "prev": null},
    })
}

fn client(id: u64) -> Value {
    json!({"client": {
        "id": id, "identifier": format!("app_{id}"), "name": "App", "kind": "confidential",
        "redirect_uri": if id == 41 { json!(["https://app.test/cb"]) } else { json!(null) },
        "company": null, "description": null, "logo_url": null, "global": false, "user_id": 7,
    }})
}

fn api_tokens() -> Value {
    json!({"api_tokens": [
        {"id": 3, "description": "old export", "active": true, "last_used": null,
         "assigned_user_id": null, "visible_token": null, "created_at": days_ago(900)},
        {"id": 4, "description": null, "active": false, "last_used": days_ago(400),
         "created_at": days_ago(900)},
    ]})
}

fn revoke(state: &State, id: u64) -> (&'static str, Value) {
    state.change(|account| account.waiting += 1);
    let mut account = state
        .changed
        .wait_while(state.account(), |account| account.answered_more == Some(0))
        .unwrap();
    account.waiting -= 1;
    account.answered_more = account.answered_more.map(|more| more - 1);
    let answer = if account.broken.contains(&id) {
        ("500 Internal Server Error", json!({"error": "Sorry", "description": "something broke"}))
    } else if account.gone_meanwhile.contains(&id) || account.tokens.remove(&id).is_none() {
        account.tokens.remove(&id);
        ("404 Not Found", json!({"error": "RecordNotFound", "description": "Not found"}))
    } else {
        account.revoked.push(id);
        ("204 No Content", Value::Null)
    };
    drop(account);
    state.changed.notify_all();
    answer
}

#[test]
fn a_list_goes_through_all_pages_and_reads_every_null() {
    let zendesk = Zendesk::start(250);
    let all = json(zendesk.command(&["token", "list", "--json"]));
    assert_eq!(all.len(), 250);
    assert_eq!(all[0]["token"], "af000dbba1");
    assert_eq!(all[0]["client_identifier"], "app_42");
    assert_eq!(all[0]["resource_type"], "oauth_token", "what is new is passed on");
    let requests = zendesk.state.account().requests.clone();
    let count = |begin: &str| requests.iter().filter(|line| line.starts_with(begin)).count();
    assert_eq!(count("GET /api/v2/oauth/tokens?"), 3);
    assert_eq!(count("GET /api/v2/users/"), 1, "each user is asked for once");
    assert_eq!(count("GET /api/v2/oauth/clients/"), 2, "each client is asked for once");
    let unused = ids(zendesk.command(&["token", "list", "--unused", "30d", "-q"]));
    assert_eq!(unused, (900_001..=900_250).filter(|id| id % 3 != 0).collect::<Vec<_>>());
    let never = ids(zendesk.command(&["token", "list", "--never-expires", "-q"]));
    assert_eq!(never.len(), 250);
    let shown = done(zendesk.command(&["token", "show", "af000dbba1", "-q"])).0;
    assert_eq!(shown, "900001\n");
    let elsewhere = "https://acme.zendesk.com/api/v2/oauth/tokens/900002.json";
    assert_eq!(done(zendesk.command(&["token", "show", elsewhere, "-q"])).0, "900002\n");
}

#[test]
fn a_server_that_is_busy_is_given_the_time_that_it_asks_for() {
    let zendesk = Zendesk::start(30);
    zendesk.change(|account| account.too_many = 2);
    let revoke = ["token", "revoke", "--client", "41", "--yes"];
    // The first two requests are for the client, the rest must come through.
    assert_eq!(done(zendesk.command(&revoke)).0, "Revoked 15 tokens.\n");
    assert_eq!(zendesk.left().len(), 15);
}

#[test]
fn a_token_that_is_used_meanwhile_is_left_and_one_that_is_gone_is_done() {
    let zendesk = Zendesk::start(30);
    zendesk.change(|account| {
        account.used_meanwhile = [900_001].into();
        account.gone_meanwhile = [900_002].into();
    });
    let revoke = ["token", "revoke", "--unused", "30d", "--yes"];
    let (told, _) = done(zendesk.command(&revoke));
    let expected = "Revoked 18 tokens; 1 gone already; 1 used or refreshed meanwhile, and left.\n";
    assert_eq!(told, expected);
    let left: Vec<u64> = (900_001..=900_030).filter(|id| id % 3 == 0 || *id == 900_001).collect();
    assert_eq!(zendesk.left(), left);
}

#[test]
fn what_fails_is_listed_at_the_end_and_the_rest_is_done() {
    let zendesk = Zendesk::start(30);
    zendesk.change(|account| account.broken = [900_005, 900_006].into());
    let (code, said) = failed(zendesk.command(&["token", "revoke", "--everything", "--yes"]));
    assert_eq!(code, 1, "{said}");
    for line in [
        "  900005 of app_42 for ben@acme.test: the server answered 500",
        "  900006 of app_41 for ben@acme.test: the server answered 500",
        "tokenry: 2 tokens not revoked\n",
        "run the same command again for the rest",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(zendesk.left(), [900_005, 900_006]);
    zendesk.change(|account| account.broken.clear());
    let again = ["token", "revoke", "--everything", "--yes"];
    assert_eq!(done(zendesk.command(&again)).0, "Revoked 2 tokens.\n");
}

#[test]
fn a_server_at_which_everything_fails_is_left_alone() {
    let zendesk = Zendesk::start(300);
    zendesk.change(|account| account.broken = (900_001..=900_300).collect());
    let (code, said) = failed(zendesk.command(&["token", "revoke", "--everything", "--yes"]));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("300 tokens not revoked"), "{said}");
    let requests = zendesk.state.account().requests.clone();
    let tried = requests.iter().filter(|line| line.starts_with("DELETE")).count();
    assert!((20..=28).contains(&tried), "{tried}");
}

#[test]
fn whoever_interrupts_is_told_what_is_left_and_can_go_on_later() {
    let zendesk = Zendesk::start(100);
    zendesk.change(|account| account.answered_more = Some(3));
    let mut command = zendesk.command(&["token", "revoke", "--everything", "--yes"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    zendesk.state.wait(|account| account.revoked.len() == 3 && account.waiting == 8);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("Waiting for 8 requests under way") {
        assert_ne!(said.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    zendesk.change(|account| account.answered_more = None);
    said.read_to_string(&mut seen).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{seen}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Revoked 11 tokens.\n");
    assert!(seen.contains("tokenry: interrupted, with 89 tokens left\n"), "{seen}");
    assert_eq!(zendesk.left().len(), 89);
    let again = ["token", "revoke", "--everything", "--yes"];
    assert_eq!(done(zendesk.command(&again)).0, "Revoked 89 tokens.\n");
    assert_eq!(zendesk.left(), Vec::<u64>::new());
}

#[test]
fn an_audit_names_the_api_tokens_that_end() {
    let zendesk = Zendesk::start(6);
    let found = ["audit", "--finding", "api_token", "--fail-on-findings", "--json"];
    let output = zendesk.command(&found).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(records.len(), 1, "one that is switched off harms nobody");
    assert_eq!(records[0]["description"], "old export");
    let (table, said) = done(zendesk.command(&["audit"]));
    assert!(table.contains("every user"), "{table}");
    assert!(said.contains("1  API token: Zendesk ends its own on 30 April 2027"), "{said}");
    assert!(said.contains("3  client without a redirect address"), "{said}");
}
