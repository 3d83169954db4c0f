//! A database that answers slowly, hangs, or takes few connections: nothing grows without a bound.

use std::time::{Duration, Instant};

use super::{
    BACK_IN, Cluster, at_once,
    distribution::Distribution,
    relay::{Relay, Way},
};
use crate::client::{App, Client};

const CALLERS: usize = 64;
const CALLS_EACH: usize = 8;
const SLOW: Duration = Duration::from_millis(300);
/// Between a full load on a database that hangs and none; the rest is the allocator's.
const GROWTH_MAX: u64 = 64 << 20;
/// For what hangs to be answered with 503: `postgres.call_timeout`, and what a busy machine adds.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);
const ANSWERED_IN_MAX: Duration = Duration::from_secs(10);

struct Stage {
    relay: Relay,
    cluster: Cluster,
    app: App,
    callers: Vec<Client>,
}

impl Stage {
    /// One node with four connections, by way of a relay.
    fn new(settings: &[(&str, &str)]) -> Self {
        let database = tokenry_postgres_testing::shared();
        let store = database.schema();
        let relay = Relay::to(database.port());
        let way = relay.url(database, &store);
        let few = [("TOKENRY_POSTGRES_CONNECTIONS", "4")];
        let settings: Vec<_> = few.iter().chain(settings).copied().collect();
        let cluster = Cluster::by_ways(store, &[way], &settings);
        let app = cluster.clients()[0].register(&cluster.database.admin);
        let callers = (0..CALLERS).map(|_| Client::new(&cluster.nodes[0].base)).collect();
        Self { relay, cluster, app, callers }
    }

    /// Every caller issues a token and looks at it.
    fn all_are_served(&self) -> Vec<Duration> {
        at_once(&self.callers, |caller| self.serves(caller))
    }

    /// The same, one after the other: no queue is too short for that.
    fn each_is_served(&self) {
        for caller in &self.callers {
            self.serves(caller);
        }
    }

    fn serves(&self, caller: &Client) -> Duration {
        let began = Instant::now();
        let tokens = caller.issue(&self.app).unwrap().tokens();
        assert_eq!(caller.is_alive(&tokens.access), Some(true));
        began.elapsed()
    }
}

#[test]
fn sixty_four_callers_on_four_connections_are_all_served_also_when_every_answer_is_late() {
    let stage = Stage::new(&[]);
    let what = "64 callers on 4 connections, a token issued and checked in";
    println!("{}", Distribution::of(what, stage.all_are_served()));
    stage.relay.set(Way::Slow(SLOW));
    let what = "the same with every answer of the database 300 ms late, in";
    println!("{}", Distribution::of(what, stage.all_are_served()));
}

/// Calls that wait have a bound in number and in time, so memory has one as well.
#[test]
fn a_database_that_hangs_is_answered_with_503_while_memory_stays_level_and_then_each_is_served() {
    let stage = Stage::new(&[
        ("TOKENRY_POSTGRES_QUEUE_MAX", "16"),
        ("TOKENRY_POSTGRES_CALL_TIMEOUT", "1s"),
    ]);
    let node = &stage.cluster.nodes[0];
    stage.each_is_served();
    let known = stage.callers[0].issue(&stage.app).unwrap().tokens();
    let before = node.resident();
    stage.relay.set(Way::Stalled);
    let hung = Instant::now();
    let answered = at_once(&stage.callers, |caller| {
        let call = |_| {
            let began = Instant::now();
            let issued = caller.issue(&stage.app).unwrap().expect(503);
            assert!(issued.retry_after.is_some(), "503 without Retry-After: {}", issued.text);
            let took = began.elapsed();
            let current = caller.current(&known.access).unwrap();
            assert!(matches!(current.status, 200 | 503), "{}", current.text);
            assert!(current.status == 200 || current.retry_after.is_some(), "{}", current.text);
            took
        };
        (0..CALLS_EACH).map(call).collect::<Vec<_>>()
    });
    let (hung, loaded) = (hung.elapsed(), node.resident());
    let answered = Distribution::of("while the database hangs, 503 in", answered.concat());
    println!("{answered}");
    assert!(answered.at(100) < ANSWERED_IN_MAX);
    // Whoever finds the queue full is told at once, and does not wait as those in it do.
    assert!(answered.at(50) < CALL_TIMEOUT, "nobody is refused before the time is over");
    let mib = |bytes: u64| bytes >> 20;
    println!("memory: {} MiB before, {} MiB after {hung:.1?} of it", mib(before), mib(loaded));
    assert!(loaded < before + GROWTH_MAX, "memory grows while nothing is served");
    stage.relay.set(Way::Open);
    let open = Instant::now();
    while stage.callers[0].issue(&stage.app).unwrap().status != 200 {
        assert!(open.elapsed() < BACK_IN, "the node does not go on");
    }
    println!("served again after {:.1?}", open.elapsed());
    stage.each_is_served();
}
