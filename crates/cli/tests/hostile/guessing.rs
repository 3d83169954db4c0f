//! Guessing in parallel: by every spelling of a name, at every door, for names that are somebody's
//! and names that are nobody's.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    given::{self, Given},
    one_at_a_time,
    wire::Answer,
};

const FORM: &str = "application/x-www-form-urlencoded";
const PER_ACCOUNT: usize = 20;
const PER_ADDRESS: usize = 60;
/// With limits as they are by default, and a door for passwords at the record API too.
const LIMITED: [(&str, &str); 2] =
    [("TOKENRY_RATE_LIMITS", "on"), ("TOKENRY_RECORD_API_PASSWORD_ACCESS", "true")];

/// Spellings of one address: case, blanks around it, and what a form or Basic makes of them.
const SPELLINGS: [&str; 8] = [
    "ada@acme.test",
    "ADA@ACME.TEST",
    "aDa@acme.TEST",
    " ada@acme.test",
    "ada@acme.test ",
    "\tAda@acme.test\t",
    "\u{a0}ada@acme.test",
    "ada@acme.test\u{3000}",
];

/// How many answers of each status.
fn count(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

/// Runs guesses side by side, and the answers in no order.
fn at_once(workers: usize, guess: impl Fn(usize) -> Vec<Answer> + Sync) -> Vec<Answer> {
    thread::scope(|scope| {
        let guess = &guess;
        let threads: Vec<_> = (0..workers).map(|at| scope.spawn(move || guess(at))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// One attempt at the sign-in page, from a browser that it knows nothing of.
fn sign_in(given: &Given, browser: &str, token: &str, email: &str, password: &str) -> Answer {
    let body = form(&[("email", email), ("password", password), ("page_token", token)]);
    given.ask("POST", "/sign-in", &[("Cookie", browser), ("Content-Type", FORM)], &body)
}

/// The cookie and the page token of a new browser.
fn strange_browser(given: &Given) -> (String, String) {
    let page = given.ask("GET", "/sign-in", &[], "");
    (given::cookies(&page), given::field(&page.body, "page_token"))
}

fn basic(given: &Given, user: &str, password: &str) -> Answer {
    let header = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    given.ask("GET", "/api/v2/users/me", &[("Authorization", &header)], "")
}

fn client(given: &Given, identifier: &str, secret: &str) -> Answer {
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", identifier),
        ("client_secret", secret),
    ]);
    given.ask("POST", "/oauth/token", &[("Content-Type", FORM)], &body)
}

#[test]
fn guesses_at_one_account_by_any_spelling_and_door_share_one_limit() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &LIMITED);
    let (browser, token) = strange_browser(&given);
    let answers = at_once(SPELLINGS.len(), |worker| {
        let spelling = SPELLINGS[worker];
        (0..6)
            .map(|guess| match guess % 3 {
                0 => sign_in(&given, &browser, &token, spelling, "wrong"),
                1 => basic(&given, spelling, "wrong"),
                _ => basic(&given, &format!("{spelling}/token"), "wrong"),
            })
            .collect()
    });
    let counts = count(&answers);
    let judged = counts.get(&401).unwrap_or(&0) + counts.get(&422).unwrap_or(&0);
    assert_eq!(judged, PER_ACCOUNT, "{counts:?}");
    assert_eq!(counts.get(&429), Some(&(answers.len() - PER_ACCOUNT)), "{counts:?}");
    for answer in answers.iter().filter(|answer| answer.status == 429) {
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    // The right password is refused too: an answer would tell that it was right.
    let password = &given.values["password"];
    let answer = sign_in(&given, &browser, &token, "Ada@Acme.Test", password);
    assert_eq!(answer.status, 429, "{answer:?}");
    let answer = basic(&given, "ada@acme.test/token", &given.values["api_token"]);
    assert_eq!(answer.status, 429, "{answer:?}");
}

#[test]
fn guesses_at_one_client_by_any_spelling_and_endpoint_share_one_limit() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &LIMITED);
    let spellings = ["acme_reports", "ACME_REPORTS", "Acme_Reports", "acme_Reports"];
    let answers = at_once(spellings.len(), |worker| {
        let spelling = spellings[worker];
        let endpoints = ["/oauth/token", "/oauth/tokens", "/oauth/revoke", "/oauth/introspect"];
        let by_body = endpoints.iter().map(|path| {
            let body = form(&[
                ("grant_type", "client_credentials"),
                ("token", "x"),
                ("client_id", spelling),
                ("client_secret", "wrong"),
            ]);
            given.ask("POST", path, &[("Content-Type", FORM)], &body)
        });
        let encoded = spelling.replace('_', "%5f");
        let by_header = endpoints.iter().map(|path| {
            let header = format!("Basic {}", STANDARD.encode(format!("{encoded}:wrong")));
            let headers = [("Authorization", header.as_str()), ("Content-Type", FORM)];
            given.ask("POST", path, &headers, "grant_type=client_credentials&token=x")
        });
        by_body.chain(by_header).collect()
    });
    let counts = count(&answers);
    assert_eq!(counts, BTreeMap::from([(401, PER_ACCOUNT), (429, answers.len() - PER_ACCOUNT)]));
    let answer = client(&given, "acme_reports", &given.values["secret"]);
    assert_eq!(answer.status, 429, "{answer:?}");
}

#[test]
fn guesses_from_one_address_share_one_limit_whoever_they_are_at() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &LIMITED);
    let (browser, token) = strange_browser(&given);
    let answers = at_once(8, |worker| {
        (0..12)
            .map(|guess| {
                let name = format!("user{worker}.{guess}@acme.test");
                match guess % 3 {
                    0 => sign_in(&given, &browser, &token, &name, "wrong"),
                    1 => basic(&given, &format!("{name}/token"), "wrong"),
                    _ => client(&given, &format!("client{worker}.{guess}"), "wrong"),
                }
            })
            .collect()
    });
    let counts = count(&answers);
    let refused = counts.get(&429).copied().unwrap_or_default();
    assert_eq!(answers.len() - refused, PER_ADDRESS, "{counts:?}");
    // What is not guessed at is served, to this address too.
    let answer =
        given.ask("GET", "/api/v2/users/me", &[("Authorization", &given.values["bearer"])], "");
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_claimed_address_is_nobodys_way_round_the_limit() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &LIMITED);
    let answers = at_once(8, |worker| {
        (0..10)
            .map(|guess| {
                let address = format!("203.0.113.{}", worker * 10 + guess);
                let forwarded = format!("for={address}");
                let name = format!("user{worker}.{guess}@acme.test/token:wrong");
                let basic = format!("Basic {}", STANDARD.encode(name));
                let headers = [
                    ("Authorization", basic.as_str()),
                    ("X-Forwarded-For", &address),
                    ("X-Real-IP", &address),
                    ("Forwarded", &forwarded),
                ];
                given.ask("GET", "/api/v2/users/me", &headers, "")
            })
            .collect()
    });
    let counts = count(&answers);
    assert_eq!(counts, BTreeMap::from([(401, PER_ADDRESS), (429, answers.len() - PER_ADDRESS)]));
}

/// Sends a wrong secret for a name.
type Guess<'a> = &'a dyn Fn(&str) -> Answer;

/// What an answer says, apart from what differs between any two answers, and from the name that
/// the form gives back.
fn said(answer: &Answer, name: &str) -> (u16, Vec<String>, String) {
    let names = ["content-type", "www-authenticate", "cache-control", "content-security-policy"];
    let headers = names.iter().map(|name| answer.header(name).unwrap_or_default().to_owned());
    let body = answer.body.replace(name, "NAME");
    let (before, rest) = body.split_once("name=\"page_token\"").unwrap_or((&body, ""));
    let after = rest.split_once('>').map_or(rest, |(_, after)| after);
    (answer.status, headers.collect(), format!("{before}{after}"))
}

#[test]
fn an_unknown_name_is_told_like_a_wrong_secret_in_status_text_and_time() {
    /// Pairs of guesses; the order within a pair alternates.
    const PAIRS: usize = 24;
    /// In so many one name took less than half as long as the other: skipping one password hash
    /// saves more than nine tenths of the time, and shows in nearly all. The machine makes some
    /// guesses late, of either name.
    const APART_MAX: usize = PAIRS * 3 / 4;
    /// Without a hash both are over within the noise: nothing can be compared.
    const NOISE: Duration = Duration::from_millis(5);

    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let settings = [("TOKENRY_RECORD_API_PASSWORD_ACCESS", "true")];
    let given = Given::new(folder.path(), &settings);
    let (browser, token) = strange_browser(&given);
    let doors: [(&str, &str, &str, Guess<'_>); 4] = [
        ("sign-in", "ada@acme.test", "eva@acme.test", &|name| {
            sign_in(&given, &browser, &token, name, "wrong password")
        }),
        ("password", "ada@acme.test", "eva@acme.test", &|name| {
            basic(&given, name, "wrong password")
        }),
        ("API token", "ada@acme.test/token", "eva@acme.test/token", &|name| {
            basic(&given, name, "wrong")
        }),
        ("client secret", "acme_reports", "acme_nothing", &|name| client(&given, name, "wrong")),
    ];
    for (door, known, unknown, guess) in doors {
        let mut apart = [0, 0];
        for pair in 0..PAIRS {
            let mut times = [Duration::ZERO; 2];
            let mut told = [None, None];
            for at in [pair % 2, 1 - pair % 2] {
                let name = [known, unknown][at];
                let started = Instant::now();
                let answer = guess(name);
                times[at] = started.elapsed();
                told[at] = Some(said(&answer, name));
            }
            assert_eq!(told[0], told[1], "{door}");
            for (at, slower) in times.into_iter().enumerate() {
                apart[at] += usize::from(slower > NOISE.max(2 * times[1 - at]));
            }
        }
        let [known, unknown] = apart;
        println!("{door}: the known name was slower in {known} pairs, the unknown in {unknown}");
        assert!(known.max(unknown) < APART_MAX, "{door}: {known} and {unknown} of {PAIRS}");
    }
}
