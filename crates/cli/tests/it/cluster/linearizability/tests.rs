//! The checker accepts what one grant says and refuses what it cannot have said.

use super::*;
use crate::durability::dice::Dice;

const FIRST: Pair = Pair { rotation: 1, number: 1 };
const SECOND: Pair = Pair { rotation: 2, number: 2 };
const THIRD: Pair = Pair { rotation: 3, number: 3 };
/// Other credentials of the same rotation.
const OTHER_FIRST: Pair = Pair { rotation: 1, number: 11 };
const OTHER_SECOND: Pair = Pair { rotation: 2, number: 12 };

const STRICT: Duration = Duration::ZERO;
const BOUND: Duration = Duration::from_millis(10);

/// Sent and answered at these milliseconds.
fn event(call: Call, answer: Answer, sent: u64, answered: u64) -> Event {
    let [sent, answered] = [sent, answered].map(Duration::from_millis);
    Event { call, answer, sent, answered }
}

fn redeemed() -> Event {
    event(Call::Redeem, Answer::Given(FIRST), 0, 1)
}

#[track_caller]
fn accepts(history: &[Event], staleness: Duration) {
    assert!(is_explained(history, staleness), "{history:?}");
}

#[track_caller]
fn rejects(history: &[Event], staleness: Duration) {
    assert!(!is_explained(history, staleness), "{history:?}");
}

#[test]
fn a_code_that_gave_two_pairs_is_rejected_however_the_calls_overlapped() {
    for (sent, answered) in [(2, 3), (0, 1), (0, 9)] {
        let second = event(Call::Redeem, Answer::Given(OTHER_FIRST), sent, answered);
        rejects(&[redeemed(), second], BOUND);
        let same = event(Call::Redeem, Answer::Given(FIRST), sent, answered);
        rejects(&[redeemed(), same], BOUND);
    }
}

#[test]
fn a_copy_of_a_code_ends_what_it_gave_unless_both_were_under_way_at_once() {
    let given = event(Call::Redeem, Answer::Given(FIRST), 0, 5);
    let copy = |sent| event(Call::Redeem, Answer::Refused, sent, 6);
    let [alive, dead] = [Answer::Alive, Answer::Dead].map(|is| event(Call::Check(FIRST), is, 7, 8));
    accepts(&[given, copy(4), alive], STRICT);
    accepts(&[given, copy(4), dead], STRICT);
    accepts(&[given, copy(6), dead], STRICT);
    rejects(&[given, copy(6), alive], STRICT);
    // No copy is refused before the first is given something.
    rejects(&[event(Call::Redeem, Answer::Given(FIRST), 7, 8), copy(4)], STRICT);
}

#[test]
fn a_refresh_token_that_gave_two_pairs_is_rejected_and_the_same_pair_twice_is_not() {
    let refreshed = |pair| event(Call::Refresh(FIRST), Answer::Given(pair), 2, 5);
    rejects(&[redeemed(), refreshed(SECOND), refreshed(OTHER_SECOND)], BOUND);
    accepts(&[redeemed(), refreshed(SECOND), refreshed(SECOND)], STRICT);
    rejects(&[redeemed(), refreshed(THIRD)], BOUND);
}

#[test]
fn a_token_that_lives_again_after_its_revocation_was_answered_is_rejected() {
    let revoked = event(Call::Revoke(FIRST), Answer::Revoked, 2, 4);
    let alive = |sent| event(Call::Check(FIRST), Answer::Alive, sent, sent + 1);
    rejects(&[redeemed(), revoked, alive(5)], STRICT);
    // Asked before the answer, it may have been first.
    accepts(&[redeemed(), revoked, alive(3)], STRICT);
    // Memory that is younger than the bound may say so, and no other.
    accepts(&[redeemed(), revoked, alive(5), alive(13)], BOUND);
    rejects(&[redeemed(), revoked, alive(15)], BOUND);
    // Nobody goes back: dead for one is dead for all who ask later, except from memory.
    let dead = event(Call::Check(FIRST), Answer::Dead, 2, 3);
    rejects(&[redeemed(), revoked, dead, alive(3 + 1)], STRICT);
}

#[test]
fn a_revocation_ends_a_grant_whose_rotation_it_met_and_none_that_was_rotated_before() {
    let refreshed = event(Call::Refresh(FIRST), Answer::Given(SECOND), 2, 5);
    let revoked = |sent| event(Call::Revoke(FIRST), Answer::Revoked, sent, 7);
    let [alive, dead] =
        [Answer::Alive, Answer::Dead].map(|is| event(Call::Check(SECOND), is, 8, 9));
    accepts(&[redeemed(), refreshed, revoked(4), dead], STRICT);
    accepts(&[redeemed(), refreshed, revoked(4), alive], STRICT);
    accepts(&[redeemed(), refreshed, revoked(6), alive], STRICT);
    rejects(&[redeemed(), refreshed, revoked(6), dead], STRICT);
}

#[test]
fn what_is_given_after_an_end_was_answered_is_rejected_whatever_the_bound() {
    let refreshed = event(Call::Refresh(FIRST), Answer::Given(SECOND), 5, 6);
    for bound in [STRICT, BOUND] {
        let revoked = event(Call::Revoke(FIRST), Answer::Revoked, 2, 4);
        rejects(&[redeemed(), revoked, refreshed], bound);
        let replayed = event(Call::Redeem, Answer::Refused, 2, 4);
        rejects(&[redeemed(), replayed, refreshed], bound);
    }
}

#[test]
fn a_token_before_the_present_one_that_is_vouched_for_is_rejected() {
    let refreshed = event(Call::Refresh(FIRST), Answer::Given(SECOND), 2, 3);
    let alive = |pair| event(Call::Check(pair), Answer::Alive, 4, 5);
    rejects(&[redeemed(), refreshed, alive(FIRST)], STRICT);
    accepts(&[redeemed(), refreshed, alive(SECOND), alive(FIRST)], BOUND);
    accepts(&[redeemed(), refreshed, alive(SECOND)], STRICT);
}

#[test]
fn an_honest_call_that_is_refused_is_rejected() {
    rejects(&[event(Call::Redeem, Answer::Refused, 0, 1)], BOUND);
    rejects(&[redeemed(), event(Call::Refresh(FIRST), Answer::Refused, 2, 3)], BOUND);
    // Memory may be old in what it vouches for, and not in what it refuses.
    rejects(&[redeemed(), event(Call::Check(FIRST), Answer::Dead, 2, 3)], BOUND);
    let refreshed = event(Call::Refresh(FIRST), Answer::Given(SECOND), 2, 3);
    rejects(&[redeemed(), refreshed, event(Call::Check(SECOND), Answer::Dead, 4, 5)], BOUND);
    rejects(&[redeemed(), refreshed, event(Call::Refresh(FIRST), Answer::Refused, 4, 5)], BOUND);
}

#[test]
fn a_call_without_an_answer_explains_what_it_may_have_done_from_then_on_and_nothing_before() {
    let lost = |call, sent| event(call, Answer::Lost, sent, sent);
    let refused = event(Call::Redeem, Answer::Refused, 4, 5);
    accepts(&[lost(Call::Redeem, 1), refused], STRICT);
    rejects(&[lost(Call::Redeem, 6), refused], STRICT);
    // It may have come late, or never.
    let alive = event(Call::Check(FIRST), Answer::Alive, 4, 5);
    let dead = event(Call::Check(FIRST), Answer::Dead, 8, 9);
    accepts(&[redeemed(), lost(Call::Revoke(FIRST), 2), alive], STRICT);
    accepts(&[redeemed(), lost(Call::Revoke(FIRST), 2), alive, dead], STRICT);
    rejects(&[redeemed(), lost(Call::Revoke(FIRST), 10), alive, dead], STRICT);
    // What it gave and nobody heard is what the next one is given.
    let refreshed = |pair, sent| event(Call::Refresh(FIRST), Answer::Given(pair), sent, sent + 1);
    let lost = lost(Call::Refresh(FIRST), 2);
    accepts(&[redeemed(), lost, dead, refreshed(SECOND, 10)], STRICT);
    rejects(&[redeemed(), lost, refreshed(SECOND, 10), refreshed(OTHER_SECOND, 12)], STRICT);
}

/// Calls one after the other, each answered as the model says, then stretched so that they overlap.
/// With the grant before and after each.
fn walk(dice: &mut Dice, length: u64) -> Vec<Event> {
    let (mut grant, mut known, mut history) = (Grant::Consented, Vec::new(), Vec::new());
    for step in 0..length {
        let pick = |dice: &mut Dice| known[known.len() - 1 - dice.place(known.len().min(3))];
        let call = match (known.is_empty(), dice.roll(12)) {
            (true, _) | (_, 0) => Call::Redeem,
            (_, 1) => Call::Revoke(pick(dice)),
            (_, 2..=5) => Call::Refresh(pick(dice)),
            _ => Call::Check(pick(dice)),
        };
        let next = u32::try_from(known.len()).unwrap() + 1;
        let given = known
            .last()
            .copied()
            .into_iter()
            .chain([Pair { rotation: next, number: next as usize }]);
        let answers = given.map(Answer::Given).chain([
            Answer::Refused,
            Answer::Revoked,
            Answer::Alive,
            Answer::Dead,
        ]);
        let found = answers.filter_map(|answer| Some((answer, grant.after(call, answer)?)));
        let found: Vec<_> = found.collect();
        let [(answer, after)] = found[..] else { panic!("{grant:?} {call:?}: {found:?}") };
        grant = after;
        if let Answer::Given(pair) = answer
            && !known.contains(&pair)
        {
            known.push(pair);
        }
        let moment = 100 * (step + 1);
        history.push(event(call, answer, moment - dice.roll(100), moment + dice.roll(300)));
    }
    history
}

#[test]
fn whatever_one_grant_says_is_accepted_also_when_calls_overlap() {
    for part in 0..300 {
        let mut dice = Dice::new(7, part);
        let history = walk(&mut dice, 4 + part % 40);
        accepts(&history, STRICT);
        accepts(&history, BOUND);
        // And with answers that were lost.
        let lost = |mut event: Event| {
            if !matches!(event.answer, Answer::Given(_)) && dice.roll(4) == 0 {
                event.answer = Answer::Lost;
            }
            event
        };
        accepts(&history.into_iter().map(lost).collect::<Vec<_>>(), STRICT);
    }
}

/// One answer of many turned into its opposite, where no other call was under way.
#[test]
fn one_wrong_answer_among_many_is_found() {
    let mut planted = 0;
    for part in 0..200 {
        let mut dice = Dice::new(8, part);
        let mut history = walk(&mut dice, 24);
        for event in &mut history {
            event.answered = event.sent;
        }
        let place = dice.place(history.len());
        let event = &mut history[place];
        event.answer = match event.answer {
            Answer::Alive => Answer::Dead,
            Answer::Dead => Answer::Alive,
            Answer::Given(_) => Answer::Refused,
            _ => continue,
        };
        planted += 1;
        rejects(&history, STRICT);
    }
    assert!(planted > 100, "{planted}");
}
