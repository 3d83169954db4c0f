//! What one node does for all: three processes on one database, of which one purges; and what each
//! tells of itself.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    client::{App, Client, basic},
    cluster,
    process::TOKENRY,
    shared_database::{Node, SharedDatabase},
};

const NODES: usize = 3;
/// Tokens of a client that is deleted, so that there is something to purge.
const TOKENS: u64 = 20;
/// For what comes soon, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How far apart nodes look at most whether they can have the job.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// Beside the time that the rules allow.
const SLACK: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A node and its metrics.
struct Watched {
    node: Node,
    client: Client,
    metrics: Client,
}

struct Cluster {
    database: SharedDatabase,
    nodes: Vec<Watched>,
}

impl Cluster {
    /// Whose nodes take jobs for so many seconds.
    fn start(lifetime: Duration) -> Self {
        let database = SharedDatabase::made_by(TOKENRY);
        let lifetime = format!("{}s", lifetime.as_secs());
        let nodes = (0..NODES).map(|_| Watched::start(&database, &lifetime)).collect();
        Self { database, nodes }
    }

    /// Which node has the job; it is never two at the same moment that do.
    fn holder(&self) -> usize {
        eventually("a node has the job", || {
            let holders: Vec<_> =
                (0..self.nodes.len()).filter(|at| self.nodes[*at].holds()).collect();
            match holders.as_slice() {
                [one] => Some(*one),
                _ => None,
            }
        })
    }

    /// What each node has purged.
    fn purged(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.metric("tokenry_purged_rows_total")).collect()
    }

    /// Leaves something to purge, and waits until it is gone: what each node has removed of it.
    fn purge_something(&self) -> Vec<u64> {
        let before = self.purged();
        let client = &self.nodes[0].client;
        let app = client.register(&self.database.admin);
        for _ in 0..TOKENS {
            client.issue(&app).unwrap().expect(200);
        }
        delete(client, &self.database.admin, &app);
        eventually("what is over is purged", || {
            let purged = self.purged().into_iter().zip(&before);
            let purged: Vec<_> = purged.map(|(after, before)| after - before).collect();
            // The tokens and their client.
            (purged.iter().sum::<u64>() > TOKENS).then_some(purged)
        })
    }
}

impl Watched {
    fn start(database: &SharedDatabase, lifetime: &str) -> Self {
        let metrics = cluster::address();
        let settings = [
            ("TOKENRY_METRICS_LISTEN", &*metrics),
            ("TOKENRY_PURGE_INTERVAL", "1s"),
            ("TOKENRY_CLUSTER_JOB_LEASE_LIFETIME", lifetime),
        ];
        let node = database.start(TOKENRY, &settings);
        let client = Client::new(&node.process.base);
        Self { node, client, metrics: Client::new(&format!("http://{metrics}")) }
    }

    /// A number of its metrics; 0 before anything was counted.
    fn metric(&self, name: &str) -> u64 {
        let Some(answer) = self.metrics.send(("GET", "/metrics"), &[], "") else {
            return 0;
        };
        let mut lines = answer.text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    fn holds(&self) -> bool {
        self.metric("tokenry_job_lease_held{job=\"purge\"}") == 1
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}");
        thread::sleep(LOOK_AGAIN);
    }
}

fn delete(client: &Client, admin: &Value, app: &App) {
    let path = format!("/api/v2/oauth/clients/{}.json", app.id);
    client.send(("DELETE", &path), &[("authorization", &basic(admin))], "").unwrap().expect(204);
}

#[test]
fn one_node_purges_and_when_it_is_killed_another_does_within_the_life_of_the_lease() {
    /// A holder that stalls for less than two thirds of it still has the job.
    const LIFETIME: Duration = Duration::from_secs(6);
    let mut cluster = Cluster::start(LIFETIME);
    for _ in 1..NODES {
        let holder = cluster.holder();
        for (at, purged) in cluster.purge_something().into_iter().enumerate() {
            assert_eq!(purged > 0, at == holder, "node {at} has purged {purged} rows");
        }
        let mut killed = cluster.nodes.remove(holder);
        killed.node.process.kill();
        let began = Instant::now();
        cluster.holder();
        let after = began.elapsed();
        println!("killed, taken over after {after:?} of {LIFETIME:?}");
        assert!(after < LIFETIME + LOOKED_AT + SLACK, "{after:?}");
    }
    assert!(cluster.purge_something()[0] > TOKENS);
}

#[test]
fn a_node_that_stops_in_order_hands_the_job_over_at_once() {
    const LIFETIME: Duration = Duration::from_secs(60);
    let mut cluster = Cluster::start(LIFETIME);
    let holder = cluster.holder();
    let stopped = cluster.nodes.remove(holder);
    stopped.node.stop();
    let began = Instant::now();
    cluster.holder();
    let after = began.elapsed();
    println!("stopped in order, taken over after {after:?} of {LIFETIME:?}");
    assert!(after < LOOKED_AT + SLACK, "{after:?}");
    assert!(cluster.purge_something().iter().sum::<u64>() > TOKENS);
}

/// It wakes up with the job still its own, as far as it knows.
#[test]
fn a_node_that_was_stopped_for_too_long_leaves_the_job_to_another() {
    /// A holder that stalls for less than two thirds of it still has the job.
    const LIFETIME: Duration = Duration::from_secs(10);
    let mut cluster = Cluster::start(LIFETIME);
    let holder = cluster.holder();
    let stopped = cluster.nodes.remove(holder);
    stopped.node.process.signal("-STOP");
    cluster.holder();
    stopped.node.process.signal("-CONT");
    // Its metrics tell of it a moment earlier.
    let said = "cannot be sure that the job is its own";
    eventually("it leaves the job", || stopped.node.process.log().contains(said).then_some(()));
    cluster.nodes.push(stopped);
    assert_ne!(cluster.holder(), NODES - 1);
    assert_eq!(cluster.purge_something()[NODES - 1], 0);
}

#[test]
fn every_node_measures_how_late_it_hears_of_what_another_has_changed() {
    let cluster = Cluster::start(PATIENCE);
    let client = &cluster.nodes[0].client;
    let app = client.register(&cluster.database.admin);
    delete(client, &cluster.database.admin, &app);
    for node in &cluster.nodes {
        let heard = || (node.metric("tokenry_change_delay_seconds_count") > 0).then_some(());
        eventually("it has heard of the end of a client", heard);
    }
}
