//! Nodes are killed and the database is restarted at random moments while workers work at all
//! nodes and at the proxy; then the oracle of `durability` asks every node.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{Cluster, HEARD_IN_MAX, NODES, is_alive, is_dead_in, proxy::Proxy};
use crate::{
    browser::Browser,
    client::{App, Client},
    durability::{
        dice::Dice,
        oracle::Oracle,
        rounds, seed,
        workers::{Answers, Behind, Reads, Round, Worker, hire},
    },
};

/// How often the oracle is asked, and how many misfortunes come before.
const ROUNDS: u64 = 2;
const MISFORTUNES: u64 = 5;
/// Between two of them so many calls succeed, and up to so many more.
const ANSWERS_MIN: u64 = 40;
const ANSWERS_SPREAD: u64 = 160;
/// Calls that are put off while the database is away.
const PUT_OFF: usize = 8;
/// While the database is away, calls wait for so long before they are put off.
pub(super) const IMPATIENT: (&str, &str) = ("TOKENRY_POSTGRES_CALL_TIMEOUT", "1s");
/// `cluster.staleness_max`, in milliseconds.
pub(super) const STALENESS_MAX: u64 = 1_000;
/// For a call that was told to try again to be answered, after the last misfortune.
const BACK_IN: Duration = Duration::from_secs(30);

/// What can go wrong, and who is watched meanwhile.
pub(super) struct Stage<'a> {
    database: &'a tokenry_postgres_testing::Server,
    cluster: &'a mut Cluster,
    answers: &'a Answers,
    told: [usize; 4],
}

impl<'a> Stage<'a> {
    pub(super) const fn new(
        database: &'a tokenry_postgres_testing::Server,
        cluster: &'a mut Cluster,
        answers: &'a Answers,
    ) -> Self {
        Self { database, cluster, answers, told: [0; 4] }
    }

    /// So many things go wrong, one after the other.
    pub(super) fn run(&mut self, dice: &mut Dice, misfortunes: u64) {
        self.work(dice);
        for _ in 0..misfortunes {
            self.misfortune(dice);
        }
        let [one, two, restarts, crashes] = self.told;
        println!(
            "killed: one node {one} times, two {two} times; the database restarted {restarts} \
             times, crashed {crashes} times"
        );
    }

    /// One thing goes wrong and is put right again.
    fn misfortune(&mut self, dice: &mut Dice) {
        let node = dice.place(NODES);
        let kind = dice.place(self.told.len());
        self.told[kind] += 1;
        match kind {
            0 => self.kill(&[node], dice),
            1 => self.kill(&[node, (node + 1) % NODES], dice),
            _ => {
                if kind == 2 {
                    self.database.stop();
                } else {
                    self.database.crash();
                }
                self.answers.wait_for_put_off(PUT_OFF);
                self.database.start_again();
            }
        }
        self.work(dice);
    }

    /// The others go on meanwhile.
    fn kill(&mut self, nodes: &[usize], dice: &mut Dice) {
        for node in nodes {
            self.cluster.kill(*node);
        }
        self.work(dice);
        for node in nodes {
            self.cluster.start_again(*node);
        }
    }

    fn work(&self, dice: &mut Dice) {
        let more = ANSWERS_MIN + dice.roll(ANSWERS_SPREAD);
        self.answers.wait_for(usize::try_from(more).unwrap());
    }
}

/// Every node is asked about every grant, once each knows what the others have done.
///
/// Impatient nodes put a call off whenever the machine is busy; it is made again then. `strangers`
/// are the calls that may have made a token that nobody was given.
pub(super) fn ask_the_oracle(
    cluster: &Cluster,
    app: &App,
    workers: &[Mutex<Worker>],
    seed: u64,
    strangers: &mut usize,
) {
    let began = Instant::now();
    while cluster.clients().iter().any(|client| client.fetch("/readyz").status != 200) {
        assert!(began.elapsed() < BACK_IN, "a node does not go on");
    }
    let clients = || cluster.bases().into_iter().map(|base| Client::obedient(&base, BACK_IN));
    for (place, client) in clients().enumerate() {
        *strangers += agree(&clients().collect::<Vec<_>>(), app);
        let oracle = Oracle { client, app, admin: &cluster.database.admin };
        oracle.check_all(workers, seed ^ place as u64, strangers);
    }
}

/// Returns when every node knows what every other has changed until now: how many calls may have
/// made a token that nobody was given.
///
/// A node is told of changes in the order in which they were made, so one last change of each
/// node is all that there is to wait for.
fn agree(clients: &[Client], app: &App) -> usize {
    let mut strangers = 0;
    for client in clients {
        let issued = client.issue(app).unwrap();
        strangers += issued.put_off;
        let token = issued.tokens();
        assert!(clients.iter().all(|client| is_alive(client, &token)));
        client.revoke(app, &token.access).unwrap().expect(200);
        for other in clients {
            is_dead_in(other, &token.access, HEARD_IN_MAX);
        }
    }
    strangers
}

#[test]
fn nothing_acknowledged_is_lost_while_nodes_are_killed_and_the_database_is_restarted() {
    let seed = seed("chaos");
    let database = tokenry_postgres_testing::Server::start();
    let (proxy, mut cluster) = Proxy::and_cluster_with(database.url(), &[IMPATIENT]);
    let client = Client::obedient(proxy.base(), BACK_IN);
    let app = client.register(&cluster.database.admin);
    let workers = hire(&Browser::signed_in(&client, &cluster.database.admin));
    let answers = Answers::default();
    let mut bases = cluster.bases();
    bases.push(proxy.base().to_owned());
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap();
    let mut strangers = 0;
    for round in 0..rounds(ROUNDS) {
        let mut dice = Dice::new(seed, round);
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
            Stage::new(&database, &mut cluster, &answers).run(&mut dice, MISFORTUNES);
        });
        ask_the_oracle(&cluster, &app, &workers, seed ^ round, &mut strangers);
    }
    println!(
        "{} answers, {} put off, {strangers} births unanswered",
        answers.given(),
        answers.put_off()
    );
}
