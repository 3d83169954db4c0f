//! An upgrade without downtime: nodes of the schema before and nodes of today's on one PostgreSQL,
//! one replaced after the other, and no call that fails.
//!
//! `cargo xtask test --only rolling-upgrade` builds the binary of the schema before and names it
//! ([`PREVIOUS`]).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokenry_postgres_testing::shared;

use crate::{
    browser::Browser,
    client::{Answer, App, Client, Tokens},
    process::{TOKENRY, program},
    shared_database::{Node, SharedDatabase},
};

/// The variable that names the binary of the schema before today's.
const PREVIOUS: &str = "TOKENRY_TEST_PREVIOUS_BINARY";
const WORKERS: usize = 4;
/// Rounds of calls that are made at each stage at least.
const ROUNDS: usize = 100;
/// Rounds of one worker from one sign-in to the next.
const ROUNDS_SIGNED_IN: usize = 8;
/// The promise is a second; an answer takes a while of its own on a busy machine.
const HEARD_IN_MAX: Duration = Duration::from_secs(2);
/// For a stage, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a node's binary is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Previous,
    Today,
}

/// Nodes behind a proxy that spreads calls over them, and knows which of them are there.
#[derive(Default)]
struct Proxy {
    /// A call holds the lock to its end, so a node that was taken out has none left.
    nodes: RwLock<Vec<(Version, Client)>>,
    calls: AtomicUsize,
    rounds: AtomicUsize,
    is_over: AtomicBool,
    /// By which version one step of a grant was done, and by which the next.
    handed_over: RwLock<BTreeMap<(Version, Version), usize>>,
}

impl Proxy {
    /// The next node's answer.
    fn call<T>(&self, call: impl FnOnce(&Client) -> T) -> (Version, T) {
        let nodes = self.nodes.read().unwrap();
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        // Neither each worker's own nor one after the other, so that any follows any.
        let (version, client) = &nodes[(number * 7 / 3) % nodes.len()];
        (*version, call(client))
    }

    /// Every node's answer.
    fn everywhere<T>(&self, call: impl Fn(&Client) -> T) -> Vec<T> {
        self.nodes.read().unwrap().iter().map(|(_, client)| call(client)).collect()
    }

    fn add(&self, version: Version, node: &Node) {
        let client = Client::new(&node.process.base);
        self.nodes.write().unwrap().push((version, client));
    }

    /// Takes out the node that came first; a call to it is no longer under way.
    fn take_out(&self) {
        self.nodes.write().unwrap().remove(0);
    }

    fn note(&self, steps: &[Version]) {
        let mut handed_over = self.handed_over.write().unwrap();
        for pair in steps.windows(2) {
            *handed_over.entry((pair[0], pair[1])).or_default() += 1;
        }
    }

    /// Waits until there was enough of everything at this stage.
    fn wait_for_rounds(&self, stage: &str) {
        let (before, began) = (self.rounds.load(Ordering::Relaxed), Instant::now());
        while self.rounds.load(Ordering::Relaxed) < before + ROUNDS {
            assert!(!self.is_over.load(Ordering::Relaxed), "{stage}: a call failed");
            assert!(began.elapsed() < PATIENCE, "{stage}: the calls do not get on");
            thread::sleep(Duration::from_millis(20));
        }
        let rounds = self.rounds.load(Ordering::Relaxed) - before;
        println!("{stage}: {rounds} rounds in {:?}", began.elapsed());
    }
}

/// What has not ended well ends everything.
struct EndsAll<'a>(&'a Proxy);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// A client and a user, whose calls go through the proxy.
struct Worker<'a> {
    proxy: &'a Proxy,
    app: &'a App,
    admin: &'a serde_json::Value,
}

impl Worker<'_> {
    fn run(&self) {
        let _ends = EndsAll(self.proxy);
        loop {
            let (_, mut browser) = self.proxy.call(|client| Browser::signed_in(client, self.admin));
            for _ in 0..ROUNDS_SIGNED_IN {
                if self.proxy.is_over.load(Ordering::Relaxed) {
                    return;
                }
                self.proxy.note(&self.verified(&mut browser));
                self.proxy.note(&self.refreshed(&mut browser));
                self.proxy.note(&self.client_credentials());
                self.proxy.rounds.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn is_alive(&self, tokens: &Tokens) -> (Version, bool) {
        let (version, answer) = self.proxy.call(|client| client.current(&tokens.access));
        let status = answer.as_ref().map(|answer| answer.status);
        assert!(matches!(status, Some(200 | 401)), "{version:?}: {answer:?}");
        (version, status == Some(200))
    }

    /// An answer that says yes.
    fn answer(&self, call: impl FnOnce(&Client) -> Option<Answer>) -> (Version, Answer) {
        let (version, answer) = self.proxy.call(call);
        let answer = answer.unwrap_or_else(|| panic!("{version:?}: no answer"));
        assert_eq!(answer.status, 200, "{version:?}: {}", answer.text);
        (version, answer)
    }

    /// Dead at once where it ended, and soon at every other node.
    fn is_heard_everywhere(&self, tokens: &Tokens) {
        let ended = Instant::now();
        let is_alive = |client: &Client| client.is_alive(&tokens.access).unwrap();
        while self.proxy.everywhere(is_alive).contains(&true) {
            assert!(ended.elapsed() < HEARD_IN_MAX, "a node did not hear of it");
        }
    }

    /// The tokens of a consent, and by which nodes it came to that.
    fn consent(&self, browser: &mut Browser) -> (Vec<Version>, Tokens) {
        let app = self.app;
        let (consented, code) = self.proxy.call(|client| browser.consent(client, app));
        let code = code.unwrap().unwrap_or_else(|answer| panic!("{consented:?}: {answer:?}"));
        let (redeemed, answer) = self.answer(|client| client.redeem(app, &code));
        (vec![consented, redeemed], answer.tokens())
    }

    fn is_served_everywhere(&self, tokens: &Tokens) -> Version {
        let (version, is_alive) = self.is_alive(tokens);
        assert!(is_alive, "refused by {version:?}");
        let alive = self.proxy.everywhere(|client| client.is_alive(&tokens.access).unwrap());
        assert!(!alive.contains(&false), "refused: {alive:?}");
        version
    }

    fn revoke(&self, tokens: &Tokens) -> Version {
        let (version, _) = self.answer(|client| client.revoke(self.app, &tokens.access));
        self.is_heard_everywhere(tokens);
        version
    }

    /// A grant that every node has in memory when it ends.
    fn verified(&self, browser: &mut Browser) -> Vec<Version> {
        let (mut steps, tokens) = self.consent(browser);
        steps.push(self.is_served_everywhere(&tokens));
        steps.push(self.revoke(&tokens));
        steps
    }

    /// A grant that is refreshed before anybody looks at it: nodes of the version before do not
    /// hear of a rotation by another, and go on with what they have in memory.
    fn refreshed(&self, browser: &mut Browser) -> Vec<Version> {
        let (mut steps, first) = self.consent(browser);
        let refresh = first.refresh.as_deref().unwrap();
        let (refreshed, answer) = self.answer(|client| client.refresh(self.app, refresh));
        let second = answer.tokens();
        steps.extend([refreshed, self.is_served_everywhere(&second)]);
        self.is_heard_everywhere(&first);
        // A lost answer is given again, by whichever node.
        let (repeated, answer) = self.answer(|client| client.refresh(self.app, refresh));
        assert_eq!(answer.tokens(), second, "{refreshed:?}, then {repeated:?}");
        steps.extend([repeated, self.revoke(&second)]);
        steps
    }

    fn client_credentials(&self) -> [Version; 2] {
        let (issued, answer) = self.answer(|client| client.issue(self.app));
        let (verified, is_alive) = self.is_alive(&answer.tokens());
        assert!(is_alive, "issued by {issued:?}, refused by {verified:?}");
        [issued, verified]
    }
}

fn previous_binary() -> String {
    let remedy = "names the binary of the schema before: cargo xtask test --only rolling-upgrade";
    std::env::var(PREVIOUS).unwrap_or_else(|_| panic!("{PREVIOUS} {remedy}"))
}

/// The schema that the database has, as its nodes say.
fn schema(database: &SharedDatabase) -> u32 {
    let name = database.store.rsplit("%3D").next().unwrap();
    shared().query(&format!("SELECT version FROM {name}.tokenry_schema")).parse().unwrap()
}

/// The schema of today's binary.
fn newest() -> u32 {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/migrations/postgres");
    u32::try_from(std::fs::read_dir(migrations).unwrap().count()).unwrap()
}

#[test]
fn nodes_are_replaced_one_after_the_other_through_a_migration_and_no_call_fails() {
    let previous = previous_binary();
    let database = SharedDatabase::made_by(&previous);
    assert_eq!(
        schema(&database),
        newest() - 1,
        "the binary is not that of the schema before: move on PREVIOUS in \
         xtask/src/test/rolling_upgrade.rs"
    );
    let mut old: Vec<_> = (0..2).map(|_| database.start(&previous, &[])).collect();
    let app = Client::new(&old[0].process.base).register(&database.admin);
    let proxy = Arc::new(Proxy::default());
    for node in &old {
        proxy.add(Version::Previous, node);
    }
    let worker = || Worker { proxy: &proxy, app: &app, admin: &database.admin };
    let mut new = Vec::new();
    thread::scope(|scope| {
        let _ends = EndsAll(&proxy);
        for _ in 0..WORKERS {
            scope.spawn(|| worker().run());
        }
        proxy.wait_for_rounds("two nodes of the schema before");
        let mut start = || {
            let began = Instant::now();
            let node = database.start(TOKENRY, &[]);
            println!("a node of today's binary serves after {:?}", began.elapsed());
            proxy.add(Version::Today, &node);
            new.push(node);
        };
        start();
        assert_eq!(schema(&database), newest());
        proxy.wait_for_rounds("a node of today's beside them");
        while !old.is_empty() {
            proxy.take_out();
            old.remove(0).stop();
            start();
            proxy.wait_for_rounds("one more replaced");
        }
    });
    let handed_over = proxy.handed_over.read().unwrap();
    let calls = proxy.calls.load(Ordering::Relaxed);
    println!(
        "{calls} calls through the proxy; steps from one version to the next: {handed_over:?}"
    );
    let versions = [Version::Previous, Version::Today];
    for pair in versions.iter().flat_map(|one| versions.map(|other| (*one, other))) {
        assert!(handed_over.get(&pair).is_some_and(|steps| *steps > 0), "{pair:?}");
    }
    an_old_node_is_refused(&database, &previous);
    new.into_iter().for_each(Node::stop);
}

/// It says so, and leaves everything as it is.
fn an_old_node_is_refused(database: &SharedDatabase, previous: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = program(previous, folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    serve.env("TOKENRY_STORE", &database.store).env("TOKENRY_KEY_FILE", database.key_file());
    let ended = serve.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{told}");
    let (found, known) = (newest(), newest() - 1);
    assert!(told.contains(&format!("the database has schema {found}")), "{told}");
    assert!(told.contains(&known.to_string()) && told.contains("newer version"), "{told}");
    assert_eq!(schema(database), found);
}
