//! `SIGKILL` before every single write and sync of one request, the last of them between the commit
//! and its answer.

use std::os::unix::process::ExitStatusExt;

use super::{
    Site,
    dice::Dice,
    faults::{Faults, layout::Word},
    ledger::{Call, Grant, Live, State},
    oracle::Oracle,
};
use crate::{
    browser::Browser,
    client::{Answer, App, Client, Tokens},
};

/// A request that writes a commit: at least a frame and a sync, which counts twice.
const POINTS_MIN: usize = 3;
/// More than any request takes.
const POINTS_MAX: u64 = 200;
const KILLED: i32 = 9;

#[test]
fn a_code_is_redeemed_once_whenever_the_process_is_killed() {
    kill_everywhere("every_point, redeeming", |client, app, browser| {
        let code = browser.consent(client, app).unwrap().unwrap();
        (State::Consented { code }, Call::Redeem)
    });
}

#[test]
fn a_refresh_token_gives_one_pair_whenever_the_process_is_killed() {
    kill_everywhere("every_point, rotating", |client, app, browser| {
        (State::Live(fresh(client, app, browser)), Call::Rotate)
    });
}

#[test]
fn a_grant_is_revoked_or_lives_whenever_the_process_is_killed() {
    kill_everywhere("every_point, revoking", |client, app, browser| {
        (State::Live(fresh(client, app, browser)), Call::Revoke)
    });
}

/// A grant whose first pair was rotated once.
fn fresh(client: &Client, app: &App, browser: &mut Browser) -> Live {
    let code = browser.consent(client, app).unwrap().unwrap();
    let first = client.redeem(app, &code).unwrap().tokens();
    let tokens = client.refresh(app, first.refresh.as_ref().unwrap()).unwrap().tokens();
    Live { tokens, code: None, spent: Some(first) }
}

/// What there is to call with, and the call.
type Prepare = fn(&Client, &App, &mut Browser) -> (State, Call);

fn kill_everywhere(test: &str, prepare: Prepare) {
    let site = Site::new();
    let Some(faults) = Faults::new(test, site.folder.path()) else { return };
    let mut server = faults.start();
    let mut browser = Browser::signed_in(&Client::new(&server.base), &site.admin);
    let mut happened = Vec::new();
    for point in 1..=POINTS_MAX {
        let client = Client::new(&server.base);
        let (state, call) = prepare(&client, &site.app, &mut browser);
        faults.set(Word::KillAt, faults.read(Word::Operations) + point);
        let answer = send(&client, &site.app, &state, call);
        if let Some(answer) = answer {
            // One point more than the request has.
            answer.expect(200);
            faults.set(Word::KillAt, 0);
            break;
        }
        assert_eq!(server.wait().signal(), Some(KILLED));
        faults.set(Word::KillAt, 0);
        server = faults.start();
        let oracle =
            Oracle { client: Client::new(&server.base), app: &site.app, admin: &site.admin };
        happened.push(has_happened(&oracle, &state, call));
        let mut grant = Grant::default();
        grant.settle(Some(state));
        grant.send(call, 0);
        oracle.check(grant.known(), &mut Dice::new(0, point));
        // Uses of tokens that are still to be written would come into the next request's way.
        server.stop();
        server = faults.start();
    }
    println!("{test}: killed at {} points, done before the answer: {happened:?}", happened.len());
    assert!(happened.len() >= POINTS_MIN, "the request wrote next to nothing");
    assert_eq!(happened.first(), Some(&false), "done before anything was written");
    assert_eq!(happened.last(), Some(&true), "not done although the disk had everything");
    assert!(happened.is_sorted(), "done, and then undone by a later kill: {happened:?}");
    server.stop();
}

fn send(client: &Client, app: &App, state: &State, call: Call) -> Option<Answer> {
    match (state, call) {
        (State::Consented { code }, _) => client.redeem(app, code),
        (State::Live(live), Call::Revoke) => client.revoke(app, &live.tokens.access),
        (State::Live(live), _) => client.refresh(app, live.tokens.refresh.as_ref()?),
        (State::Ended(_), _) => None,
    }
}

/// Whether the call that was cut off has been done.
fn has_happened(oracle: &Oracle, state: &State, call: Call) -> bool {
    let record = |credential: &str| oracle.client.record(oracle.admin, credential).unwrap().status;
    let is_alive = |tokens: &Tokens| oracle.client.is_alive(&tokens.access).unwrap();
    match (state, call) {
        (State::Consented { code }, _) => record(code) == 200,
        // Rotated or revoked, the access token is dead.
        (State::Live(live), _) => !is_alive(&live.tokens),
        (State::Ended(_), _) => true,
    }
}
