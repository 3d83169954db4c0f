//! A report of an earlier run, and what is otherwise in the new one.
//!
//! From best to worst: survived, stopped, not reached, failed. Cases are the same when they have
//! the same name; of several with one name the first is compared with the first, and so on.

use std::{fs, path::Path};

use serde::Deserialize;

use super::verdict::Outcome;
use crate::{exit_code::Exit, failure::Failure};

/// What came of a case. A report says more, which is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Known {
    pub(super) case: String,
    pub(super) result: Outcome,
}

/// What is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It was better before.
    Worse { case: String, before: Outcome, now: Outcome },
    /// It was worse before.
    Better { case: String, before: Outcome, now: Outcome },
    /// It was not tried before.
    New { case: String, now: Outcome },
    /// It was tried before alone.
    NotTried { case: String, before: Outcome },
}

/// Reads what `--json` has printed.
pub(super) fn read(path: &Path) -> Result<Vec<Known>, Failure> {
    let wrong = |why: &str| {
        Failure::new(Exit::Usage, format!("--baseline {}: {why}", path.display()))
            .hint("make one with: tokenry twin check --json -- COMMAND > FILE")
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    if text.trim().is_empty() {
        // As `tokenry twin check --json --baseline FILE -- COMMAND > FILE` makes it.
        return Err(wrong("the file is empty; a report written into it would empty it first"));
    }
    let known: Vec<Known> = serde_json::from_str(&text)
        .map_err(|error| wrong(&format!("no report of this command: {error}")))?;
    if known.is_empty() { Err(wrong("there is no case in it")) } else { Ok(known) }
}

/// What is otherwise than before: first what got worse, then better, then new, then not tried.
pub(super) fn compare(before: &[Known], now: &[Known]) -> Vec<Change> {
    let mut rest: Vec<&Known> = before.iter().collect();
    let mut changes = Vec::new();
    for Known { case, result: now } in now {
        let (case, now) = (case.clone(), *now);
        let Some(at) = rest.iter().position(|known| known.case == case) else {
            changes.push(Change::New { case, now });
            continue;
        };
        let before = rest.remove(at).result;
        match rank(now).cmp(&rank(before)) {
            std::cmp::Ordering::Less => changes.push(Change::Worse { case, before, now }),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => changes.push(Change::Better { case, before, now }),
        }
    }
    let not_tried =
        |known: &Known| Change::NotTried { case: known.case.clone(), before: known.result };
    changes.extend(rest.into_iter().map(not_tried));
    changes.sort_by_key(Change::kind);
    changes
}

const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Failed => 0,
        Outcome::NotReached => 1,
        Outcome::Stopped => 2,
        Outcome::Survived => 3,
    }
}

impl Change {
    const fn kind(&self) -> u8 {
        match self {
            Self::Worse { .. } => 0,
            Self::Better { .. } => 1,
            Self::New { .. } => 2,
            Self::NotTried { .. } => 3,
        }
    }

    pub(super) const fn is_worse(&self) -> bool {
        matches!(self, Self::Worse { .. })
    }

    /// What kind of change it is, the case, and what was and is.
    fn told(&self) -> (&'static str, &str, String) {
        match self {
            Self::Worse { case, before, now } => {
                ("worse", case, format!("{}, was {}", now.word(), before.word()))
            }
            Self::Better { case, before, now } => {
                ("better", case, format!("{}, was {}", now.word(), before.word()))
            }
            Self::New { case, now } => ("new", case, now.word().to_owned()),
            Self::NotTried { case, before } => {
                ("not tried", case, format!("was {}", before.word()))
            }
        }
    }
}

/// A line, and one for each change; `item` is what each begins with.
pub(super) fn told(changes: &[Change], item: &str) -> String {
    if changes.is_empty() {
        return "Nothing changed from the baseline.".to_owned();
    }
    let worse = changes.iter().filter(|change| change.is_worse()).count();
    let head = match worse {
        0 => "From the baseline, nothing got worse:".to_owned(),
        1 => "From the baseline, 1 case got worse:".to_owned(),
        many => format!("From the baseline, {many} cases got worse:"),
    };
    let lines = changes.iter().map(|change| {
        let (kind, case, what) = change.told();
        format!("\n{item}{kind}: {}: {what}", crate::output::escaped(case))
    });
    head + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Outcome; 4] =
        [Outcome::Failed, Outcome::NotReached, Outcome::Stopped, Outcome::Survived];

    /// `CASE RESULT, …`
    fn known(text: &str) -> Vec<Known> {
        let of = |word: &str| *ALL.iter().find(|it| it.word().replace(' ', "-") == word).unwrap();
        let cases = text.split(", ").filter(|it| !it.is_empty());
        cases
            .map(|it| it.split_once(' ').unwrap())
            .map(|(case, word)| Known { case: case.to_owned(), result: of(word) })
            .collect()
    }

    #[test]
    fn what_got_worse_and_better_and_came_and_went() {
        for (before, now, told) in [
            ("a survived", "a survived", "Nothing changed from the baseline."),
            ("a failed", "a failed", "Nothing changed from the baseline."),
            ("a survived", "a failed", "1 case got worse:\n- worse: a: failed, was survived"),
            ("a survived", "a stopped", "1 case got worse:\n- worse: a: stopped, was survived"),
            ("a stopped", "a not-reached", "worse: a: not reached, was stopped"),
            ("a not-reached", "a failed", "worse: a: failed, was not reached"),
            ("a failed", "a survived", "nothing got worse:\n- better: a: survived, was failed"),
            ("", "a failed", "nothing got worse:\n- new: a: failed"),
            ("a failed", "", "nothing got worse:\n- not tried: a: was failed"),
            (
                "gone failed, up failed, down survived",
                "new survived, up stopped, down failed",
                "case got worse:\n- worse: down: failed, was survived\n- better: up: stopped, was \
                 failed\n- new: new: survived\n- not tried: gone: was failed",
            ),
            (
                "a survived, a failed",
                "a failed, a failed, a failed",
                "1 case got worse:\n- worse: a: failed, was survived\n- new: a: failed",
            ),
        ] {
            let text = super::told(&compare(&known(before), &known(now)), "- ");
            assert!(text.ends_with(told), "{before} / {now}: {text}");
        }
    }

    fn reports() -> impl Strategy<Value = Vec<Known>> {
        let case = ("[a-d]", prop::sample::select(&ALL[..]));
        prop::collection::vec(case.prop_map(|(case, result)| Known { case, result }), 0..12)
    }

    proptest! {
        #[test]
        fn a_report_has_not_changed_from_itself(report in reports()) {
            prop_assert_eq!(compare(&report, &report), []);
        }

        #[test]
        fn what_is_worse_one_way_is_better_the_other(one in reports(), other in reports()) {
            let turned = compare(&other, &one).into_iter().map(|change| match change {
                Change::Worse { case, before, now } => {
                    Change::Better { case, before: now, now: before }
                }
                Change::Better { case, before, now } => {
                    Change::Worse { case, before: now, now: before }
                }
                Change::New { case, now } => Change::NotTried { case, before: now },
                Change::NotTried { case, before } => Change::New { case, now: before },
            });
            let sorted = |changes: Vec<Change>| {
                let mut told: Vec<String> = changes.iter().map(|it| format!("{it:?}")).collect();
                told.sort();
                told
            };
            prop_assert_eq!(sorted(turned.collect()), sorted(compare(&one, &other)));
        }
    }
}
