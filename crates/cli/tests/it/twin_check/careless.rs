//! Clients that do one thing wrong, and how they are told.

use super::{CLIENT, cases, check};

/// One case of one client: what came of it, and why.
#[track_caller]
fn judged(case: &str, options: &[&str], script: &str) -> (String, String) {
    // Some of them cannot do without the fault.
    let mut options = [&["--only", case, "--json"], options].concat();
    if case != "refreshing" {
        options.extend(["--skip", "refreshing"]);
    }
    let (cases, code) = cases(check(&options, &format!("{CLIENT}\n{script}")));
    assert_eq!(cases.len(), 1);
    let text = |name: &str| cases[0][name].as_str().unwrap().to_owned();
    let (result, why) = (text("result"), text("why"));
    let is_well = ["survived", "stopped"].contains(&result.as_str());
    assert_eq!(code, Some(if is_well { 0 } else { 6 }), "{result}: {why}");
    (result, why)
}

#[track_caller]
fn fails(case: &str, options: &[&str], script: &str, why: &str) {
    assert_eq!(judged(case, options, script), ("failed".to_owned(), why.to_owned()));
}

const REFRESH: &str = "answer=$(pair $ZENDESK_REFRESH_TOKEN)
access=$(echo \"$answer\" | member access_token)
[ -n \"$access\" ] || exit 1";

#[test]
fn who_gives_up_at_a_lost_answer_is_told_what_would_have_worked() {
    let why = "refresh answer lost: the client gave up; the previous token would have worked";
    fails("lose-answer", &["--rotation", "forgiving"], REFRESH, why);
    let (result, why) = judged("lose-answer", &[], REFRESH);
    assert_eq!(result, "stopped");
    assert!(why.ends_with("the previous token is spent, so ask the user again"), "{why}");
}

#[test]
fn a_refresh_that_is_repeated_gets_its_pair_where_rotation_forgives() {
    let script = format!("pair $ZENDESK_REFRESH_TOKEN\n{REFRESH}");
    let (result, why) = judged("lose-answer", &["--rotation", "forgiving"], &script);
    assert_eq!((result.as_str(), why.as_str()), ("survived", ""));
    let (result, why) = judged("lose-answer", &[], &script);
    assert_eq!(result, "stopped");
    assert!(why.contains("sent the old refresh token again"), "{why}");
    let five_times = format!("{}\n{REFRESH}", "pair $ZENDESK_REFRESH_TOKEN\n".repeat(5));
    let (result, why) = judged("lose-answer", &[], &five_times);
    assert_eq!(result, "failed");
    assert!(why.contains("sent the old refresh token 5 times again"), "{why}");
}

#[test]
fn who_does_not_wait_for_retry_after_is_told_how_soon_the_next_call_came() {
    let script = format!("{REFRESH}\nme $access\n[ $(me $access) = 200 ]");
    let (result, why) = judged("rate-limited", &[], &script);
    assert_eq!(result, "failed");
    assert!(
        why.starts_with("429 with Retry-After 2 was not waited for (next call after "),
        "{why}"
    );
    let script = format!("{REFRESH}\n[ $(me $access) = 200 ]");
    let why = "429 with Retry-After 2: the client gave up in place of waiting";
    fails("rate-limited", &[], &script, why);
}

#[test]
fn who_goes_on_with_an_expired_token_is_told_how_often() {
    let script = format!("{REFRESH}\nme $access\nme $access\n[ $(me $access) = 200 ]");
    let why = "the access token expired: went on with the expired token: 3 calls answered 401, no \
               refresh";
    fails("expire-token", &[], &script, why);
    let script = format!("{REFRESH}\n[ $(me $access) = 200 ]");
    let why = "the access token expired: the client gave up at the first 401, without a refresh";
    fails("expire-token", &[], &script, why);
}

#[test]
fn who_tries_for_ever_is_ended_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let id = folder.path().join("id");
    let script = format!(
        "{REFRESH}\n(tail -f /dev/null) & echo $! > '{}'\n\
         until [ $(me $access) = 200 ]; do :; done",
        id.display()
    );
    let (result, why) = judged("revoke-token", &["--timeout", "6s"], &script);
    assert_eq!(result, "failed");
    assert!(why.starts_with("retried without limit: "), "{why}");
    let id = std::fs::read_to_string(id).unwrap();
    // A process that was ended is gone, or a zombie that nobody has asked about.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn who_hangs_is_told_where() {
    let script =
        format!("{REFRESH}\nme $access; echo\necho waiting for news\nexec tail -f /dev/null");
    let why = "did not end within 5 s after 2 calls, the last: GET /api/v2/users/me.json answered \
               200; it said: waiting for news";
    fails("legacy", &["--timeout", "5s"], &script, why);
}

#[test]
fn who_takes_a_missing_expires_in_for_a_promise_is_told_so() {
    let script = format!("{REFRESH}\nme $access; me $access\n[ $(me $access) = 200 ]");
    let why = "expires_in was missing and the client took the token for one that never ends: 2 \
               calls answered 401, no refresh";
    fails("expires-in", &[], &script, why);
    let script = "pair $ZENDESK_REFRESH_TOKEN | grep expires_in.:";
    fails("expires-in", &[], &format!("{script} | grep -v refresh_token_expires_in"), {
        "expires_in was missing: the client failed without another call"
    });
}

#[test]
fn who_goes_on_when_nobody_can_is_told_to_stop() {
    let script = format!("{REFRESH}\nfor _ in 1 2 3 4; do me $access; done\nexit 1");
    let why = "the token was revoked: went on all the same, with 4 refused calls; somebody must \
               sign in again";
    fails("revoke-token", &[], &script, why);
    let (result, why) = judged("revoke-token", &[], &format!("{REFRESH}\nme $access\nexit 1"));
    assert_eq!(result, "stopped");
    assert!(why.starts_with("the token was revoked: stopped after 1 refused call"), "{why}");
    let (result, why) = judged("rotate-token", &[], REFRESH);
    assert_eq!(result, "stopped");
    assert!(why.starts_with("another worker refreshed first: stopped after 1 refused"), "{why}");
}

#[test]
fn answers_that_are_slow_cut_or_failures_are_told_by_their_call() {
    let why = "an answer took 2 s: the client did not wait for it (exit code 28)";
    fails("delay", &[], "curl -sS -m 1 \"$ZENDESK_SERVER_URL/api/v2/users/me.json\"", why);
    let script = format!("{REFRESH}\nme $access || exit 1");
    let why = "answer of GET /api/v2/users/me.json cut: the client gave up and did not try again";
    fails("cut-answer", &[], &script, why);
    let why = "POST /oauth/tokens answered 503: the client gave up and did not try again";
    fails("status", &[], REFRESH, why);
}

#[test]
fn a_client_with_an_api_token_is_told_when_that_ends() {
    let basic = "curl -sS -f -u \"$ZENDESK_USERNAME:$ZENDESK_PASSWORD\" \
                 $ZENDESK_SERVER_URL/api/v2/";
    let why = "sent no OAuth token, and API tokens are refused from 30 April 2027 on: 1 call \
               answered 401";
    let asks = format!("{basic}users/me.json");
    // Without credentials a double says who nobody is: what needs some is asked.
    let asks = asks.replace("users/me.json", "oauth/tokens.json");
    fails("after-2027-04-30", &[], &asks, why);
    assert_eq!(judged("refreshing", &[], &asks).0, "survived");
    let makes = format!("{basic}api_tokens.json -H 'Content-Type: application/json' -d '{{}}'");
    let (result, why) = judged("refreshing", &[], &makes);
    assert_eq!(result, "failed");
    let told = "made an API token, and there are no new ones since 27 October 2026: ";
    assert!(why.starts_with(told), "{why}");
}

#[test]
fn what_calls_nothing_or_nothing_that_can_fail_is_not_taken_for_good() {
    let (result, why) = judged("legacy", &[], "true");
    let told = "never called the twin: does it read ZENDESK_SERVER_URL?";
    assert_eq!((result.as_str(), why.as_str()), ("not_reached", told));
    fails("legacy", &[], "exit 7", &format!("{told} (exit code 7)"));
    let (result, why) = judged("rotate-token", &[], "me $ZENDESK_ACCESS_TOKEN");
    let told = "the fault never struck: the command makes no such call";
    assert_eq!((result.as_str(), why.as_str()), ("not_reached", told));
}

#[test]
fn a_month_that_passes_at_once_ends_the_refresh_token() {
    let script = format!("{REFRESH}\nme $access; me $access; me $access\n{REFRESH}");
    let scenario = ["--scenario", "refresh-token-expires"];
    let (result, why) = judged("scenario:refresh-token-expires", &scenario, &script);
    assert_eq!(result, "stopped", "{why}");
    assert!(why.starts_with("31 days passed: stopped after "), "{why}");
}
