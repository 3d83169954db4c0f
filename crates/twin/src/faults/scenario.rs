//! A run of troubles in a file: rules, and steps of the clock, under a name.
//!
//! TOML, or JSON with the same members. What is wrong is told with its line.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::rule::Rule;
use crate::{profile::Profile, span};

/// What happens to whoever is tested, in order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What happens and what a good client does, for reports.
    pub about: String,
    /// The profile of the account, if it takes one for this to happen.
    pub profile: Option<Profile>,
    /// What decides about probabilities, so that a run can be repeated.
    pub seed: Option<u64>,
    /// The faults, in the order in which they are put in force.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Rule>,
    /// When the clock is turned on.
    #[serde(default, rename = "clock")]
    pub clock: Vec<ClockStep>,
}

/// The clock is turned on after so many calls of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// Counted from the start of the scenario; 0: before the first.
    pub after_calls: u64,
    /// By how much.
    #[serde(deserialize_with = "read_span")]
    pub advance: Duration,
}

/// Why a file is no scenario: the line, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(String);

impl Scenario {
    /// Reads TOML, or JSON when it begins with a brace.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let read = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.to_string())
        };
        read.map_err(|error| ScenarioError(error.trim_end().to_owned()))
    }
}

fn read_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let span = span::parse(&text).filter(|span| !span.is_zero());
    span.ok_or_else(|| D::Error::custom(format_args!("advance={text}: write {}", span::FORM)))
}

/// A scenario that comes with the double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// Its name, which is also that of its file.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(Shipped {
            name: $name,
            text: include_str!(concat!("../../../../twin/scenarios/", $name, ".toml")),
        }),+]
    };
}

/// The scenarios of `twin/scenarios/`, by name.
pub const SHIPPED: &[Shipped] = shipped![
    "clock-skew",
    "flaky-gateway",
    "lost-refresh-answer",
    "missing-expires-in",
    "rate-limited-burst",
    "refresh-token-expires",
    "revoked-mid-run",
    "rotated-behind-your-back",
    "slow-answers",
    "token-expires-mid-run",
];

#[cfg(test)]
mod tests {
    use super::super::{Faults, Presented, Seen};
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../twin/scenarios");

    fn told(text: &str) -> String {
        Scenario::read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_shipped_scenario_is_read_and_bears_the_name_of_its_file() {
        for shipped in SHIPPED {
            let scenario = Scenario::read(shipped.text).unwrap();
            assert_eq!(scenario.name, shipped.name);
            assert!(scenario.about.ends_with('.'), "{}", shipped.name);
            assert!(
                !scenario.faults.is_empty() || !scenario.clock.is_empty(),
                "{}: nothing happens",
                shipped.name
            );
        }
    }

    #[test]
    fn the_table_names_every_file_of_the_folder() {
        let mut files: Vec<String> = std::fs::read_dir(FOLDER)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let table: Vec<String> = SHIPPED.iter().map(|it| format!("{}.toml", it.name)).collect();
        assert_eq!(table, files);
    }

    #[test]
    fn whatever_has_a_probability_has_a_seed() {
        for shipped in SHIPPED {
            let scenario = Scenario::read(shipped.text).unwrap();
            let is_by_chance =
                |rule: &Rule| matches!(rule.when, super::super::When::Probability(_));
            let needs_seed = scenario.faults.iter().any(is_by_chance);
            assert_eq!(scenario.seed.is_some(), needs_seed, "{}", shipped.name);
        }
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "name = \"n\"\nabout = \"a\"\nprofile = \"refreshing\"\nseed = 7\n\n\
                    [[fault]]\nstatus = 503\nroute = \"/oauth/*\"\nevery = 3\n\n\
                    [[fault]]\nrate-limited = true\ntimes = 2\n\n\
                    [[clock]]\nafter_calls = 3\nadvance = \"31d\"\n";
        let json = r#"{"name":"n","about":"a","profile":"refreshing","seed":7,
            "fault":[{"status":503,"route":"/oauth/*","every":3},"rate-limited times=2"],
            "clock":[{"after_calls":3,"advance":"31d"}]}"#;
        let scenario = Scenario::read(toml).unwrap();
        assert_eq!(Scenario::read(json).unwrap(), scenario);
        assert_eq!(scenario.faults[1].to_string(), "rate-limited=1 times=2");
    }

    #[test]
    fn what_is_wrong_in_toml_is_told_with_its_line() {
        let head = "name = \"n\"\nabout = \"a\"\n";
        for (text, line, message) in [
            ("[[fault]]\nstaus = 503\n", 4, "staus is no word of a fault: did you mean status?"),
            ("[[fault]]\nstatus = 505\n", 4, "status=505: write 500, 502, 503 or 504"),
            ("[[fault]]\nlose-answer = true\nstatus = 503\n", 5, "are two faults"),
            ("[[fault]]\nlose-answer = false\n", 4, "write true, or leave the word out"),
            ("[[fault]]\nroute = \"refresh\"\n", 3, "no fault is named: begin with one of"),
            ("[[clock]]\nafter_calls = 1\nadvance = \"soon\"\n", 5, "advance=soon: write a number"),
            ("profile = \"modern\"\n", 3, "unknown variant `modern`, expected one of `legacy`"),
            ("faults = []\n", 3, "unknown field `faults`"),
            ("seed = -1\n", 3, "invalid value: integer `-1`"),
        ] {
            let told = told(&format!("{head}{text}"));
            assert!(told.contains(&format!("line {line},")), "{told}");
            assert!(told.contains(message), "{told}");
        }
    }

    #[test]
    fn what_is_wrong_in_json_is_told_with_its_line() {
        let told = told("{\"name\":\"n\",\"about\":\"a\",\n\"fault\":[\n{\"staus\":503}]}");
        assert!(told.contains("staus is no word of a fault: did you mean status?"), "{told}");
        assert!(told.contains("at line 3 column"), "{told}");
    }

    #[test]
    fn a_scenario_says_what_it_is() {
        assert!(told("name = \"n\"\n").contains("missing field `about`"));
        assert!(told("about = \"a\"\n").contains("missing field `name`"));
    }

    #[test]
    fn the_flaky_gateway_fails_as_often_as_it_says() {
        let shipped = SHIPPED.iter().find(|it| it.name == "flaky-gateway").unwrap();
        let scenario = Scenario::read(shipped.text).unwrap();
        let mut faults = Faults::new(scenario.seed.unwrap());
        for rule in scenario.faults {
            faults.add(rule);
        }
        let method = http::Method::GET;
        let path = "/api/v2/users/me";
        let seen = Seen { method: &method, path, grant_type: None, presents: Presented::NoToken };
        let failed = (0..1_000).filter(|_| !faults.decide(&seen).is_empty()).count();
        assert!((100..300).contains(&failed), "{failed}");
    }
}
