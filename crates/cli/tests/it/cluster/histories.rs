//! Histories of calls that many make at once, at three nodes, each on one grant: recorded, and then
//! put into an order that explains them (`linearizability`).
//!
//! With `consistency = "strict"` the order is that of the calls themselves. Without, a token may be
//! vouched for out of memory that is no older than `cluster.staleness_max`; what is redeemed,
//! refreshed, revoked and refused has its place in time in either mode.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokenry_protocol::secret::Credential;

use super::{
    Cluster,
    chaos::{IMPATIENT, Stage},
    linearizability::{Answer, CALLS_MAX, Call, Event, Pair, is_explained},
};
use crate::{
    browser::Browser,
    client::{self, App, Client, Tokens},
    durability::{
        dice::Dice,
        rounds, seed,
        workers::{Answers, Stop},
    },
};

const GRANTS: usize = 150;
/// Grants that are used at the same time.
const LANES: u64 = 2;
/// Callers of each grant, in turns of the nodes, and what each calls.
const CALLERS: u64 = 6;
const CALLS: u64 = 6;
/// For how long a code is asked for when the database is away.
const PATIENCE: Duration = Duration::from_secs(60);
/// `cluster.staleness_max`
const STALENESS_MAX: Duration = Duration::from_secs(1);
const MISFORTUNES: u64 = 6;
/// A repeat is a repeat for as long as any history.
const RETRY_WINDOW: (&str, &str) = ("TOKENRY_TOKENS_RETRY_WINDOW_CONFIDENTIAL", "30m");

/// One grant, while many use it.
struct Subject {
    code: String,
    began: Instant,
    /// What anybody was given; the number of a pair is its place.
    known: Mutex<Vec<(Pair, Tokens)>>,
    history: Mutex<Vec<Event>>,
}

/// What all grants share.
struct Recorder<'a> {
    app: &'a App,
    bases: Vec<String>,
    answers: &'a Answers,
}

impl Subject {
    fn new(code: String) -> Self {
        let (known, history) = (Mutex::default(), Mutex::default());
        Self { code, began: Instant::now(), known, history }
    }

    /// The pair that these are, which gets a number if nobody had it yet.
    fn pair(&self, tokens: Tokens) -> Pair {
        let mut known = self.known.lock().unwrap();
        if let Some((pair, _)) = known.iter().find(|(_, other)| *other == tokens) {
            return *pair;
        }
        let rotation = |token: &str| Credential::parse(token).unwrap().parts().rotation;
        let pair = Pair { rotation: rotation(&tokens.access), number: known.len() };
        assert_eq!(rotation(tokens.refresh.as_deref().unwrap()), pair.rotation);
        known.push((pair, tokens));
        pair
    }

    /// A call, with what it presents: of what is known mostly the last.
    fn choose(&self, dice: &mut Dice) -> (Call, String) {
        let known = self.known.lock().unwrap();
        let choice = dice.roll(40);
        if known.is_empty() || choice == 0 {
            return (Call::Redeem, self.code.clone());
        }
        let back = if dice.roll(4) == 0 { dice.place(known.len().min(4)) } else { 0 };
        let (pair, tokens) = &known[known.len() - 1 - back];
        match choice {
            1 | 2 => (Call::Revoke(*pair), tokens.access.clone()),
            3..=14 => (Call::Refresh(*pair), tokens.refresh.clone().unwrap()),
            _ => (Call::Check(*pair), tokens.access.clone()),
        }
    }
}

impl Recorder<'_> {
    /// Makes a call and writes down what came of it.
    fn call(&self, client: &Client, subject: &Subject, (call, presented): (Call, String)) {
        let sent = subject.began.elapsed();
        let answer = match call {
            Call::Redeem => client.redeem(self.app, &presented),
            Call::Refresh(_) => client.refresh(self.app, &presented),
            Call::Revoke(_) => client.revoke(self.app, &presented),
            Call::Check(_) => client.current(&presented),
        };
        let answered = subject.began.elapsed();
        let answer = self.understand(subject, call, answer);
        // A question that was not answered has done nothing.
        if answer == Answer::Lost && matches!(call, Call::Check(_)) {
            return;
        }
        subject.history.lock().unwrap().push(Event { call, answer, sent, answered });
    }

    fn understand(&self, subject: &Subject, call: Call, answer: Option<client::Answer>) -> Answer {
        let answer = match answer {
            Some(answer) if answer.status != 503 => answer,
            put_off => {
                let is_said = put_off.is_none_or(|answer| answer.retry_after.is_some());
                assert!(is_said, "503 without Retry-After");
                self.answers.count_put_off();
                return Answer::Lost;
            }
        };
        self.answers.count_given();
        match (call, answer.status) {
            (Call::Redeem | Call::Refresh(_), 200) => Answer::Given(subject.pair(answer.tokens())),
            (Call::Redeem | Call::Refresh(_), 400) => {
                assert_eq!(answer.json()["error"], "invalid_grant", "{}", answer.text);
                Answer::Refused
            }
            (Call::Revoke(_), 200) => Answer::Revoked,
            (Call::Check(_), 200) => Answer::Alive,
            (Call::Check(_), 401) => Answer::Dead,
            (_, status) => panic!("{call:?}: {status}: {}", answer.text),
        }
    }

    /// One grant from its code on. One in three begins with a race for the code, which ends it.
    fn record(&self, browser: &mut Browser, dice: &mut Dice) -> Vec<Event> {
        let clients: Vec<_> = self.bases.iter().map(|base| Client::new(base)).collect();
        let subject = Subject::new(self.code(browser, &clients));
        if dice.roll(3) > 0 {
            let redeem = (Call::Redeem, subject.code.clone());
            self.call(&clients[dice.place(clients.len())], &subject, redeem);
        }
        let seed = dice.roll(u64::from(u32::MAX));
        thread::scope(|scope| {
            for (caller, base) in (0..CALLERS).zip(self.bases.iter().cycle()) {
                let subject = &subject;
                scope.spawn(move || {
                    let (client, mut dice) = (Client::new(base), Dice::new(seed, caller));
                    for _ in 0..CALLS {
                        self.call(&client, subject, subject.choose(&mut dice));
                    }
                });
            }
        });
        subject.history.into_inner().unwrap()
    }

    fn code(&self, browser: &mut Browser, clients: &[Client]) -> String {
        let began = Instant::now();
        let mut turns = clients.iter().cycle();
        loop {
            match browser.consent(turns.next().unwrap(), self.app) {
                Some(Ok(code)) => return code,
                Some(Err(_)) => self.answers.count_put_off(),
                None => {}
            }
            assert!(began.elapsed() < PATIENCE, "there is no code to be had");
        }
    }

    /// Records grants in several lanes while `goes_on` says so.
    fn record_while(
        &self,
        browser: &Browser,
        seed: u64,
        goes_on: impl Fn(usize) -> bool + Sync,
    ) -> Vec<Vec<Event>> {
        let recorded = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for lane in 0..LANES {
                let (goes_on, recorded) = (&goes_on, &recorded);
                let (mut browser, mut dice) = (browser.clone(), Dice::new(seed, lane));
                scope.spawn(move || {
                    while goes_on(recorded.lock().unwrap().len()) {
                        let history = self.record(&mut browser, &mut dice);
                        recorded.lock().unwrap().push(history);
                    }
                });
            }
        });
        recorded.into_inner().unwrap()
    }
}

/// Every history has an order that explains it, and they were worth recording.
fn check(histories: &[Vec<Event>], staleness: Duration) {
    let mut old = 0;
    for history in histories {
        assert!(
            is_explained(history, staleness),
            "no order explains this history:\n{}",
            told(history)
        );
        old += usize::from(!is_explained(history, Duration::ZERO));
    }
    let events: Vec<_> = histories.concat();
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    let overlaps = histories.iter().flat_map(|history| {
        let begins = |event: &Event| {
            let is_before = |other: &&Event| other.sent < event.sent;
            history.iter().filter(is_before).filter(|other| other.answered > event.sent).count()
        };
        history.iter().map(begins)
    });
    let overlaps: usize = overlaps.sum();
    println!(
        "{} histories of {} calls, each begun while {}.{} others were under way: {} given, {} \
         refused, {} revocations, {} alive, {} dead, {} lost; {old} need a memory that is old",
        histories.len(),
        events.len(),
        overlaps / events.len(),
        overlaps * 10 / events.len() % 10,
        count(|event| matches!(event.answer, Answer::Given(_))),
        count(|event| event.answer == Answer::Refused),
        count(|event| event.answer == Answer::Revoked),
        count(|event| event.answer == Answer::Alive),
        count(|event| event.answer == Answer::Dead),
        count(|event| event.answer == Answer::Lost),
    );
    assert!(overlaps > events.len() / 2, "hardly any call met another one");
}

/// In the order in which they were sent, a call a line.
fn told(history: &[Event]) -> String {
    let mut history = history.to_vec();
    history.sort_by_key(|event| event.sent);
    let line = |Event { call, answer, sent, answered }: &Event| {
        format!("{sent:>10.2?} to {answered:>10.2?}  {call:?}: {answer:?}\n")
    };
    history.iter().map(line).collect()
}

fn recorded_in_peace(test: &str, settings: &[(&str, &str)]) -> Vec<Vec<Event>> {
    const { assert!(CALLERS * CALLS < CALLS_MAX as u64) };
    let seed = seed(test);
    let cluster = Cluster::with(tokenry_postgres_testing::schema(), settings);
    let (app, browser, _) = cluster.cast();
    let answers = Answers::default();
    let recorder = Recorder { app: &app, bases: cluster.bases(), answers: &answers };
    let grants = GRANTS * usize::try_from(rounds(1)).unwrap();
    let histories = recorder.record_while(&browser, seed, |recorded| recorded < grants);
    assert_eq!(answers.put_off(), 0, "a store that works was said to be away");
    histories
}

fn recorded_in_chaos(test: &str, settings: &[(&str, &str)]) -> Vec<Vec<Event>> {
    let seed = seed(test);
    let database = tokenry_postgres_testing::Server::start();
    let mut cluster = Cluster::with(database.url(), settings);
    let (app, browser, _) = cluster.cast();
    let answers = Answers::default();
    let recorder = Recorder { app: &app, bases: cluster.bases(), answers: &answers };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let lanes = scope
            .spawn(|| recorder.record_while(&browser, seed, |_| !is_over.load(Ordering::SeqCst)));
        let over = Stop(&is_over);
        let mut dice = Dice::new(seed, LANES);
        Stage::new(&database, &mut cluster, &answers).run(&mut dice, rounds(MISFORTUNES));
        drop(over);
        lanes.join().unwrap()
    })
}

#[test]
fn what_three_nodes_answer_at_once_has_an_order_in_which_only_what_lives_may_be_old() {
    check(&recorded_in_peace("histories", &[RETRY_WINDOW]), STALENESS_MAX);
}

#[test]
fn what_three_strict_nodes_answer_at_once_has_an_order_in_which_nothing_is_old() {
    let settings = [RETRY_WINDOW, ("TOKENRY_CONSISTENCY", "strict")];
    check(&recorded_in_peace("strict histories", &settings), Duration::ZERO);
}

#[test]
fn the_same_order_is_there_while_nodes_are_killed_and_the_database_is_restarted() {
    check(&recorded_in_chaos("histories in chaos", &[RETRY_WINDOW, IMPATIENT]), STALENESS_MAX);
}

#[test]
fn and_for_strict_nodes_nothing_is_old_then_either() {
    let settings = [RETRY_WINDOW, IMPATIENT, ("TOKENRY_CONSISTENCY", "strict")];
    check(&recorded_in_chaos("strict histories in chaos", &settings), Duration::ZERO);
}
