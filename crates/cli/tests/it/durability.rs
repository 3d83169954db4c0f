//! Nothing acknowledged is lost: the real binary is killed in the middle of its work, again and
//! again, and everything that it had answered must hold when it is back.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    client::{App, Client},
    process::{self, Process},
};

const WORKERS: usize = 4;
const ROUNDS: u64 = 10;
/// Each round ends after a number of answers between these, so that kills come at any moment.
const ANSWERS_MIN: u64 = 40;
const ANSWERS_SPREAD: u64 = 160;

/// What is known of one grant.
#[derive(Debug, Clone)]
struct Known {
    access: String,
    refresh: Option<String>,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The tokens were answered.
    Live,
    /// A refresh was sent and not answered: the old pair or a new one holds.
    Refreshing,
    /// A revocation was sent and not answered: alive or dead.
    Revoking,
    /// The revocation was answered.
    Revoked,
}

/// What one worker knows, in the order in which it learned it.
#[derive(Default)]
struct Ledger {
    grants: Vec<Known>,
}

/// A small generator: every round prints its seed, and the seed decides what is done.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*: no need for better here.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

#[test]
fn everything_acknowledged_survives_sigkill_while_issuing_rotating_and_revoking() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let mut process = Process::start(folder.path());
    let (app, consented) = Client::new(&process.base).prepare(&admin, WORKERS);
    let ledgers: Vec<Mutex<Ledger>> = consented
        .into_iter()
        .map(|(access, refresh)| {
            let known = Known { access, refresh: Some(refresh), state: State::Live };
            Mutex::new(Ledger { grants: vec![known] })
        })
        .collect();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let seed = 0x9E37_79B9_7F4A_7C15 ^ (round + 1);
        let mut dice = Dice(seed);
        let answers_until_kill = usize::try_from(ANSWERS_MIN + dice.roll(ANSWERS_SPREAD)).unwrap();
        println!("round {round}: seed {seed:#x}, killed after {answers_until_kill} answers");
        let answered = AtomicUsize::new(0);
        let base = process.base.clone();
        std::thread::scope(|scope| {
            for (worker, ledger) in (0_u64..).zip(&ledgers) {
                let (base, app, answered) = (base.as_str(), &app, &answered);
                scope.spawn(move || {
                    let mut dice = Dice(seed.rotate_left(7) ^ (worker + 1));
                    work(base, app, &mut ledger.lock().unwrap(), &mut dice, answered);
                });
            }
            while answered.load(Ordering::SeqCst) < answers_until_kill {
                std::thread::yield_now();
            }
            process.kill();
        });
        acknowledged += answered.into_inner();
        process = Process::start(folder.path());
        let client = Client::new(&process.base);
        for ledger in &ledgers {
            check(&client, &app, &mut ledger.lock().unwrap());
        }
    }
    println!("{acknowledged} answers over {ROUNDS} kills, and every one of them held");
    process.stop();
}

/// Works until the server is gone.
fn work(base: &str, app: &App, ledger: &mut Ledger, dice: &mut Dice, answered: &AtomicUsize) {
    let client = Client::new(base);
    loop {
        let at = usize::try_from(dice.roll(ledger.grants.len() as u64)).unwrap();
        let done = match dice.roll(10) {
            0..=3 => issue(&client, app, ledger),
            4..=7 => refresh(&client, app, &mut ledger.grants[0]),
            8 if at > 0 => revoke(&client, app, &mut ledger.grants[at]),
            _ => look(&client, &ledger.grants[at]),
        };
        if done.is_none() {
            return;
        }
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

fn issue(client: &Client, app: &App, ledger: &mut Ledger) -> Option<()> {
    let access = client.issue(app)?;
    ledger.grants.push(Known { access, refresh: None, state: State::Live });
    Some(())
}

fn refresh(client: &Client, app: &App, known: &mut Known) -> Option<()> {
    known.state = State::Refreshing;
    let (access, refresh) = client.refresh(app, known.refresh.as_deref().unwrap())?;
    *known = Known { access, refresh: Some(refresh), state: State::Live };
    Some(())
}

fn revoke(client: &Client, app: &App, known: &mut Known) -> Option<()> {
    if known.state == State::Revoked {
        return Some(());
    }
    known.state = State::Revoking;
    client.revoke(app, &known.access)?;
    known.state = State::Revoked;
    Some(())
}

fn look(client: &Client, known: &Known) -> Option<()> {
    let alive = client.is_alive(&known.access)?;
    match known.state {
        State::Live => assert!(alive, "a token that was answered does not verify"),
        State::Revoked => assert!(!alive, "a revoked token verifies"),
        State::Refreshing | State::Revoking => {}
    }
    Some(())
}

/// The oracle: after a restart, every answer holds.
fn check(client: &Client, app: &App, ledger: &mut Ledger) {
    for known in &mut ledger.grants {
        let alive = client.is_alive(&known.access).expect("the server answers");
        match known.state {
            State::Live => assert!(alive, "an acknowledged token is lost"),
            State::Revoked => assert!(!alive, "an acknowledged revocation is lost"),
            State::Revoking => {
                known.state = if alive { State::Live } else { State::Revoked };
            }
            State::Refreshing => {
                // Rotated or not, the token at hand gives a pair: only the answer was lost.
                let held = known.refresh.as_deref().unwrap();
                let (access, refresh) =
                    client.refresh(app, held).expect("a lost answer is given again");
                assert_eq!(client.is_alive(&access), Some(true));
                if access != known.access {
                    assert_eq!(client.is_alive(&known.access), Some(false), "two live tokens");
                }
                *known = Known { access, refresh: Some(refresh), state: State::Live };
            }
        }
    }
    let ids: Vec<&str> = ledger.grants.iter().map(|known| &known.access[..10]).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id was given twice");
}

#[test]
fn a_clean_stop_keeps_the_last_use_of_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let server = Process::start(folder.path());
    let client = Client::new(&server.base);
    let (app, _) = client.prepare(&admin, 0);
    let access = client.issue(&app).unwrap();
    assert_eq!(client.used_at(&admin, &access), None);
    assert_eq!(client.is_alive(&access), Some(true));
    let used_at = client.used_at(&admin, &access);
    assert!(used_at.is_some());
    // The stop comes before the next flush would have been due.
    server.stop();
    let server = Process::start(folder.path());
    assert_eq!(Client::new(&server.base).used_at(&admin, &access), used_at);
    server.stop();
}
