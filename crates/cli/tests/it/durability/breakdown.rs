//! A disk that takes no writes for a while: what holds whatever the reason is.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    Site,
    dice::Dice,
    faults::{Faults, layout::Word},
    ledger::{Call, Grant, Live, State},
    oracle::Oracle,
    rounds, seed,
    workers::{Answers, Behind, Reads, Round, hire},
};
use crate::{
    browser::Browser,
    client::{Answer, Client, Tokens},
    process::Process,
};

/// A way in which a disk breaks down.
pub(super) struct Breakdown {
    pub(super) test: &'static str,
    /// What switches it on.
    pub(super) word: Word,
}

/// How often the disk breaks down while workers work.
const TIMES: u64 = 5;
/// Each breakdown lasts for as many refusals, and the time between two for as many answers.
const REFUSALS: usize = 24;
const ANSWERS: usize = 60;
/// Longer than any recovery takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Grants of which a call was refused, and one token of which nothing was.
struct Refused {
    grants: Vec<Grant>,
    untouched: Tokens,
}

pub(super) fn refuses_and_recovers(breakdown: &Breakdown) {
    let site = Site::new();
    let Some(faults) = Faults::new(breakdown.test, site.folder.path()) else { return };
    let mut server = faults.start();
    let refused = refuse(&site, &faults, &server, breakdown.word);
    faults.set(breakdown.word, 0);
    wait_until_ready(&Client::new(&server.base));
    assert!(server.is_running());
    let settled = check(&site, &server, refused.grants);
    assert_eq!(Client::new(&server.base).is_alive(&refused.untouched.access), Some(true));
    // What was found out is what the disk holds.
    server.kill();
    let server = Process::start(site.folder.path());
    check(&site, &server, settled);
    server.stop();
}

pub(super) fn refuses_and_is_restarted(breakdown: &Breakdown) {
    let site = Site::new();
    let Some(faults) = Faults::new(breakdown.test, site.folder.path()) else { return };
    let mut server = faults.start();
    let refused = refuse(&site, &faults, &server, breakdown.word);
    server.kill();
    let server = Process::start(site.folder.path());
    check(&site, &server, refused.grants);
    assert_eq!(Client::new(&server.base).is_alive(&refused.untouched.access), Some(true));
    server.stop();
}

/// Breaks the disk: each kind of write is refused, each kind of read is answered.
fn refuse(site: &Site, faults: &Faults, server: &Process, word: Word) -> Refused {
    let client = Client::new(&server.base);
    let mut browser = Browser::signed_in(&client, &site.admin);
    let mut code = || browser.consent(&client, &site.app).unwrap().unwrap();
    let live = |code: String| {
        let tokens = client.redeem(&site.app, &code).unwrap().tokens();
        Live { tokens, code: Some(code), spent: None }
    };
    let (rotated, revoked, unredeemed) = (live(code()), live(code()), code());
    let untouched = client.issue(&site.app).unwrap().tokens();

    faults.set(word, 1);
    put_off(client.issue(&site.app));
    put_off(client.refresh(&site.app, rotated.tokens.refresh.as_ref().unwrap()));
    put_off(client.revoke(&site.app, &revoked.tokens.access));
    put_off(client.redeem(&site.app, &unredeemed));
    put_off(browser.consent(&client, &site.app).map(|asked| asked.expect_err("a code")));
    put_off(Some(client.fetch("/readyz")));

    client.fetch("/healthz").expect(200);
    for tokens in [&rotated.tokens, &revoked.tokens, &untouched] {
        client.current(&tokens.access).unwrap().expect(200);
        client.record(&site.admin, &tokens.access).unwrap().expect(200);
    }
    assert_eq!(client.list(&site.admin).len(), 3);
    client.me(&site.admin).expect(200);

    let calls = [
        (State::Live(rotated), Call::Rotate),
        (State::Live(revoked), Call::Revoke),
        (State::Consented { code: unredeemed }, Call::Redeem),
    ];
    let grants = calls.map(|(state, call)| {
        let mut grant = Grant::default();
        grant.settle(Some(state));
        grant.send(call, 0);
        grant
    });
    Refused { grants: grants.into(), untouched }
}

#[track_caller]
fn put_off(answer: Option<Answer>) {
    let answer = answer.expect("the server lives").expect(503);
    assert!(answer.retry_after.is_some(), "503 without Retry-After: {}", answer.text);
}

fn check(site: &Site, server: &Process, grants: Vec<Grant>) -> Vec<Grant> {
    let client = Client::new(&server.base);
    let oracle = Oracle { client, app: &site.app, admin: &site.admin };
    let mut dice = Dice::new(0, 0);
    let settled = grants.into_iter().map(|mut grant| {
        grant.settle(oracle.check(grant.known(), &mut dice));
        grant
    });
    settled.collect()
}

/// Until the store takes writes again. It must do so by itself.
pub(super) fn wait_until_ready(client: &Client) {
    let began = Instant::now();
    while client.fetch("/readyz").status != 200 {
        assert!(began.elapsed() < PATIENCE, "there is no recovery without a restart");
        thread::yield_now();
    }
}

/// The disk breaks down again and again while eight workers work. No call that was sent and
/// answered while it was broken may have been acknowledged.
pub(super) fn comes_and_goes(breakdown: &Breakdown) {
    let site = Site::new();
    let Some(faults) = Faults::new(breakdown.test, site.folder.path()) else { return };
    let seed = seed(breakdown.test);
    let mut server = faults.start();
    let workers = hire(&Browser::signed_in(&Client::new(&server.base), &site.admin));
    let answers = Answers::default();
    // Odd while the disk is broken, from just after it broke to just before it is mended.
    let period = AtomicU64::new(0);
    let bases = [server.base.clone()];
    let round = Round {
        bases: &bases,
        behind: Behind::OneServer,
        app: &site.app,
        seed,
        now: &|| period.load(Ordering::SeqCst),
        answers: &answers,
        reads: Reads::Always,
    };
    round.run(&workers, || {
        for _ in 0..rounds(TIMES) {
            answers.wait_for(ANSWERS);
            faults.set(breakdown.word, 1);
            period.fetch_add(1, Ordering::SeqCst);
            answers.wait_for_put_off(REFUSALS);
            period.fetch_add(1, Ordering::SeqCst);
            faults.set(breakdown.word, 0);
        }
        answers.wait_for(ANSWERS);
        server.kill();
    });
    for worker in &workers {
        for (sent, answered) in worker.lock().unwrap().grants.iter().flat_map(Grant::answered) {
            let is_within = sent == answered && sent % 2 == 1;
            assert!(!is_within, "a call was acknowledged while the disk took nothing");
        }
    }
    let server = Process::start(site.folder.path());
    let client = Client::new(&server.base);
    let oracle = Oracle { client, app: &site.app, admin: &site.admin };
    oracle.check_all(&workers, seed, &mut 0);
    println!("{} answers, {} refusals", answers.given(), answers.put_off());
    server.stop();
}
