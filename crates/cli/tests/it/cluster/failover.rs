//! A database with a synchronous standby that takes its place: nothing acknowledged is lost, and
//! nodes go on by themselves.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokenry_postgres_testing::Server;

use super::{
    Cluster,
    chaos::{STALENESS_MAX, ask_the_oracle},
};
use crate::{
    browser::Browser,
    client::{App, Client},
    durability::{
        dice::Dice,
        rounds, seed,
        workers::{Answers, Behind, Reads, Round, hire},
    },
};

const ROUNDS: u64 = 2;
/// The primary is lost after this many answers at least, and up to so many more.
const ANSWERS_MIN: u64 = 150;
const ANSWERS_SPREAD: u64 = 300;
/// What is answered at the new primary before anybody looks.
const ANSWERS_AFTER: usize = 150;
/// For nodes to find the new primary once there is one.
const FOUND_IN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// While the database is away, calls wait for so long before they are put off.
const IMPATIENT: [(&str, &str); 2] =
    [("TOKENRY_POSTGRES_CALL_TIMEOUT", "2s"), ("TOKENRY_POSTGRES_CONNECT_TIMEOUT", "2s")];

#[test]
fn a_standby_that_takes_over_under_load_has_everything_that_was_acknowledged() {
    let seed = seed("failover");
    let mut primary = Server::start();
    let mut standby = Server::start_standby(&primary);
    let cluster = Cluster::with(standby.added_to(&primary.url()), &IMPATIENT);
    let bases = cluster.bases();
    let first = Client::obedient(&bases[0], FOUND_IN);
    let app = first.register(&cluster.database.admin);
    let workers = hire(&Browser::signed_in(&first, &cluster.database.admin));
    let (answers, mut strangers) = (Answers::default(), 0);
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap();
    for round in 0..rounds(ROUNDS) {
        let mut dice = Dice::new(seed, round);
        let before = usize::try_from(ANSWERS_MIN + dice.roll(ANSWERS_SPREAD)).unwrap();
        let work = Round {
            bases: &bases,
            behind: Behind::Nodes { agree_in: STALENESS_MAX },
            app: &app,
            seed: dice.roll(u64::from(u32::MAX)),
            now: &now,
            answers: &answers,
            reads: Reads::OrPutOff,
        };
        work.run(&workers, || {
            answers.wait_for(before);
            primary.crash();
            let lost = Instant::now();
            standby.promote();
            println!("round {round}: promoted {:?} after the loss", lost.elapsed());
            for client in cluster.clients() {
                // What was issued only to find out is nobody's grant.
                strangers += await_writes(&client, &app);
                println!("round {round}: a node takes writes {:?} after the loss", lost.elapsed());
            }
            answers.wait_for(ANSWERS_AFTER);
        });
        ask_the_oracle(&cluster, &app, &workers, seed ^ round, &mut strangers);
        primary.rejoin(&standby);
        std::mem::swap(&mut primary, &mut standby);
    }
    println!("{} answers, {} put off", answers.given(), answers.put_off());
    assert!(answers.put_off() > 0, "nobody noticed that the primary was gone");
}

/// How often it had to be asked.
fn await_writes(client: &Client, app: &App) -> usize {
    let began = Instant::now();
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

/// It was there when it was opened, and then for a while nothing in it could be read.
#[test]
fn a_node_whose_database_goes_away_while_it_starts_waits_for_it() {
    let database = Server::start();
    let mut cluster = Cluster::on(database.url());
    cluster.kill(1);
    let log = cluster.folder(1).join("log");
    let log = || std::fs::read_to_string(&log).unwrap_or_default();
    let held = database.hold("LOCK TABLE keys");
    thread::scope(|scope| {
        let cluster = &mut cluster;
        let started = scope.spawn(move || cluster.start_again(1));
        let began = Instant::now();
        while !log().contains("waiting for the database") {
            assert!(!started.is_finished(), "it gave up:\n{}", log());
            assert!(began.elapsed() < FOUND_IN, "it does not say that it waits:\n{}", log());
            thread::sleep(LOOK_AGAIN);
        }
        drop(held);
    });
    cluster.clients()[1].fetch("/readyz").expect(200);
}
