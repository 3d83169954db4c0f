//! Nodes that share one store, each with a job that tells when it begins and ends.

use tokenry_store::sqlite::SqliteStore;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use super::*;

/// Longer than a test.
const LONG: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_millis(600);
/// For what has to come, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Began,
    Ended,
}

/// A node, and what its job tells.
struct Node {
    leases: Leases,
    told: mpsc::UnboundedReceiver<Told>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

struct Seed(u8);

impl Entropy for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn store() -> Arc<dyn Store> {
    Arc::new(SqliteStore::in_memory().unwrap())
}

impl Node {
    fn start(store: &Arc<dyn Store>, number: u8, lifetime: Duration) -> Self {
        let leases = Leases::new(Arc::clone(store), &Seed(number), lifetime);
        let (teller, told) = mpsc::unbounded_channel();
        let (stop, signal) = StopSignal::new();
        let work = move |mut leave: Leave| {
            let teller = teller.clone();
            async move {
                teller.send(Told::Began).unwrap();
                while leave.sleep(LONG).await {}
                teller.send(Told::Ended).unwrap();
            }
        };
        let running = tokio::spawn(leases.clone().while_held(Job::Purge, signal, work));
        Self { leases, told, stop, running }
    }

    async fn tells(&mut self, expected: Told) {
        let told = timeout(PATIENCE, self.told.recv()).await.expect("it tells something");
        assert_eq!(told, Some(expected));
    }

    fn is_silent(&mut self) -> bool {
        self.told.is_empty()
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        timeout(PATIENCE, self.running).await.expect("it stops").unwrap();
    }

    async fn take(&self) -> Option<Held> {
        self.leases.take(Job::Purge).await.unwrap()
    }
}

#[tokio::test]
async fn one_node_does_the_job_and_the_next_when_it_has_stopped() {
    let store = store();
    let mut first = Node::start(&store, 1, LONG);
    first.tells(Told::Began).await;
    let mut waiting = Node::start(&store, 2, LONG);
    assert!(waiting.take().await.is_none());
    assert!(waiting.is_silent());
    waiting.stop().await;
    first.stop().await;
    let mut next = Node::start(&store, 3, LONG);
    next.tells(Told::Began).await;
    next.stop().await;
}

#[tokio::test]
async fn a_node_that_waits_takes_over_when_the_holder_stops_or_dies() {
    let store = store();
    let mut first = Node::start(&store, 1, SHORT);
    first.tells(Told::Began).await;
    let mut second = Node::start(&store, 2, SHORT);
    first.stop().await;
    second.tells(Told::Began).await;
    let mut third = Node::start(&store, 3, SHORT);
    // Nothing is given back, and nothing prolonged.
    second.running.abort();
    third.tells(Told::Began).await;
    third.stop().await;
}

/// Several times over: its job is never told to end.
#[tokio::test]
async fn a_holder_keeps_the_job_beyond_the_life_of_one_lease() {
    const TRIES: usize = 30;
    for _ in 0..TRIES {
        if let Some(kept) = keeps_the_job(3 * SHORT).await {
            assert!(kept);
            return;
        }
    }
    panic!("this machine stands still too often to tell");
}

/// Whether a holder keeps the job that long; `None` if nothing here ran for so long that its lease
/// may have lapsed meanwhile.
async fn keeps_the_job(time: Duration) -> Option<bool> {
    let store = store();
    let mut node = Node::start(&store, 1, SHORT);
    node.tells(Told::Began).await;
    let rival = Leases::new(Arc::clone(&store), &Seed(2), LONG);
    let began = Instant::now();
    let mut looked = began;
    while began.elapsed() < time {
        let taken = rival.take(Job::Purge).await.unwrap();
        let stood_still = looked.elapsed() > SHORT / 4;
        if stood_still || taken.is_some() {
            return (!stood_still).then_some(false);
        }
        looked = Instant::now();
        tokio::time::sleep(SHORT / 20).await;
    }
    let kept = node.is_silent();
    node.stop().await;
    Some(kept)
}

#[tokio::test]
async fn a_job_ends_when_another_node_has_taken_it() {
    let store = store();
    let mut node = Node::start(&store, 1, SHORT);
    node.tells(Told::Began).await;
    // Behind its back, as if its clock had stood still.
    let Held { lease, .. } = node.take().await.unwrap();
    store.return_job(lease).await.unwrap();
    let rival = Leases::new(Arc::clone(&store), &Seed(2), LONG);
    let taken = rival.take(Job::Purge).await.unwrap().unwrap();
    node.tells(Told::Ended).await;
    // And begins anew when that one has finished.
    rival.give_back(taken.lease).await;
    node.tells(Told::Began).await;
    node.stop().await;
}

#[tokio::test]
async fn leave_is_counted_from_before_the_lease_was_asked_for() {
    let leases = Leases::new(store(), &Seed(1), LONG);
    let asked = Instant::now();
    let Held { until, .. } = leases.take(Job::Purge).await.unwrap().unwrap();
    assert!(until >= asked + LONG && until <= Instant::now() + LONG);
}

#[tokio::test]
async fn leave_ends_at_its_time_even_if_nobody_says_so() {
    let (over, stop) = StopSignal::new();
    let until = Instant::now() + LONG;
    let (prolonged, watched) = watch::channel(until);
    let leave = Leave { stop, until: watched };
    let nearly = until.checked_sub(Duration::from_millis(1)).unwrap();
    assert!(leave.holds_at(nearly));
    assert!(!leave.holds_at(until));
    prolonged.send(until + LONG).unwrap();
    assert!(leave.holds_at(until));
    over.send(true).unwrap();
    assert!(!leave.holds_at(nearly));
}

#[tokio::test]
async fn every_start_of_a_process_is_another_holder() {
    let holders: Vec<_> = (0..2)
        .map(|_| Leases::new(store(), &crate::environment::SystemEntropy::default(), LONG).holder)
        .collect();
    assert_ne!(holders[0], holders[1]);
    assert!(holders.iter().all(|holder| i64::try_from(holder.0).is_ok()));
}
