//! Nodes that were stopped, nodes that hear nothing of the others, and a database that is away.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::{
    BACK_IN, CUT_OFF, Cluster, NODES, at_once,
    distribution::Distribution,
    is_alive,
    relay::{Relay, Way},
};
use crate::client::{App, Client, Tokens};

/// For how long a node is stopped.
const STOPPED: Duration = Duration::from_secs(5);
/// How many tokens it had in memory, all revoked meanwhile.
const TOKENS: usize = 20;
/// `cluster.staleness_max`
const STALENESS_MAX: Duration = Duration::from_secs(1);
/// How long a node that hears nothing is watched: until well after it has to be silent.
const WATCHED: Duration = Duration::from_secs(4);

/// A call that is on its way to a node, whether or not the node runs.
struct Asked(TcpStream);

impl Asked {
    fn current(base: &str, tokens: &Tokens) -> Self {
        let address = base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "GET /api/v2/oauth/tokens/current.json HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {}\r\nconnection: close\r\n\r\n",
            tokens.access
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self(stream)
    }

    fn status(mut self) -> u16 {
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// What it had in memory was right when it was stopped, and its first answers are to calls that
/// came before any news.
#[test]
fn a_node_that_was_stopped_for_five_seconds_serves_nothing_from_before_when_it_goes_on() {
    let cluster = Cluster::start();
    let clients = cluster.clients();
    let (app, grants) = clients[0].prepare(&cluster.database.admin, TOKENS + 1);
    let (live, revoked) = grants.split_first().unwrap();
    assert!(grants.iter().all(|tokens| is_alive(&clients[1], tokens)));
    let node = &cluster.nodes[1];
    node.signal("-STOP");
    for tokens in revoked {
        clients[0].revoke(&app, &tokens.access).unwrap().expect(200);
    }
    thread::sleep(STOPPED);
    let asked: Vec<_> = grants.iter().map(|tokens| Asked::current(&node.base, tokens)).collect();
    node.signal("-CONT");
    let goes_on = Instant::now();
    let answered = thread::scope(|scope| {
        let answers = asked.into_iter().map(|asked| {
            scope.spawn(move || {
                let status = asked.status();
                (status, goes_on.elapsed())
            })
        });
        let answers: Vec<_> = answers.collect();
        answers.into_iter().map(|answer| answer.join().unwrap()).collect::<Vec<_>>()
    });
    let (statuses, times): (Vec<_>, Vec<_>) = answered.into_iter().unzip();
    assert_eq!(statuses[0], 200, "a token that was never ended");
    assert!(statuses[1..].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(is_alive(&clients[1], live));
    let what = format!("stopped for {STOPPED:?}, first answers, all of them right, after");
    println!("{}", Distribution::of(&what, times));
}

/// Changes are asked for and not announced, so no announcement can be lost; what can be is the
/// way to the database, for one node alone.
fn a_node_hears_nothing(way: Way) {
    let database = tokenry_postgres_testing::shared();
    let store = database.schema();
    let relay = Relay::to(database.port());
    let mut ways = vec![store.clone(); NODES];
    ways[1] = relay.url(database, &store);
    let cluster = Cluster::by_ways(store, &ways, &[("TOKENRY_POSTGRES_CALL_TIMEOUT", "1s")]);
    let clients = cluster.clients();
    let (app, grants) = clients[0].prepare(&cluster.database.admin, 2);
    let [live, revoked] = grants.try_into().unwrap();
    assert!(is_alive(&clients[1], &live) && is_alive(&clients[1], &revoked));
    relay.set(way);
    clients[0].revoke(&app, &revoked.access).unwrap().expect(200);
    let ended = Instant::now();
    let (vouched, _) = thread::scope(|scope| {
        let watch = |tokens, may| {
            let base = &cluster.nodes[1].base;
            scope.spawn(move || watch(&Client::new(base), tokens, ended, may))
        };
        let (revoked, live) = (watch(&revoked, &[200, 401, 503]), watch(&live, &[200, 503]));
        (revoked.join().unwrap(), live.join().unwrap())
    });
    // The look that it relied on began before the end, and is no older than the bound.
    let last = vouched.unwrap_or_default();
    assert!(last < STALENESS_MAX, "a revoked token was vouched for, asked {last:?} after its end");
    println!("{way:?}: the last call for which it was vouched came {last:?} after its end");
    relay.set(Way::Open);
    let open = Instant::now();
    loop {
        let statuses = [&live, &revoked].map(|tokens| status(&clients[1], tokens));
        assert_ne!(statuses[1], 200, "a revoked token came back");
        assert_ne!(statuses[0], 401, "a live token was refused");
        if statuses == [200, 401] {
            break;
        }
        assert!(open.elapsed() < BACK_IN, "the node does not go on");
    }
    println!("{way:?}: right again {:?} after the way was free", open.elapsed());
}

/// Asks until it is clear that a node says nothing from memory any more: when the last call came
/// that was answered with 200, after `ended`.
fn watch(client: &Client, tokens: &Tokens, ended: Instant, may: &[u16]) -> Option<Duration> {
    let mut vouched = None;
    let mut put_off = 0;
    loop {
        let asked = ended.elapsed();
        if asked > WATCHED {
            break;
        }
        let status = status(client, tokens);
        assert!(may.contains(&status), "{status} after {asked:?}");
        if status == 200 {
            vouched = Some(asked);
        }
        put_off += usize::from(status == 503);
    }
    assert!(put_off > 0, "the node never said that the database is away");
    vouched
}

fn status(client: &Client, tokens: &Tokens) -> u16 {
    let answer = client.current(&tokens.access).unwrap();
    assert!(answer.status != 503 || answer.retry_after.is_some(), "{}", answer.text);
    answer.status
}

#[test]
fn a_node_whose_way_to_the_database_hangs_stops_vouching_within_the_bound_and_catches_up() {
    a_node_hears_nothing(Way::Stalled);
}

#[test]
fn a_node_whose_way_to_the_database_is_cut_stops_vouching_within_the_bound_and_catches_up() {
    a_node_hears_nothing(Way::Cut);
}

/// What a node answers to a token that was never ended, and to a request for another one.
fn statuses(client: &Client, app: &App, tokens: &Tokens) -> (u16, u16) {
    let issued = client.issue(app).unwrap();
    assert!(issued.status == 200 || issued.retry_after.is_some(), "{}", issued.text);
    (status(client, tokens), issued.status)
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
