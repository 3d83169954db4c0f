//! A database with a synchronous standby that takes its place: nothing acknowledged is lost, and
//! nodes go on by themselves.
//!
//! `CRASH_SEED` and `CRASH_ROUNDS_TIMES` are those of `durability`.

use std::{
    path::Path,
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokenry_postgres_testing::Server;

use crate::{
    browser::Browser,
    client::{App, Client},
    durability::{
        dice::Dice,
        ledger::State,
        oracle::Oracle,
        rounds, seed,
        workers::{Answers, Reads, Round, Worker, hire},
    },
    process::{Process, tokenry},
};

const NODES: usize = 3;
const ROUNDS: u64 = 2;
/// The primary is lost after this many answers at least, and up to so many more.
const ANSWERS_MIN: u64 = 150;
const ANSWERS_SPREAD: u64 = 300;
/// What is answered at the new primary before anybody looks.
const ANSWERS_AFTER: usize = 150;
/// For nodes to find the new primary once there is one.
const FOUND_IN: Duration = Duration::from_secs(20);
/// The promise is a second; an answer takes a while of its own on a busy machine.
const HEARD_IN_MAX: Duration = Duration::from_secs(3);

/// Nodes on one database.
struct Site {
    store: String,
    admin: Value,
    /// Each node's own; the first one's has the key of all.
    folders: Vec<TempDir>,
}

impl Site {
    fn new(store: String) -> Self {
        let folders: Vec<_> = (0..=NODES).map(|_| tempfile::tempdir().unwrap()).collect();
        let init = ["init", "--admin-email", "ada@acme.test", "--json", "--store", &store];
        let made = tokenry(folders[0].path(), &init).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let admin = serde_json::from_slice(&made.stdout).unwrap();
        Self { store, admin, folders }
    }

    fn start(&self, folder: &Path) -> Process {
        let key = self.folders[0].path().join("data/server.key");
        let settings = [
            ("TOKENRY_STORE", &*self.store),
            ("TOKENRY_KEY_FILE", key.to_str().unwrap()),
            ("TOKENRY_POSTGRES_CALL_TIMEOUT", "2s"),
            ("TOKENRY_POSTGRES_CONNECT_TIMEOUT", "2s"),
        ];
        Process::start_with(folder, &settings)
    }

    /// One that nobody has asked anything yet.
    fn start_newcomer(&self) -> Process {
        self.start(self.folders[NODES].path())
    }
}

#[test]
fn a_standby_that_takes_over_under_load_has_everything_that_was_acknowledged() {
    let seed = seed("failover");
    let mut primary = Server::start();
    let mut standby = Server::start_standby(&primary);
    let site = Site::new(standby.added_to(&primary.url()));
    let nodes: Vec<_> = site.folders[..NODES].iter().map(|own| site.start(own.path())).collect();
    let first = Client::new(&nodes[0].base);
    let app = first.register(&site.admin);
    let browser = Browser::signed_in(&first, &site.admin);
    let workers: Vec<_> = nodes.iter().flat_map(|_| hire(&browser)).collect();
    let (answers, mut strangers) = (Answers::default(), 0);
    for round in 0..rounds(ROUNDS) {
        let mut dice = Dice::new(seed, round);
        let before = usize::try_from(ANSWERS_MIN + dice.roll(ANSWERS_SPREAD)).unwrap();
        let seed = dice.roll(u64::from(u32::MAX));
        let load = Load { nodes: &nodes, app: &app, workers: &workers, answers: &answers };
        load.run(seed, || {
            answers.wait_for(before);
            primary.crash();
            let lost = Instant::now();
            standby.promote();
            let promoted = lost.elapsed();
            for node in &nodes {
                // What was issued only to find out is nobody's grant.
                strangers += await_writes(node, &app);
                println!("round {round}: a node takes writes {:?} after the loss", lost.elapsed());
            }
            println!("round {round}: {promoted:?} of that it took to promote the standby");
            answers.wait_for(ANSWERS_AFTER);
        });
        let newcomer = site.start_newcomer();
        let client = Client::new(&newcomer.base);
        let oracle = Oracle { client, app: &app, admin: &site.admin };
        oracle.check_all(&workers, seed, &mut strangers);
        newcomer.stop();
        what_ended_is_dead_at(&nodes, &workers);
        primary.rejoin(&standby);
        std::mem::swap(&mut primary, &mut standby);
    }
    println!("{} answers, {} put off", answers.given(), answers.put_off());
    assert!(answers.put_off() > 0, "nobody noticed that the primary was gone");
}

/// Workers at every node.
struct Load<'a> {
    nodes: &'a [Process],
    app: &'a App,
    workers: &'a [Mutex<Worker>],
    answers: &'a Answers,
}

impl Load<'_> {
    /// Has everybody work until `meanwhile` has come to its end.
    fn run(&self, seed: u64, meanwhile: impl FnOnce()) {
        let teams = self.workers.chunks(self.workers.len() / self.nodes.len());
        thread::scope(|scope| {
            let mut ends = Vec::new();
            for ((node, team), part) in self.nodes.iter().zip(teams).zip(0..) {
                let (end, ended) = mpsc::channel::<()>();
                ends.push(end);
                let round = Round {
                    base: &node.base,
                    app: self.app,
                    seed: seed + part,
                    now: &|| 0,
                    answers: self.answers,
                    reads: Reads::OrPutOff,
                };
                // It ends when its sender is gone, also if that is because something failed.
                scope.spawn(move || round.run(team, || _ = ended.recv()));
            }
            meanwhile();
            drop(ends);
        });
    }
}

/// How often it had to be asked.
fn await_writes(node: &Process, app: &App) -> usize {
    let (client, began) = (Client::new(&node.base), Instant::now());
    let mut asked = 0;
    loop {
        asked += 1;
        let answer = client.issue(app).unwrap();
        if answer.status == 200 {
            return asked;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(began.elapsed() < FOUND_IN, "a node does not find the new primary");
    }
}

/// Whatever they had in memory, and whichever node ended it.
fn what_ended_is_dead_at(nodes: &[Process], workers: &[Mutex<Worker>]) {
    let mut ended = Vec::new();
    for worker in workers {
        let worker = worker.lock().unwrap();
        let states = worker.grants.iter().filter_map(|grant| grant.known().state);
        ended.extend(states.filter_map(|state| match state {
            State::Ended(tokens) => Some(tokens.access),
            _ => None,
        }));
    }
    assert!(!ended.is_empty());
    let began = Instant::now();
    for node in nodes {
        let client = Client::new(&node.base);
        for access in &ended {
            while client.is_alive(access).unwrap() {
                assert!(began.elapsed() < HEARD_IN_MAX, "a node did not hear of an end");
            }
        }
    }
}

/// It was there when it was opened, and then for a while nothing in it could be read.
#[test]
fn a_node_whose_database_goes_away_while_it_starts_waits_for_it() {
    let database = Server::start();
    let site = Site::new(database.url());
    let folder = site.folders[1].path();
    let held = database.hold("LOCK TABLE keys");
    thread::scope(|scope| {
        let started = scope.spawn(|| site.start(folder));
        let began = Instant::now();
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        while !log().contains("waiting for the database") {
            assert!(!started.is_finished(), "it gave up:\n{}", log());
            assert!(began.elapsed() < FOUND_IN, "it does not say that it waits:\n{}", log());
            thread::sleep(Duration::from_millis(10));
        }
        drop(held);
        let node = started.join().unwrap();
        Client::new(&node.base).fetch("/readyz").expect(200);
    });
}
