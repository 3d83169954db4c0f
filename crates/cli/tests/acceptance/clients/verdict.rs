//! What a client does when something goes wrong, in a few words.

/// What came of a job: nothing to say, or the error that the client's caller sees.
pub(super) type Heard = Result<(), String>;

/// A client's way through a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The fault cannot strike it.
    NotMet,
    Works,
    Retries,
    Loops,
    StopsRefreshing(String),
    Hangs(String),
    HangsAndNeedsTheUser(String),
    /// It reports success, and what it reports is not so.
    SaysNothing(String),
    FailsThenWorks(String),
    Stuck(String),
    NeedsTheUser(String),
}

/// What was seen of it.
pub(super) struct Seen {
    /// How often the fault struck.
    pub(super) struck: u64,
    /// How many calls the client made for the first job, with the fault.
    pub(super) calls: u64,
    /// And how many it makes without one.
    pub(super) usual: u64,
    /// The job; the same once the trouble is over; and when another access token's life has passed.
    pub(super) jobs: [Heard; 3],
    /// Whether anything that the client holds at the end is good.
    pub(super) holds_good: bool,
}

/// How a script names an answer that is no error and not what was asked for.
const WRONG_ANSWER: &str = "WrongAnswer:";
/// And one that never came.
const HANGS: &str = "Hangs:";
/// As many repetitions of a refused call in one job are taken for repetitions without an end.
pub(super) const WITHOUT_END: u64 = 4;

impl Verdict {
    pub(super) fn of(seen: &Seen) -> Self {
        let more = seen.calls.saturating_sub(seen.usual);
        match &seen.jobs {
            [Ok(()), _, _] if seen.struck == 0 => Self::NotMet,
            [Ok(()), _, Err(error)] => Self::StopsRefreshing(error.clone()),
            [Ok(()), Err(error), Ok(())] => Self::FailsThenWorks(error.clone()),
            [Ok(()), _, _] if more >= WITHOUT_END => Self::Loops,
            [Ok(()), _, _] if more > 0 => Self::Retries,
            [Ok(()), _, _] => Self::Works,
            [Err(error), Err(_), _] if error.starts_with(HANGS) && !seen.holds_good => {
                Self::HangsAndNeedsTheUser(error.clone())
            }
            [Err(error), Ok(()), _] if error.starts_with(HANGS) => Self::Hangs(error.clone()),
            [Err(error), Ok(()), _] if error.starts_with(WRONG_ANSWER) => {
                Self::SaysNothing(error.clone())
            }
            [Err(error), Ok(()), _] => Self::FailsThenWorks(error.clone()),
            [Err(error), Err(_), _] if seen.holds_good => Self::Stuck(error.clone()),
            [Err(_), Err(error), _] => Self::NeedsTheUser(error.clone()),
        }
    }

    /// The word of the legend.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::NotMet => "–",
            Self::Works => "works",
            Self::Retries => "retries and works",
            Self::Loops => "loops",
            Self::StopsRefreshing(_) => "stops refreshing",
            Self::Hangs(_) => "hangs",
            Self::HangsAndNeedsTheUser(_) => "hangs, and needs the user again",
            Self::SaysNothing(_) => "says nothing",
            Self::FailsThenWorks(_) => "fails, then works",
            Self::Stuck(_) => "stuck",
            Self::NeedsTheUser(_) => "needs the user again",
        }
    }

    /// What the client's caller is told.
    pub(super) fn error(&self) -> Option<&str> {
        match self {
            Self::NotMet | Self::Works | Self::Retries | Self::Loops => None,
            Self::StopsRefreshing(error)
            | Self::Hangs(error)
            | Self::HangsAndNeedsTheUser(error)
            | Self::SaysNothing(error)
            | Self::FailsThenWorks(error)
            | Self::Stuck(error)
            | Self::NeedsTheUser(error) => Some(error),
        }
    }
}

/// Every word, with what it stands for.
pub(super) const LEGEND: &[(&str, &str)] = &[
    ("works", "the job is done, with no more calls than without the fault"),
    ("retries and works", "the client sends a call again by itself, and the job is done"),
    (
        "fails, then works",
        "the caller gets an error, and the same job works when it is asked for again, once the \
         trouble is over",
    ),
    (
        "says nothing",
        "as before, but the caller gets no error: the client reports success, and has nothing",
    ),
    (
        "hangs",
        "the caller gets neither an answer nor an error, for as long as was waited; what is asked \
         afterwards works, unless the word goes on",
    ),
    (
        "loops",
        "the client repeats the call by itself as often as it is refused; here the fourth refusal \
         was the last",
    ),
    (
        "stops refreshing",
        "the job is done, and with the next access token the client does not notice its end",
    ),
    (
        "stuck",
        "the job fails each time, although the client holds a token that is good: it does not use \
         it",
    ),
    (
        "needs the user again",
        "the job fails each time, and nothing that the client holds is good any more: somebody has \
         to give it a new token, or to sign in again",
    ),
    ("–", "the fault does not come its way: it has no such token, or never makes the call"),
];

/// The longest error that is shown, in characters.
const SHOWN_MAX: usize = 90;
/// Runs of so many characters of a token are none of an error's words.
const SECRET_MIN: usize = 32;

/// An error without what differs from run to run: addresses, ports, secrets.
pub(super) fn shown(error: &str, base: &str) -> String {
    let port = base.rsplit(':').next().unwrap_or_default();
    let told = error.replace(base, "").replace(port, "PORT");
    let told: Vec<String> = told.split_whitespace().map(without_secrets).collect();
    let told = told.join(" ").replace('`', "'").replace('|', "/");
    // What follows counts bytes of a record, and those may grow.
    let told = told.split_inclusive("IncompleteRead(").next().unwrap_or_default();
    match told.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", told[..end].trim_end()),
        None => told.to_owned(),
    }
}

fn without_secrets(word: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut shown = String::new();
    let mut run = String::new();
    for c in word.chars().chain([' ']) {
        if is_of_token(c) {
            run.push(c);
            continue;
        }
        let is_address = run.starts_with("0x");
        shown.push_str(if run.len() >= SECRET_MIN || is_address { "…" } else { &run });
        run.clear();
        shown.push(c);
    }
    shown.trim_end().to_owned()
}

#[test]
fn an_error_is_shown_without_what_differs_from_run_to_run() {
    let secret = "a000000004_tokenry_0001WPHDXnr7PkH2iQ2TKYuLN5Pdtju8nw4qInY2HUlpc";
    let error =
        format!("Failed: http://127.0.0.1:41327/x <at 0x7f01>,\n port=41327 '{secret}' `|`");
    let told = shown(&error, "http://127.0.0.1:41327");
    assert_eq!(told, "Failed: /x <at …>, port=PORT '…' '/'");
}

#[test]
fn a_verdict_follows_from_what_was_seen() {
    let failed = || Err("broken".to_owned());
    let seen = |struck, calls, jobs, holds_good| {
        Verdict::of(&Seen { struck, calls, usual: 1, jobs, holds_good }).word()
    };
    assert_eq!(seen(0, 1, [Ok(()), Ok(()), Ok(())], true), "–");
    assert_eq!(seen(1, 1, [Ok(()), Ok(()), Ok(())], true), "works");
    assert_eq!(seen(1, 2, [Ok(()), Ok(()), Ok(())], true), "retries and works");
    assert_eq!(seen(4, 5, [Ok(()), Ok(()), Ok(())], true), "loops");
    assert_eq!(seen(1, 1, [Ok(()), Ok(()), failed()], true), "stops refreshing");
    assert_eq!(seen(1, 1, [failed(), Ok(()), Ok(())], true), "fails, then works");
    let hung = || Err("Hangs: nothing".to_owned());
    assert_eq!(seen(1, 1, [hung(), Ok(()), Ok(())], true), "hangs");
    let for_good = seen(1, 1, [hung(), failed(), failed()], false);
    assert_eq!(for_good, "hangs, and needs the user again");
    let wrong = || Err("WrongAnswer: nothing".to_owned());
    assert_eq!(seen(1, 1, [wrong(), Ok(()), Ok(())], true), "says nothing");
    assert_eq!(seen(0, 1, [failed(), failed(), failed()], true), "stuck");
    assert_eq!(seen(1, 1, [failed(), failed(), failed()], false), "needs the user again");
}
