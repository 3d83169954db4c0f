//! The same credential at every node, and at the proxy, at the same time: thousands of times.
//!
//! * **Of a code one pair comes.** Exactly one of the calls is given tokens, and every other one is
//!   refused. A copy that finds the code spent ends what it gave (RFC 6749 §4.1.2); one that met
//!   the first in the middle of its write does not. So the pair lives or is dead, the same at every
//!   node, and one more copy of the code leaves it dead at all.
//! * **Of a refresh token one pair comes**, too, but to everybody: whoever repeats a call within
//!   the retry window is given the same pair again. It lives, and the one before is dead.

use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use super::{HEARD_IN_MAX, at_once, distribution::Distribution, is_dead_in, proxy::Proxy};
use crate::{
    browser::Browser,
    client::{Answer, App, Client, Tokens},
    durability::rounds,
};

/// Of each kind, with `CRASH_ROUNDS_TIMES` as 1.
const RACES: u64 = 5_000;
/// Races that are under way at the same time, each with its own connections.
const LANES: u64 = 4;
/// A refresh token is the next race's when it was given by the last; a grant lasts so many.
const RACES_PER_GRANT: u64 = 500;
const SAID_EVERY: Duration = Duration::from_secs(20);

/// What one lane runs with.
struct Lane {
    app: App,
    browser: Browser,
    /// A caller of each node, and the last one of the proxy.
    callers: Vec<Client>,
}

/// Runs as many races in several lanes; what each of them came to, with how long it took.
fn race<T: Send>(what: &str, run: impl Fn(&mut Lane, u64) -> Vec<T> + Sync) -> Vec<T> {
    let (proxy, cluster) = Proxy::and_cluster(tokenry_postgres_testing::schema());
    let (app, browser, _) = cluster.cast();
    let per_lane = rounds(RACES) / LANES;
    let lane = || {
        let mut callers = cluster.clients();
        callers.push(Client::new(proxy.base()));
        let mut lane = Lane { app: app.clone(), browser: browser.clone(), callers };
        run(&mut lane, per_lane)
    };
    let began = Instant::now();
    let outcomes: Vec<T> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert_eq!(outcomes.len() as u64, per_lane * LANES);
    println!("{} races for {what} in {:.1?}", outcomes.len(), began.elapsed());
    outcomes
}

/// What came of a race for a code.
struct Redeemed {
    /// The place of who was given tokens.
    by: usize,
    /// Whether another caller's copy has ended them.
    is_ended: bool,
    /// How long they were vouched for after one more copy.
    lived: Duration,
}

fn is_refused(answer: Answer) {
    assert_eq!(answer.expect(400).json()["error"], "invalid_grant");
}

impl Lane {
    fn code(&mut self, round: u64) -> String {
        let place = usize::try_from(round).unwrap() % self.callers.len();
        self.browser.consent(&self.callers[place], &self.app).unwrap().unwrap()
    }

    /// Everybody redeems one code.
    fn redeem(&mut self, round: u64) -> Redeemed {
        let code = self.code(round);
        let answers = at_once(&self.callers, |caller| caller.redeem(&self.app, &code).unwrap());
        let mut given = Vec::new();
        for (by, answer) in answers.into_iter().enumerate() {
            match answer.status {
                200 => given.push((by, answer.tokens())),
                _ => is_refused(answer),
            }
        }
        assert_eq!(given.len(), 1, "a code was redeemed by {} of all callers", given.len());
        let (by, tokens) = given.remove(0);
        let is_ended = self.caller(round).is_alive(&tokens.access) == Some(false);
        is_refused(self.caller(round + 1).redeem(&self.app, &code).unwrap());
        let lived = self.is_dead(&tokens, round);
        let refresh = tokens.refresh.unwrap();
        is_refused(self.caller(round + 2).refresh(&self.app, &refresh).unwrap());
        Redeemed { by, is_ended, lived }
    }

    /// Everybody refreshes with one token; the one pair that all were given, and how long the
    /// access token before it lived on.
    fn refresh(&self, held: &Tokens, round: u64) -> (Tokens, Duration) {
        let refresh = held.refresh.as_deref().unwrap();
        let answers =
            at_once(&self.callers, |caller| caller.refresh(&self.app, refresh).unwrap().tokens());
        let pair = &answers[0];
        assert!(answers.iter().all(|tokens| tokens == pair), "two pairs for one refresh token");
        assert_ne!(pair, held);
        assert_eq!(self.caller(round + 1).is_alive(&pair.access), Some(true));
        (pair.clone(), self.is_dead(held, round))
    }

    fn is_dead(&self, tokens: &Tokens, round: u64) -> Duration {
        is_dead_in(self.caller(round), &tokens.access, HEARD_IN_MAX)
    }

    fn caller(&self, round: u64) -> &Client {
        &self.callers[usize::try_from(round).unwrap() % self.callers.len()]
    }
}

/// Tells of progress now and then.
struct Progress(Mutex<(Instant, u64)>);

impl Progress {
    fn new() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }

    fn add_one(&self) {
        let (said_at, count) = &mut *self.0.lock().unwrap();
        *count += 1;
        if said_at.elapsed() > SAID_EVERY {
            println!("  {count} of {} races", rounds(RACES));
            *said_at = Instant::now();
        }
    }
}

#[test]
fn of_a_code_at_three_nodes_and_the_proxy_at_once_one_pair_comes_and_a_replay_ends_it() {
    let progress = Progress::new();
    let outcomes = race("codes", |lane, races| {
        let redeem = |round| {
            progress.add_one();
            lane.redeem(round)
        };
        (0..races).map(redeem).collect()
    });
    let mut winners = [0_usize; super::NODES + 1];
    for redeemed in &outcomes {
        winners[redeemed.by] += 1;
    }
    let ended = outcomes.iter().filter(|redeemed| redeemed.is_ended).count();
    println!(
        "redeemed at each node and at the proxy: {winners:?}; {ended} ended by another caller's \
         copy, the others met the first in its write"
    );
    let lived = outcomes.into_iter().map(|redeemed| redeemed.lived).collect();
    println!("{}", Distribution::of("what a replayed code had given was dead after", lived));
}

#[test]
fn of_a_refresh_token_at_three_nodes_and_the_proxy_at_once_one_pair_comes_and_lives() {
    let progress = Progress::new();
    let lived = race("refresh tokens", |lane, races| {
        let mut held = None;
        let refresh = |round| {
            if round % RACES_PER_GRANT == 0 {
                let code = lane.code(round);
                held = Some(lane.caller(round).redeem(&lane.app, &code).unwrap().tokens());
            }
            let (pair, lived) = lane.refresh(held.as_ref().unwrap(), round);
            held = Some(pair);
            progress.add_one();
            lived
        };
        (0..races).map(refresh).collect()
    });
    println!("{}", Distribution::of("the access token before was dead after", lived));
}
