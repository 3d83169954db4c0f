//! Each verdict, and the evidence that leads to it.

use super::*;
use crate::commands::twin::check::evidence::Call;
use tokenry_protocol::oauth::token::GrantType;
use tokenry_twin::{Profile, Rotation};

const EXIT_1: Ended = Ended::Code(1);
const TIMED_OUT: Ended = Ended::TimedOut(Duration::from_secs(3));

/// `MILLIS WHAT STATUS [FAULT…]`, a line a call. `WHAT` is `refresh`, `client` (credentials),
/// `basic` (a call without an OAuth token), or the path of one with it; `-` is no status.
fn calls(text: &str) -> Vec<Call> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(call).collect()
}

fn call(line: &str) -> Call {
    let mut words = line.split(' ');
    let mut next = || words.next().unwrap();
    let (millis, what, status) = (next().parse().unwrap(), next(), next());
    let (target, grant_type, presented) = match what {
        "refresh" => ("POST /oauth/tokens", Some(GrantType::RefreshToken), Some('r')),
        "client" => ("POST /oauth/tokens", Some(GrantType::ClientCredentials), None),
        "basic" => ("GET /api/v2/users/me.json", None, None),
        "make" => ("POST /api/v2/api_tokens.json", None, None),
        _ => ("GET /api/v2/users/me.json", None, Some('a')),
    };
    let fault = words.collect::<Vec<_>>().join(" ");
    Call {
        came: Duration::from_millis(millis),
        took: Duration::ZERO,
        target: target.to_owned(),
        grant_type,
        presented,
        status: status.parse().ok(),
        faults: fault
            .split(',')
            .filter(|it| !it.is_empty())
            .map(|it| it.parse().unwrap())
            .collect(),
    }
}

fn evidence(ended: Ended, text: &str) -> Evidence {
    let calls = calls(text);
    let is_struck = calls.iter().any(|call| !call.faults.is_empty());
    Evidence {
        profile: Profile::Refreshing,
        rotation: Rotation::SingleUse,
        without_faults: None,
        trouble: if is_struck { Trouble::Struck } else { Trouble::None },
        ended,
        last_words: None,
        calls,
    }
}

#[track_caller]
fn judged(evidence: &Evidence, outcome: Outcome, why: &str) {
    let expected = Verdict { outcome, why: why.to_owned() };
    assert_eq!(judge(evidence), expected, "{evidence:?}");
}

#[test]
fn who_ends_well_has_survived_what_struck_and_not_reached_what_did_not() {
    let struck = evidence(Ended::Code(0), "0 refresh - lose-answer\n9 refresh 201");
    judged(&struck, Outcome::Survived, "");
    let missed = Evidence { trouble: Trouble::NotReached, ..evidence(Ended::Code(0), "0 me 200") };
    let why = "the fault never struck: the command makes no such call";
    judged(&missed, Outcome::NotReached, why);
    let failed = Evidence { ended: EXIT_1, ..missed };
    let why = "failed before anything went wrong: exit code 1 after 1 call, the last: GET \
               /api/v2/users/me.json answered 200";
    judged(&failed, Outcome::Failed, why);
}

#[test]
fn who_calls_nothing_has_checked_nothing() {
    let why = "never called the twin: does it read ZENDESK_SERVER_URL?";
    judged(&evidence(Ended::Code(0), ""), Outcome::NotReached, why);
    let failed = evidence(Ended::Signal(9), "");
    judged(&failed, Outcome::Failed, &format!("{why} (ended by signal 9)"));
}

#[test]
fn a_lost_answer_of_a_refresh_is_judged_by_what_repeating_it_would_have_given() {
    let forgiving = |text| Evidence { rotation: Rotation::Forgiving, ..evidence(EXIT_1, text) };
    let lost = "0 me 401\n9 refresh - lose-answer\n";
    let gave_up = "refresh answer lost: the client gave up; the previous token would have worked";
    judged(&forgiving(lost), Outcome::Failed, gave_up);
    let spent = "refresh answer lost: the client gave up; the previous token is spent, so ask \
                 the user again";
    judged(&evidence(EXIT_1, lost), Outcome::Stopped, spent);
    let again = format!("{lost}20 refresh 400\n");
    let stopped = "refresh answer lost: the client sent the old refresh token again, which \
                   single-use rotation refuses, and stopped; ask the user again";
    judged(&evidence(EXIT_1, &again), Outcome::Stopped, stopped);
    let on_and_on = format!("{lost}{}", "20 refresh 400\n".repeat(4));
    let went_on = "refresh answer lost: the client sent the old refresh token 4 times again, which \
                   single-use rotation refuses: ask the user again after the first refusal";
    judged(&evidence(EXIT_1, &on_and_on), Outcome::Failed, went_on);
    let then_failed = forgiving("0 refresh 504 status=504 applied\n5 refresh 201");
    let why = "refresh answered 504: repeating the refresh gave the pair again, and it failed \
               after that: exit code 1 after 2 calls, the last: POST /oauth/tokens answered 201";
    judged(&then_failed, Outcome::Failed, why);
}

#[test]
fn a_call_without_a_usable_answer_is_to_be_made_again() {
    for (text, why) in [
        (
            "0 me - lose-answer",
            "answer of GET /api/v2/users/me.json lost: the client gave up and did not try again",
        ),
        (
            "0 me 200 cut-answer",
            "answer of GET /api/v2/users/me.json cut: the client gave up and did not try again",
        ),
        (
            "0 refresh 503 status=503",
            "POST /oauth/tokens answered 503: the client gave up and did not try again",
        ),
        (
            "0 me 503 status=503\n1 me 500",
            "GET /api/v2/users/me.json answered 503: the client went on and failed: exit code 1 \
             after 2 calls, the last: GET /api/v2/users/me.json answered 500",
        ),
    ] {
        judged(&evidence(EXIT_1, text), Outcome::Failed, why);
    }
}

#[test]
fn retry_after_is_to_be_waited_for() {
    let early = "0 me 429 rate-limited=7\n200 me 200";
    let told = "429 with Retry-After 7 was not waited for (next call after 0.2 s)";
    judged(&evidence(EXIT_1, early), Outcome::Failed, told);
    judged(&evidence(Ended::Code(0), early), Outcome::Survived, &format!("but {told}"));
    judged(
        &evidence(EXIT_1, "0 me 429 rate-limited=7"),
        Outcome::Failed,
        "429 with Retry-After 7: the client gave up in place of waiting",
    );
    let waited = "0 me 429 rate-limited=7\n7000 me 200";
    judged(&evidence(Ended::Code(0), waited), Outcome::Survived, "");
}

#[test]
fn who_hammers_is_told_so_whatever_struck() {
    let on_and_on = |at| format!("{} me 401 expire-token\n", at * 7);
    let on_and_on = (0..412).map(on_and_on).collect::<Vec<_>>().concat();
    judged(
        &evidence(TIMED_OUT, &on_and_on),
        Outcome::Failed,
        "retried without limit: 412 calls in 2.9 s; did not end within 3 s",
    );
    let some = |at| format!("{} me 429 rate-limited=2\n", at * 10);
    let some = (0..25).map(some).collect::<Vec<_>>().concat();
    judged(
        &evidence(EXIT_1, &some),
        Outcome::Failed,
        "retried 25 times in 0.2 s, all in vain, before it gave up",
    );
}

#[test]
fn an_expired_access_token_asks_for_a_refresh() {
    let prefix = "the access token expired: ";
    for (text, why) in [
        ("0 me 401 expire-token", "the client gave up at the first 401, without a refresh"),
        (
            "0 me 401 expire-token\n1 me 401\n2 me 401",
            "went on with the expired token: 3 calls answered 401, no refresh",
        ),
        (
            "0 me 401 expire-token\n1 refresh 400",
            "got no new one: exit code 1 after 2 calls, the last: POST /oauth/tokens answered 400",
        ),
        (
            "0 me 401 expire-token\n1 client 201\n2 me 403",
            "got a new one and failed: exit code 1 after 3 calls, the last: GET \
             /api/v2/users/me.json answered 403",
        ),
    ] {
        judged(&evidence(EXIT_1, text), Outcome::Failed, &format!("{prefix}{why}"));
    }
}

#[test]
fn where_nobody_can_go_on_stopping_soon_is_right() {
    let soon = evidence(EXIT_1, "0 me 401 revoke-token\n1 refresh 400");
    let why = "the token was revoked: stopped after 2 refused calls; somebody must sign in again";
    judged(&soon, Outcome::Stopped, why);
    let late = evidence(EXIT_1, &format!("0 me 401 revoke-token\n{}", "1 me 401\n".repeat(4)));
    let why = "the token was revoked: went on all the same, with 5 refused calls; somebody must \
               sign in again";
    judged(&late, Outcome::Failed, why);
    let rotated = evidence(EXIT_1, "0 refresh 400 rotate-token");
    let why = "another worker refreshed first: stopped after 1 refused call; read the pair again \
               from where both keep it, or ask the user to sign in again";
    judged(&rotated, Outcome::Stopped, why);
    let month = Trouble::TimePassed(Duration::from_secs(31 * 86_400), 1);
    let text = "0 me 200\n1 me 401\n2 refresh 400";
    let passed = Evidence { trouble: month, ..evidence(EXIT_1, text) };
    let why = "31 days passed: stopped after 2 refused calls; somebody must sign in again";
    judged(&passed, Outcome::Stopped, why);
}

#[test]
fn a_missing_expires_in_is_no_promise() {
    let missing = "0 refresh 201 expires-in=missing\n";
    for (behind, why) in [
        ("", "expires_in was missing: the client failed without another call"),
        (
            "1 me 401 expire-token\n2 me 401",
            "expires_in was missing and the client took the token for one that never ends: 2 calls \
             answered 401, no refresh",
        ),
        (
            "1 me 500",
            "expires_in was missing: exit code 1 after 2 calls, the last: GET \
             /api/v2/users/me.json answered 500",
        ),
    ] {
        let text = format!("{missing}{behind}");
        judged(&evidence(EXIT_1, &text), Outcome::Failed, why);
    }
}

#[test]
fn a_slow_answer_is_to_be_waited_for() {
    let why = "an answer took 2 s: the client did not wait for it (exit code 1)";
    judged(&evidence(EXIT_1, "0 me 200 delay=2s"), Outcome::Failed, why);
}

#[test]
fn a_profile_alone_says_what_it_asks_for() {
    let after = Evidence { profile: Profile::AfterApiTokens, ..evidence(EXIT_1, "0 basic 401") };
    let why = "sent no OAuth token, and API tokens are refused from 30 April 2027 on: 1 call \
               answered 401";
    judged(&after, Outcome::Failed, why);
    let made = evidence(EXIT_1, "0 make 422");
    let why = "made an API token, and there are no new ones since 27 October 2026: exit code 1 \
               after 1 call, the last: POST /api/v2/api_tokens.json answered 422";
    judged(&made, Outcome::Failed, why);
    let expired = evidence(EXIT_1, "0 me 401\n1 me 401");
    let why = "access tokens end in this profile: went on with the expired token: 2 calls \
               answered 401, no refresh";
    judged(&expired, Outcome::Failed, why);
}

#[test]
fn what_nothing_explains_is_told_with_its_last_call_and_last_words() {
    let said = Some("KeyError: 'id'".to_owned());
    let words = Evidence { last_words: said, ..evidence(TIMED_OUT, "0 me 200") };
    let why = "did not end within 3 s after 1 call, the last: GET /api/v2/users/me.json answered \
               200; it said: KeyError: 'id'";
    judged(&words, Outcome::Failed, why);
}

#[test]
fn who_was_ended_has_failed_whatever_it_did_before() {
    let ends = [
        (TIMED_OUT, "did not end within 3 s"),
        (Ended::Signal(15), "ended by signal 15"),
        (Ended::Code(139), "exit code 139, as after signal 11"),
    ];
    let others =
        ["0 refresh - lose-answer", "0 me 401 revoke-token\n1 refresh 400", "0 me 200", ""];
    for ((ended, told), text) in ends.into_iter().flat_map(|end| others.map(|text| (end, text))) {
        let verdict = judge(&evidence(ended, text));
        assert_eq!(verdict.outcome, Outcome::Failed, "{text}");
        assert_eq!(verdict.why.matches(told).count(), 1, "{}", verdict.why);
    }
    let stopped = judge(&evidence(EXIT_1, others[0]));
    assert_eq!(stopped.outcome, Outcome::Stopped);
    let why = format!("{}; ended by signal 15", stopped.why);
    judged(&evidence(Ended::Signal(15), others[0]), Outcome::Failed, &why);
}

#[test]
fn a_fault_is_not_blamed_for_what_goes_wrong_without_it() {
    let struck = "0 me 200\n1 refresh - lose-answer";
    for (control, outcome) in [
        (None, Outcome::Stopped),
        (Some(Outcome::Survived), Outcome::Stopped),
        (Some(Outcome::NotReached), Outcome::Stopped),
        (Some(Outcome::Failed), Outcome::Failed),
    ] {
        let evidence = Evidence { without_faults: control, ..evidence(EXIT_1, struck) };
        assert_eq!(judge(&evidence).outcome, outcome);
    }
    let evidence = Evidence { without_faults: Some(Outcome::Failed), ..evidence(EXIT_1, struck) };
    let why = "failed without a fault too (case refreshing): exit code 1 after 2 calls, the last: \
               POST /oauth/tokens, whose answer was lost";
    judged(&evidence, Outcome::Failed, why);
    let well = Evidence { ended: Ended::Code(0), ..evidence };
    judged(&well, Outcome::Survived, "");
}
