//! Several nodes on one database: three processes that know nothing of each other.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    browser::Browser,
    client::{App, Client, Tokens},
    process::{Process, tokenry},
};

const NODES: usize = 3;
/// Codes and refresh tokens that every node is given at once.
const RACES: usize = 60;
/// Revocations whose way to the other nodes is measured.
const REVOCATIONS: usize = 60;
/// The promise is a second; an answer takes a while of its own on a busy machine.
const HEARD_IN_MAX: Duration = Duration::from_secs(2);
/// Longer than a node vouches for what it has.
const CUT_OFF: Duration = Duration::from_millis(1_500);
/// For nodes to go on once their database is back.
const BACK_IN: Duration = Duration::from_secs(20);

struct Cluster {
    admin: Value,
    /// The address of the database.
    store: String,
    nodes: Vec<Process>,
    /// Each node's own; the first one's has the key of all.
    _folders: Vec<TempDir>,
}

impl Cluster {
    fn start() -> Self {
        Self::on(tokenry_postgres_testing::schema())
    }

    /// On the database with this address.
    fn on(store: String) -> Self {
        let folders: Vec<_> = (0..NODES).map(|_| tempfile::tempdir().unwrap()).collect();
        let init = ["init", "--admin-email", "ada@acme.test", "--json", "--store", &store];
        let made = tokenry(folders[0].path(), &init).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let key = folders[0].path().join("data/server.key");
        let settings = [("TOKENRY_STORE", &*store), ("TOKENRY_KEY_FILE", key.to_str().unwrap())];
        let start = |folder: &TempDir| Process::start_with(folder.path(), &settings);
        let nodes = folders.iter().map(start).collect();
        let admin = serde_json::from_slice(&made.stdout).unwrap();
        Self { admin, store, nodes, _folders: folders }
    }

    fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(|node| Client::new(&node.base)).collect()
    }

    /// A client, somebody who consents to it, and a caller of each node.
    fn cast(&self) -> (App, Browser, Vec<Client>) {
        let clients = self.clients();
        let app = clients[0].register(&self.admin);
        let browser = Browser::signed_in(&clients[0], &self.admin);
        (app, browser, clients)
    }
}

/// The same call at every node at the same time.
fn at_once<T: Send>(clients: &[Client], call: impl Fn(&Client) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let calls: Vec<_> = clients.iter().map(|client| scope.spawn(|| call(client))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn signal(process: &Process, name: &str) {
    let id = process.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

fn is_alive(client: &Client, tokens: &Tokens) -> bool {
    client.is_alive(&tokens.access).unwrap()
}

#[test]
fn whatever_a_node_has_issued_every_node_serves() {
    let cluster = Cluster::start();
    let (app, mut browser, clients) = cluster.cast();
    let code = browser.consent(&clients[0], &app).unwrap().unwrap();
    let first = clients[1].redeem(&app, &code).unwrap().tokens();
    let second = clients[2].refresh(&app, first.refresh.as_deref().unwrap()).unwrap().tokens();
    for client in &clients {
        assert!(is_alive(client, &second) && !is_alive(client, &first));
    }
    // A session is every node's as well.
    assert!(browser.consent(&clients[2], &app).unwrap().is_ok());
}

#[test]
fn of_a_code_or_a_refresh_token_at_three_nodes_at_once_one_pair_comes() {
    let cluster = Cluster::start();
    let (app, mut browser, clients) = cluster.cast();
    for _ in 0..RACES {
        let code = browser.consent(&clients[0], &app).unwrap().unwrap();
        let answers = at_once(&clients, |client| client.redeem(&app, &code).unwrap());
        let redeemed: Vec<_> = answers.into_iter().filter(|answer| answer.status == 200).collect();
        assert!(redeemed.len() <= 1, "a code was redeemed twice");
        // A second copy of a code ends what the first one gave (RFC 6749 §4.1.2).
        let code = browser.consent(&clients[1], &app).unwrap().unwrap();
        let tokens = clients[1].redeem(&app, &code).unwrap().tokens();
        let refresh = tokens.refresh.unwrap();
        let answers = at_once(&clients, |client| client.refresh(&app, &refresh).unwrap().tokens());
        assert!(answers.iter().all(|tokens| *tokens == answers[0]), "two pairs for one token");
    }
}

#[test]
fn what_is_revoked_at_one_node_is_soon_dead_at_all() {
    let cluster = Cluster::start();
    let (app, mut browser, clients) = cluster.cast();
    let mut heard = Vec::new();
    for _ in 0..REVOCATIONS {
        let code = browser.consent(&clients[0], &app).unwrap().unwrap();
        let tokens = clients[0].redeem(&app, &code).unwrap().tokens();
        assert!(clients.iter().all(|client| is_alive(client, &tokens)));
        clients[0].revoke(&app, &tokens.access).unwrap().expect(200);
        let revoked = Instant::now();
        assert!(!is_alive(&clients[0], &tokens));
        for client in &clients[1..] {
            while is_alive(client, &tokens) {
                assert!(revoked.elapsed() < HEARD_IN_MAX, "a node did not hear of it");
            }
            heard.push(revoked.elapsed());
        }
    }
    heard.sort_unstable();
    let at = |share: usize| heard[(heard.len() * share / 100).min(heard.len() - 1)];
    println!(
        "revoked at one node, dead at another after {:?} (median), {:?} (99 %), {:?} (at most)",
        at(50),
        at(99),
        at(100)
    );
}

/// What it had in memory was right when it was stopped.
#[test]
fn a_node_that_was_stopped_serves_nothing_from_before_when_it_goes_on() {
    let cluster = Cluster::start();
    let (app, mut browser, clients) = cluster.cast();
    let code = browser.consent(&clients[0], &app).unwrap().unwrap();
    let tokens = clients[0].redeem(&app, &code).unwrap().tokens();
    assert!(is_alive(&clients[1], &tokens));
    signal(&cluster.nodes[1], "-STOP");
    clients[0].revoke(&app, &tokens.access).unwrap().expect(200);
    thread::sleep(CUT_OFF);
    let answer = thread::scope(|scope| {
        // On its way already when the node wakes up: it comes before any news.
        let asked = scope.spawn(|| is_alive(&clients[1], &tokens));
        thread::sleep(Duration::from_millis(50));
        signal(&cluster.nodes[1], "-CONT");
        asked.join().unwrap()
    });
    assert!(!answer, "a revoked token was vouched for");
}

/// What a node answers to a token that was never ended, and to a request for another one.
fn statuses(client: &Client, app: &App, tokens: &Tokens) -> (u16, u16) {
    let current = client.current(&tokens.access).unwrap();
    let issued = client.issue(app).unwrap();
    for answer in [&current, &issued] {
        assert!(answer.status == 200 || answer.retry_after.is_some(), "{}", answer.text);
    }
    (current.status, issued.status)
}

/// Never 401: that says something about the token, and nothing is known of it.
#[test]
fn while_the_database_is_away_nodes_say_so_and_go_on_when_it_is_back() {
    let database = tokenry_postgres_testing::Server::start();
    let cluster = Cluster::on(database.url());
    let (app, mut browser, clients) = cluster.cast();
    let code = browser.consent(&clients[0], &app).unwrap().unwrap();
    let tokens = clients[0].redeem(&app, &code).unwrap().tokens();
    for client in &clients {
        assert_eq!(statuses(client, &app, &tokens), (200, 200));
    }
    for is_frozen in [false, true] {
        if is_frozen {
            database.freeze();
        } else {
            database.stop();
        }
        thread::sleep(CUT_OFF);
        let away = at_once(&clients, |client| statuses(client, &app, &tokens));
        assert!(away.iter().all(|statuses| *statuses == (503, 503)), "{away:?}");
        if is_frozen {
            database.thaw();
        } else {
            database.start_again();
        }
        let back = Instant::now();
        while clients.iter().any(|client| statuses(client, &app, &tokens) != (200, 200)) {
            assert!(back.elapsed() < BACK_IN, "a node does not go on");
        }
    }
}

#[test]
fn a_node_with_another_key_refuses_to_start() {
    let cluster = Cluster::start();
    let other = tempfile::tempdir().unwrap();
    let serve = |key: Option<&str>| {
        let mut serve = tokenry(other.path(), &["serve", "--listen", "127.0.0.1:0"]);
        serve.env("TOKENRY_STORE", &cluster.store);
        if let Some(key) = key {
            serve.env("TOKENRY_SERVER_KEY", key);
        }
        let ended = serve.output().unwrap();
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let missing = serve(None);
    assert!(missing.contains("its server key is not here"), "{missing}");
    let wrong = serve(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert!(wrong.contains("the server key does not open this store"), "{wrong}");
}
