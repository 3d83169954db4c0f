//! Workers: each issues, redeems, rotates, uses and revokes, and writes its own ledger.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    dice::Dice,
    ledger::{Call, Grant, Live, State},
};
use crate::{
    browser::Browser,
    client::{Answer, App, Client},
};

const WORKERS: u64 = 8;
/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often somebody who waits looks.
const LOOK: Duration = Duration::from_millis(1);

/// What one worker knows and holds.
pub(crate) struct Worker {
    pub(crate) grants: Vec<Grant>,
    browser: Browser,
}

/// Eight workers in windows of one browser.
pub(crate) fn hire(browser: &Browser) -> Vec<Mutex<Worker>> {
    let worker = |_| Worker { grants: Vec::new(), browser: browser.clone() };
    (0..WORKERS).map(worker).map(Mutex::new).collect()
}

/// What the workers of a test were answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// How many calls succeeded.
    given: AtomicUsize,
    /// How many were told to try again later.
    put_off: AtomicUsize,
}

impl Answers {
    pub(crate) fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    pub(crate) fn put_off(&self) -> usize {
        self.put_off.load(Ordering::SeqCst)
    }

    /// Waits until so many more calls have succeeded.
    #[track_caller]
    pub(crate) fn wait_for(&self, more: usize) {
        wait_for(&self.given, more);
    }

    /// Waits until so many more were put off.
    #[track_caller]
    pub(crate) fn wait_for_put_off(&self, more: usize) {
        wait_for(&self.put_off, more);
    }
}

#[track_caller]
fn wait_for(count: &AtomicUsize, more: usize) {
    let (began, until) = (Instant::now(), count.load(Ordering::SeqCst) + more);
    while count.load(Ordering::SeqCst) < until {
        assert!(began.elapsed() < PATIENCE, "the workers wait in vain: is the server gone?");
        thread::sleep(LOOK);
    }
}

/// Stops the workers, also when what is done meanwhile fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Whether reads must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Always,
    /// Not when there is nothing left to read from.
    OrPutOff,
}

/// What all workers of a round share.
pub(crate) struct Round<'a> {
    pub(crate) base: &'a str,
    pub(crate) app: &'a App,
    pub(crate) seed: u64,
    /// See `ledger`.
    pub(crate) now: &'a (dyn Fn() -> u64 + Sync),
    pub(crate) answers: &'a Answers,
    pub(crate) reads: Reads,
}

impl Round<'_> {
    /// Has everybody work until the server is gone or `meanwhile` has come to its end.
    pub(crate) fn run(&self, workers: &[Mutex<Worker>], meanwhile: impl FnOnce()) {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for (part, worker) in (0..).zip(workers) {
                let mut dice = Dice::new(self.seed, part);
                let stop = &stop;
                scope.spawn(move || {
                    let client = Client::new(self.base);
                    let mut worker = worker.lock().unwrap();
                    while !stop.load(Ordering::SeqCst)
                        && self.work(&client, &mut worker, &mut dice).is_some()
                    {
                    }
                });
            }
            let _stop = Stop(&stop);
            meanwhile();
        });
    }

    /// One piece of work; `None` when the server is gone.
    fn work(&self, client: &Client, worker: &mut Worker, dice: &mut Dice) -> Option<()> {
        let choice = dice.roll(10);
        match choice {
            0 | 1 => return self.issue(client, worker),
            2 | 3 => return self.consent(client, worker),
            _ if worker.grants.is_empty() => return Some(()),
            _ => {}
        }
        let place = dice.place(worker.grants.len());
        let grant = &mut worker.grants[place];
        match (grant.known().certain(), choice) {
            (Some(State::Live(live)), 4..=6) if live.tokens.refresh.is_some() => {
                self.rotate(client, grant, &live)
            }
            (Some(State::Live(live)), 7) => self.revoke(client, grant, &live),
            (Some(state), _) => self.use_it(client, &state),
            (None, _) => Some(()),
        }
    }

    fn issue(&self, client: &Client, worker: &mut Worker) -> Option<()> {
        worker.grants.push(Grant::default());
        let grant = worker.grants.last_mut()?;
        grant.send(Call::Issue, (self.now)());
        let answer = client.issue(self.app)?;
        self.note(grant, answer, |answer| {
            State::Live(Live { tokens: answer.tokens(), code: None, spent: None })
        });
        Some(())
    }

    /// A consent and, if it was answered, what it is for.
    fn consent(&self, client: &Client, worker: &mut Worker) -> Option<()> {
        worker.grants.push(Grant::default());
        let grant = worker.grants.last_mut()?;
        grant.send(Call::Consent, (self.now)());
        let code = match worker.browser.consent(client, self.app)? {
            Ok(code) => code,
            Err(put_off) => {
                self.put_off(&put_off);
                return Some(());
            }
        };
        grant.answer((self.now)(), State::Consented { code: code.clone() });
        self.answers.given.fetch_add(1, Ordering::SeqCst);
        grant.send(Call::Redeem, (self.now)());
        let answer = client.redeem(self.app, &code)?;
        self.note(grant, answer, |answer| {
            State::Live(Live { tokens: answer.tokens(), code: Some(code), spent: None })
        });
        Some(())
    }

    fn rotate(&self, client: &Client, grant: &mut Grant, live: &Live) -> Option<()> {
        grant.send(Call::Rotate, (self.now)());
        let answer = client.refresh(self.app, live.tokens.refresh.as_ref()?)?;
        self.note(grant, answer, |answer| {
            let spent = Some(live.tokens.clone());
            State::Live(Live { tokens: answer.tokens(), code: None, spent })
        });
        Some(())
    }

    fn revoke(&self, client: &Client, grant: &mut Grant, live: &Live) -> Option<()> {
        grant.send(Call::Revoke, (self.now)());
        let answer = client.revoke(self.app, &live.tokens.access)?;
        self.note(grant, answer, |answer| {
            answer.expect(200);
            State::Ended(live.tokens.clone())
        });
        Some(())
    }

    /// Looks at a token as a resource server would, while everybody else writes.
    fn use_it(&self, client: &Client, state: &State) -> Option<()> {
        let (tokens, status) = match state {
            State::Live(live) => (&live.tokens, 200),
            State::Ended(tokens) => (tokens, 401),
            State::Consented { .. } => return Some(()),
        };
        let answer = client.current(&tokens.access)?;
        if self.reads == Reads::OrPutOff && answer.status == 503 {
            self.put_off(&answer);
            return Some(());
        }
        answer.expect(status);
        self.answers.given.fetch_add(1, Ordering::SeqCst);
        Some(())
    }

    fn note(&self, grant: &mut Grant, answer: Answer, after: impl FnOnce(Answer) -> State) {
        if answer.status == 503 {
            self.put_off(&answer);
        } else {
            grant.answer((self.now)(), after(answer));
            self.answers.given.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn put_off(&self, answer: &Answer) {
        assert!(answer.retry_after.is_some(), "503 without Retry-After: {}", answer.text);
        self.answers.put_off.fetch_add(1, Ordering::SeqCst);
    }
}
