//! `SIGKILL` at random moments, again and again, over one folder.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    Site,
    dice::Dice,
    oracle::Oracle,
    rounds, seed,
    workers::{Answers, Behind, Reads, Round, hire},
};
use crate::{browser::Browser, client::Client, process::Process};

const ROUNDS: u64 = 20;
/// A round ends after this many answers at least, and up to so many more.
const ANSWERS_MIN: u64 = 20;
const ANSWERS_SPREAD: u64 = 180;
/// After the last of them the kill comes this much later at most, in microseconds.
const PAUSE_MAX: u64 = 3_000;
/// The promise for an idle machine; single rounds may take longer beside other tests.
const READY_IN: Duration = Duration::from_secs(2);
const READY_IN_MAX: Duration = Duration::from_secs(10);

#[test]
fn everything_acknowledged_survives_sigkill_while_eight_workers_issue_redeem_rotate_and_revoke() {
    let seed = seed("sigkill");
    let site = Site::new();
    let mut server = Process::start(site.folder.path());
    let browser = Browser::signed_in(&Client::new(&server.base), &site.admin);
    let workers = hire(&browser);
    let answers = Answers::default();
    let (mut strangers, mut ready_in) = (0, Vec::new());
    for round in 0..rounds(ROUNDS) {
        let mut dice = Dice::new(seed, round);
        let more = usize::try_from(ANSWERS_MIN + dice.roll(ANSWERS_SPREAD)).unwrap();
        let pause = Duration::from_micros(dice.roll(PAUSE_MAX));
        let bases = [server.base.clone()];
        let work = Round {
            bases: &bases,
            behind: Behind::OneServer,
            app: &site.app,
            seed: dice.roll(u64::from(u32::MAX)),
            now: &|| 0,
            answers: &answers,
            reads: Reads::Always,
        };
        work.run(&workers, || {
            answers.wait_for(more);
            thread::sleep(pause);
            server.kill();
        });
        let started = Instant::now();
        server = Process::start(site.folder.path());
        let client = Client::new(&server.base);
        client.fetch("/readyz").expect(200);
        ready_in.push(started.elapsed());
        let oracle = Oracle { client, app: &site.app, admin: &site.admin };
        oracle.check_all(&workers, seed ^ round, &mut strangers);
    }
    assert_eq!(answers.put_off(), 0, "a store that works was said to be away");
    ready_in.sort_unstable();
    let (median, longest) = (ready_in[ready_in.len() / 2], ready_in[ready_in.len() - 1]);
    println!(
        "{} answers over {} kills, {strangers} births unanswered; ready again in {median:?}, \
         {longest:?} at most",
        answers.given(),
        ready_in.len()
    );
    assert!(median < READY_IN && longest < READY_IN_MAX, "ready again only in {ready_in:?}");
    server.stop();
}
