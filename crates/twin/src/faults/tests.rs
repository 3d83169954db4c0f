//! What the language of faults promises.

use std::{num::NonZeroU32, time::Duration};

use http::Method;
use proptest::prelude::*;
use serde_json::json;
use tokenry_protocol::oauth::token::GrantType;

use super::*;

fn any_fault() -> impl Strategy<Value = Fault> {
    let status = prop::sample::select(ServerError::ALL.to_vec());
    let effect = prop::sample::select(vec![Effect::Applied, Effect::NotApplied]);
    prop_oneof![
        Just(Fault::LoseAnswer),
        Just(Fault::CutAnswer),
        (0..=3_600_000_u64).prop_map(|millis| Fault::Delay(Duration::from_millis(millis))),
        (1..=RETRY_AFTER_MAX).prop_map(|retry_after| Fault::RateLimited { retry_after }),
        (status, effect).prop_map(|(status, effect)| Fault::Status(status, effect)),
        Just(Fault::ExpireToken),
        Just(Fault::RevokeToken),
        Just(Fault::RotateToken),
        any::<Option<i64>>().prop_map(Fault::ExpiresIn),
        (-CLOCK_SKEW_MAX..=CLOCK_SKEW_MAX).prop_map(Fault::ClockSkew),
    ]
}

fn any_route() -> impl Strategy<Value = RoutePattern> {
    let words = RouteWord::ALL.to_vec();
    prop_oneof![
        prop::sample::select(words).prop_map(RoutePattern::Word),
        "/(api/v2/)?[a-z_%0-9.]{0,8}(/\\*|/\\{id\\}|/[a-z=]{1,5}){0,3}(\\.json){0,2}"
            .prop_map(|text| text.parse().unwrap()),
    ]
}

fn any_count() -> impl Strategy<Value = NonZeroU32> {
    any::<u32>().prop_filter_map("not 0", NonZeroU32::new)
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let when = prop_oneof![
        Just(When::Always),
        any_count().prop_map(When::Every),
        (0.0..=1.0).prop_filter_map("not 0", |it| Probability::new(it).map(When::Probability)),
    ];
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::DELETE]);
    (
        any_fault(),
        prop::option::of(any_route()),
        prop::option::of(method),
        when,
        any::<u32>(),
        prop::option::of(any_count()),
    )
        .prop_map(|(fault, route, method, when, after, times)| Rule {
            fault,
            route,
            method,
            when,
            after,
            times,
        })
}

proptest! {
    #[test]
    fn a_rule_reads_back_as_it_was_written(rule in any_rule()) {
        prop_assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
    }

    #[test]
    fn a_rule_is_the_same_as_members_of_json_and_of_toml(rule in any_rule()) {
        let json = serde_json::to_string(&rule).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Rule>(&json).unwrap(), &rule);
        let toml = toml::to_string(&rule).unwrap();
        prop_assert_eq!(&toml::from_str::<Rule>(&toml).unwrap(), &rule);
        let text = serde_json::Value::from(rule.to_string());
        prop_assert_eq!(&serde_json::from_value::<Rule>(text).unwrap(), &rule);
    }

    #[test]
    fn a_fault_reads_back_from_a_header(fault in any_fault()) {
        prop_assert_eq!(Fault::in_header(&fault.to_string()).unwrap(), [fault]);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<Rule>();
        let _ = Fault::in_header(&text);
        let _ = Scenario::read(&text);
    }

    #[test]
    fn the_same_seed_rules_and_calls_give_the_same_decisions(
        seed in any::<u64>(),
        rules in prop::collection::vec(any_rule(), 0..6),
        calls in prop::collection::vec(0..4_usize, 0..60),
        at in 0..60_usize,
    ) {
        let mut faults = Faults::new(seed);
        let mut again = Faults::new(seed);
        for rule in rules {
            prop_assert_eq!(faults.add(rule.clone()), again.add(rule));
        }
        for (number, call) in calls.iter().enumerate() {
            if number == at {
                // A snapshot goes on as what it was taken of.
                again = again.clone();
            }
            prop_assert_eq!(faults.decide(&CALLS[*call]), again.decide(&CALLS[*call]));
        }
        prop_assert_eq!(faults, again);
    }

    #[test]
    fn no_two_faults_of_one_part_strike_one_call(
        rules in prop::collection::vec(any_rule(), 0..12),
        calls in prop::collection::vec(0..4_usize, 0..30),
    ) {
        let mut faults = Faults::new(7);
        for rule in rules {
            // Rules that strike: most of the others never would.
            faults.add(Rule { route: None, method: None, after: rule.after % 3, ..rule });
        }
        for call in calls {
            let struck = faults.decide(&CALLS[call]);
            for (at, one) in struck.iter().enumerate() {
                let rest = &struck[at + 1..];
                prop_assert!(rest.iter().all(|other| other.fault.part() != one.fault.part()));
                prop_assert!(one.fault.concerns(&CALLS[call]));
            }
        }
        for rule in faults.list() {
            prop_assert!(rule.struck <= rule.matched);
            prop_assert!(rule.rule.times.is_none_or(|most| rule.struck <= u64::from(most.get())));
        }
    }
}

const ME: Seen<'_> = Seen {
    method: &Method::GET,
    path: "/api/v2/users/me.json",
    grant_type: None,
    presents: Presented::AccessToken,
};
const BASIC: Seen<'_> = Seen { presents: Presented::NoToken, ..ME };
const REFRESH: Seen<'_> = Seen {
    method: &Method::POST,
    path: "/oauth/tokens",
    grant_type: Some(GrantType::RefreshToken),
    presents: Presented::RefreshToken,
};
const CODE: Seen<'_> = Seen {
    method: &Method::POST,
    path: "/oauth/token",
    grant_type: Some(GrantType::AuthorizationCode),
    presents: Presented::NoToken,
};
const CALLS: [Seen<'_>; 4] = [ME, BASIC, REFRESH, CODE];

fn of(rules: &[&str]) -> Faults {
    let mut faults = Faults::new(7);
    for rule in rules {
        faults.add(rule.parse().unwrap());
    }
    faults
}

/// The calls, counted from 1, at which something strikes, with what.
fn struck(faults: &mut Faults, seen: &Seen<'_>, calls: usize) -> String {
    let decide = |call| {
        let struck = faults.decide(seen);
        let texts: Vec<String> = struck.iter().map(|it| it.fault.to_string()).collect();
        (!texts.is_empty()).then(|| format!("{call}:{}", texts.join("+")))
    };
    (1..=calls).filter_map(decide).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_says_when_it_strikes() {
    for (rule, expected) in [
        ("lose-answer", "1:lose-answer"),
        ("lose-answer after=2", "3:lose-answer"),
        ("lose-answer times=2", "1:lose-answer 2:lose-answer"),
        ("lose-answer every=3", "3:lose-answer 6:lose-answer"),
        ("lose-answer every=3 after=2", "5:lose-answer 8:lose-answer"),
        ("lose-answer every=2 times=2", "2:lose-answer 4:lose-answer"),
        ("lose-answer always after=6", "7:lose-answer 8:lose-answer"),
        ("lose-answer probability=1 times=1", "1:lose-answer"),
        ("lose-answer route=refresh always", ""),
        ("lose-answer method=POST always", ""),
        ("lose-answer method=get", "1:lose-answer"),
    ] {
        assert_eq!(struck(&mut of(&[rule]), &ME, 8), expected, "{rule}");
    }
}

#[test]
fn faults_of_the_same_part_take_turns_and_others_strike_together() {
    let mut faults = of(&["status=503", "rate-limited=5", "delay=2s", "revoke-token"]);
    let expected = "1:status=503+delay=2s+revoke-token 2:rate-limited=5";
    assert_eq!(struck(&mut faults, &ME, 4), expected);
}

#[test]
fn a_rule_neither_counts_nor_draws_at_a_call_whose_answer_another_has_decided() {
    for (rules, expected) in [
        (
            ["status=503 times=2", "rate-limited=5 every=2 times=1"],
            "1:status=503 2:status=503 4:rate-limited=5",
        ),
        (
            ["status=503 every=2", "rate-limited=5 every=2 times=2"],
            "2:status=503 3:rate-limited=5 4:status=503 6:status=503",
        ),
        (["status=503 times=1", "rate-limited=5 after=1"], "1:status=503 3:rate-limited=5"),
    ] {
        assert_eq!(struck(&mut of(&rules), &ME, 6), expected, "{rules:?}");
    }
    let drawn = "rate-limited=5 probability=0.5";
    let (mut alone, mut behind) =
        (of(&["status=503 after=999", drawn]), of(&["status=503 times=3", drawn]));
    assert_eq!(struck(&mut behind, &ME, 3), "1:status=503 2:status=503 3:status=503");
    for _ in 0..50 {
        assert_eq!(alone.decide(&ME), behind.decide(&ME));
    }
}

#[test]
fn a_fault_of_a_token_waits_for_a_call_that_presents_one() {
    let mut faults = of(&["expire-token"]);
    assert_eq!(struck(&mut faults, &BASIC, 3), "");
    assert_eq!(struck(&mut faults, &CODE, 3), "");
    assert_eq!(struck(&mut faults, &REFRESH, 3), "1:expire-token");
}

#[test]
fn a_fault_of_the_token_answer_waits_for_a_token_request() {
    let mut faults = of(&["expires-in=missing"]);
    assert_eq!(struck(&mut faults, &ME, 3), "");
    assert_eq!(struck(&mut faults, &CODE, 3), "1:expires-in=missing");
}

#[test]
fn a_probability_is_kept_in_the_long_run_and_follows_the_seed() {
    let count = |seed| {
        let mut faults = Faults::new(seed);
        faults.add("status=500 probability=0.25".parse().unwrap());
        (0..4_000).filter(|_| !faults.decide(&ME).is_empty()).collect::<Vec<_>>()
    };
    let (seven, eight) = (count(7), count(8));
    assert!((900..1_100).contains(&seven.len()), "{}", seven.len());
    assert!(seven != eight && seven == count(7));
}

#[test]
fn other_rules_change_nothing_for_one_with_a_probability() {
    let rule = "status=500 probability=0.5";
    let mut alone = of(&[rule]);
    let mut beside = of(&[rule, "delay=1s probability=0.5", "expire-token every=2"]);
    for _ in 0..200 {
        let alone = alone.decide(&ME);
        let beside = beside.decide(&ME);
        assert_eq!(alone.first(), beside.first().filter(|it| it.rule == Some(1)));
    }
}

#[test]
fn a_header_goes_before_the_rules_and_leaves_them_for_later() {
    let mut faults = of(&["status=503"]);
    let in_header = Fault::in_header("lose-answer, expires-in=missing, delay=1s").unwrap();
    let struck = faults.decide_with(in_header, &ME);
    let lost = Struck { rule: None, fault: Fault::LoseAnswer };
    let delayed = Struck { rule: None, fault: Fault::Delay(Duration::from_secs(1)) };
    assert_eq!(struck, [lost, delayed]);
    let status = Fault::Status(ServerError::ServiceUnavailable, Effect::NotApplied);
    assert_eq!(faults.decide(&ME), [Struck { rule: Some(1), fault: status }]);
}

#[test]
fn a_list_tells_how_often_each_matched_and_struck() {
    let mut faults = of(&["status=503 route=/oauth/* every=2", "lose-answer route=refresh"]);
    for seen in [ME, REFRESH, CODE, REFRESH] {
        faults.decide(&seen);
    }
    assert_eq!(
        serde_json::to_value(faults.list()).unwrap(),
        json!([
            {
                "id": 1,
                "text": "status=503 route=/oauth/* every=2",
                "rule": {"status": 503, "route": "/oauth/*", "every": 2},
                "matched": 3, "struck": 1, "spent": false
            },
            {
                "id": 2,
                "text": "lose-answer route=refresh",
                "rule": {"lose_answer": true, "route": "refresh"},
                "matched": 2, "struck": 1, "spent": true
            },
        ])
    );
}

#[test]
fn a_rule_that_was_removed_strikes_no_more_and_its_id_is_not_given_again() {
    let mut faults = of(&["lose-answer always", "status=500 always"]);
    assert_eq!(faults.remove(1).map(|removed| removed.id), Some(1));
    assert_eq!(faults.remove(1), None);
    assert_eq!(struck(&mut faults, &ME, 1), "1:status=500");
    assert_eq!(faults.add(Rule::once(Fault::CutAnswer)), 3);
}

#[test]
fn after_clearing_everything_is_as_at_first() {
    let mut faults = of(&["lose-answer probability=0.5"]);
    struck(&mut faults, &ME, 9);
    faults.clear();
    assert_eq!(faults, Faults::new(7));
}

#[test]
fn what_strikes_says_whether_the_call_is_kept_from_the_server() {
    for (text, prevents) in [
        ("status=502", true),
        ("status=502 applied", false),
        ("rate-limited", true),
        ("lose-answer", false),
        ("delay=1s", false),
    ] {
        assert_eq!(text.parse::<Fault>().unwrap().prevents_the_call(), prevents, "{text}");
    }
}

#[test]
fn what_is_no_rule_is_told_what_is() {
    let words = "lose-answer, cut-answer, delay, rate-limited, status, applied, expire-token, \
                 revoke-token, rotate-token, expires-in, clock-skew, route, method, always, every, \
                 probability, after, times";
    let faults = "lose-answer, cut-answer, delay, rate-limited, status, expire-token, \
                  revoke-token, rotate-token, expires-in, clock-skew";
    let other = format!("xyz is no word of a fault: the words are {words}");
    let none = format!("no fault is named: begin with one of {faults}");
    for (text, told) in [
        ("lose-anwser", "lose-anwser is no word of a fault: did you mean lose-answer?"),
        ("xyz", &other),
        ("", &none),
        ("every=3", &none),
        ("applied", &none),
        ("status", "status has no value: write status= and 500, 502, 503 or 504"),
        ("status=429", "status=429: write 500, 502, 503 or 504"),
        ("status=503 status=500", "status is written twice: leave one of them out"),
        ("status=503 delay=1s", "status and delay are two faults: write a rule for each"),
        (
            "delay=1s applied",
            "applied belongs to status: leave it out, or write status=502 applied",
        ),
        ("lose-answer=5", "lose-answer takes no value: write it alone, or as true"),
        ("delay=2h", "delay=2h: write up to 1h, a number with ms, s or m behind it"),
        ("rate-limited=0", "rate-limited=0: write whole seconds from 1 to 86400"),
        ("rate-limited=+5", "rate-limited=+5: write whole seconds from 1 to 86400"),
        ("expires-in=soon", "expires-in=soon: write missing, or a whole number"),
        (
            "clock-skew=11y",
            "clock-skew=11y: write up to 3650d in whole seconds, as 90s, 5m or -31d",
        ),
        ("lose-answer every=0", "every=0: write a whole number from 1 on"),
        ("lose-answer times=0", "times=0: write a whole number from 1 on"),
        ("lose-answer after=-1", "after=-1: write a whole number"),
        ("lose-answer probability=1.5", "probability=1.5: write more than 0 and at most 1"),
        ("lose-answer probability=NaN", "probability=NaN: write more than 0 and at most 1"),
        ("lose-answer every=2 always", "every and always both say when: leave one of them out"),
        (
            "lose-answer method=FETCH",
            "method=FETCH: write one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), told, "{text}");
    }
}

#[test]
fn a_header_has_faults_and_nothing_that_speaks_of_other_calls() {
    let told = |text| Fault::in_header(text).unwrap_err().to_string();
    assert_eq!(
        told("lose-answer every=3"),
        "every has no place in a header, which speaks of its own call alone: leave it out"
    );
    assert_eq!(
        told("lose-answer,status=503 applied"),
        "lose-answer and status=503 applied cannot both become of one call: leave one of them out"
    );
    assert!(told("lose-answer,").starts_with("no fault is named"));
}

#[test]
fn a_member_has_a_number_a_text_or_true() {
    let told = |value| serde_json::from_value::<Rule>(value).unwrap_err().to_string();
    let right = "write true, or leave the word out";
    assert_eq!(told(json!({"lose_answer": false})), right);
    for other in [json!(null), json!([1]), json!({"a": 1})] {
        let told = told(json!({"expires_in": other}));
        assert!(told.contains("expected a number, a text or true for expires_in"), "{told}");
    }
    assert!(told(json!(7)).contains("expected a fault: a text such as"));
    assert_eq!(
        told(json!({"lose-answer": true, "lose_answer": true})),
        "lose-answer is written twice: leave one of them out"
    );
}
