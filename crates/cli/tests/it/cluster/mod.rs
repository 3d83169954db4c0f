//! Several nodes on one database: three processes that know nothing of each other.
//!
//! | what is tested | in |
//! |---|---|
//! | any node serves any request, and all need one key | `nodes` |
//! | of a credential at several nodes at once one pair comes, in thousands of races | `races` |
//! | what happens at one node is soon known to all: the delay, as a distribution | `delay` |
//! | nodes that were stopped or cut off, and a database that is away | `cut_off` |
//! | a database that is slow, hangs, or takes few connections | `slow_database` |
//! | `SIGKILL` of nodes and restarts of the database, with the oracle of `durability` | `chaos` |
//! | a standby that takes the place of the database | `failover` |
//! | recorded concurrent histories have an order that explains them | `histories` |
//!
//! In front of the nodes stands a proxy, nginx (`proxy`), and between a node and the database a
//! relay that holds back what passes, where a test asks for one (`relay`).
//!
//! Numbers of rounds are multiplied by `CRASH_ROUNDS_TIMES`, as in `durability`.

mod chaos;
mod cut_off;
mod delay;
mod distribution;
mod failover;
mod histories;
mod linearizability;
mod nodes;
mod proxy;
mod races;
mod relay;
mod slow_database;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    browser::Browser,
    client::{App, Client, Tokens},
    process::{Process, TOKENRY},
    shared_database::SharedDatabase,
};

pub(crate) const NODES: usize = 3;
/// Every node and every proxy has an address of its own, and so all have one port.
const PORT: u16 = 4_000;
/// The promise is a second; an answer takes a while of its own on a busy machine.
const HEARD_IN_MAX: Duration = Duration::from_secs(2);
/// Longer than a node vouches for what it has.
const CUT_OFF: Duration = Duration::from_millis(1_500);
/// For nodes to go on once their database is back.
const BACK_IN: Duration = Duration::from_secs(20);

pub(crate) struct Cluster {
    pub(crate) database: SharedDatabase,
    pub(crate) nodes: Vec<Process>,
    places: Vec<Place>,
}

/// Where a node is, and what it is told.
struct Place {
    folder: TempDir,
    address: String,
    settings: Vec<(String, String)>,
}

impl Place {
    fn serve(&self) -> Process {
        let settings: Vec<_> =
            self.settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        Process::start_at(&self.address, self.folder.path(), &settings)
    }
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::on(tokenry_postgres_testing::schema())
    }

    /// On the database with this address.
    pub(crate) fn on(store: String) -> Self {
        Self::with(store, &[])
    }

    /// The same with settings that all nodes share.
    pub(crate) fn with(store: String, settings: &[(&str, &str)]) -> Self {
        let ways = vec![store.clone(); NODES];
        Self::by_ways(store, &ways, settings)
    }

    /// The same, each node with an address of its own for the database.
    fn by_ways(store: String, ways: &[String], settings: &[(&str, &str)]) -> Self {
        let database = SharedDatabase::made_at(store, TOKENRY);
        let key = database.key_file();
        let place = |way: &String| {
            let folder = tempfile::tempdir().unwrap();
            let own = [("TOKENRY_STORE", way.as_str()), ("TOKENRY_KEY_FILE", &key)];
            let settings = own.iter().chain(settings);
            let settings = settings.map(|(name, value)| ((*name).into(), (*value).into()));
            Place { folder, address: address(), settings: settings.collect() }
        };
        let places: Vec<_> = ways.iter().map(place).collect();
        let nodes = places.iter().map(Place::serve).collect();
        Self { database, nodes, places }
    }

    /// Where a node's data and its log are.
    fn folder(&self, node: usize) -> &Path {
        self.places[node].folder.path()
    }

    /// The base address of every node.
    pub(crate) fn bases(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.base.clone()).collect()
    }

    pub(crate) fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(|node| Client::new(&node.base)).collect()
    }

    /// A client, somebody who consents to it, and a caller of each node.
    pub(crate) fn cast(&self) -> (App, Browser, Vec<Client>) {
        let clients = self.clients();
        let app = clients[0].register(&self.database.admin);
        let browser = Browser::signed_in(&clients[0], &self.database.admin);
        (app, browser, clients)
    }

    /// `SIGKILL` to a node.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Starts one that has ended again, where it was.
    pub(crate) fn start_again(&mut self, node: usize) {
        self.nodes[node] = self.places[node].serve();
    }
}

/// An address that nothing else on this machine uses, not even for a moment: the port of a node
/// that was killed is still its own when it starts again.
pub(crate) fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const PROCESSES: u32 = 1 << 16;
    if !cfg!(target_os = "linux") {
        // There, 127.0.0.1 is all there is of the loopback network, and a free port must do.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        return listener.local_addr().unwrap().to_string();
    }
    let host = ((std::process::id() % PROCESSES) << 8) + NEXT.fetch_add(1, Ordering::Relaxed);
    let network = Ipv4Addr::new(127, 0, 0, 0).to_bits();
    format!("{}:{PORT}", Ipv4Addr::from_bits(network | host))
}

/// The same call to everybody at the same time.
pub(crate) fn at_once<T: Send>(clients: &[Client], call: impl Fn(&Client) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let calls: Vec<_> = clients.iter().map(|client| scope.spawn(|| call(client))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

pub(crate) fn is_alive(client: &Client, tokens: &Tokens) -> bool {
    client.is_alive(&tokens.access).unwrap()
}

/// Asks until an ended token is refused: how long that took.
#[track_caller]
fn is_dead_in(client: &Client, access: &str, within: Duration) -> Duration {
    let ended = Instant::now();
    loop {
        // Before the call: how long an answer takes on its way says nothing of what a node knows.
        let asked = ended.elapsed();
        if !client.is_alive(access).unwrap() {
            return ended.elapsed();
        }
        assert!(asked < within, "a node does not hear of an end within {within:?}");
    }
}
