//! What a command is tried with: each profile, and each fault.

use tokenry_server::config::nearest;
use tokenry_twin::{
    Profile, Rule,
    faults::{SHIPPED, Scenario},
};

use super::args::CheckArgs;
use crate::{commands::twin, exit_code::Exit, failure::Failure};

/// One run of the command.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// What it is called, in reports and in `TWIN_CASE`.
    pub(super) name: String,
    /// The state of the account.
    pub(super) profile: Profile,
    /// What goes wrong.
    pub(super) scenario: Scenario,
    /// What has to strike for the case to be reached.
    pub(super) reached_by: ReachedBy,
}

impl Case {
    /// Nothing goes wrong but what the profile brings.
    pub(super) const fn is_plain(&self) -> bool {
        self.scenario.faults.is_empty() && self.scenario.clock.is_empty()
    }

    /// One of those that try a profile alone.
    fn is_profile(&self) -> bool {
        self.name == self.profile.as_str()
    }
}

/// Which rule of a case has to strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReachedBy {
    /// The first; others only lead on from it.
    FirstRule,
    /// Whichever.
    AnyRule,
}

/// Each fault as it is tried: soon, so that a short command comes to it, and not for long. The
/// first rule is the one that has to strike.
const FAULTS: &[(&str, &[&str])] = &[
    ("lose-answer", &["lose-answer route=refresh"]),
    ("cut-answer", &["cut-answer route=record-api"]),
    ("delay", &["delay=2s always"]),
    ("rate-limited", &["rate-limited=2 route=record-api times=2"]),
    ("status", &["status=503 times=2"]),
    ("expire-token", &["expire-token route=record-api"]),
    ("revoke-token", &["revoke-token route=record-api"]),
    ("rotate-token", &["rotate-token route=refresh"]),
    // Whoever takes a token without `expires_in` for one that never ends has to be shown its end.
    ("expires-in", &["expires-in=missing route=token-endpoint always", "expire-token after=2"]),
    ("clock-skew", &["clock-skew=90s always"]),
];

/// The profile in which faults are tried: that of most accounts until the end of April 2027.
const WITH_FAULTS: Profile = Profile::Refreshing;

/// What is tried, in order: profiles, faults, the caller's own rules, scenarios.
pub(super) fn chosen(arguments: &CheckArgs) -> anyhow::Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    cases.extend(Profile::ALL.into_iter().map(|profile| Case {
        name: profile.to_string(),
        profile,
        scenario: scenario(profile.as_str(), Vec::new()),
        reached_by: ReachedBy::AnyRule,
    }));
    for (name, rules) in FAULTS {
        let rules: Result<Vec<Rule>, _> = rules.iter().map(|rule| rule.parse()).collect();
        cases.push(with_faults(name, rules?));
    }
    for rule in &arguments.faults {
        cases.push(with_faults(&rule.to_string(), vec![rule.clone()]));
    }
    for named in &arguments.scenario {
        cases.extend(scenarios(named)?);
    }
    select(cases, arguments)
}

fn with_faults(name: &str, rules: Vec<Rule>) -> Case {
    Case {
        name: name.to_owned(),
        profile: WITH_FAULTS,
        scenario: scenario(name, rules),
        reached_by: ReachedBy::FirstRule,
    }
}

fn scenario(name: &str, faults: Vec<Rule>) -> Scenario {
    Scenario {
        name: name.to_owned(),
        about: String::new(),
        profile: None,
        seed: None,
        faults,
        clock: Vec::new(),
    }
}

/// `all` that come with the twin, one of them, or a file.
fn scenarios(named: &str) -> anyhow::Result<Vec<Case>> {
    let read = match named {
        "all" => SHIPPED.iter().map(|shipped| Ok(Scenario::read(shipped.text)?)).collect(),
        named => twin::scenario(named).map(|scenario| vec![scenario]),
    };
    let case = |scenario: Scenario| {
        let name = format!("scenario:{}", scenario.name);
        let profile = scenario.profile.unwrap_or(WITH_FAULTS);
        Case { name, profile, scenario, reached_by: ReachedBy::AnyRule }
    };
    let read: anyhow::Result<Vec<Scenario>> = read;
    Ok(read?.into_iter().map(case).collect())
}

/// Those of `--only`, without those of `--skip`; and, before cases in which something goes wrong,
/// their profile without it, or else nobody could tell whose doing a failure is.
fn select(cases: Vec<Case>, arguments: &CheckArgs) -> anyhow::Result<Vec<Case>> {
    for name in arguments.only.iter().chain(&arguments.skip) {
        if !cases.iter().any(|case| case.name == *name) {
            return Err(unknown(name, &cases).into());
        }
    }
    let is_left_out = |case: &Case| arguments.skip.contains(&case.name);
    let named = &arguments.profile;
    let is_chosen = |case: &Case| {
        let only = arguments.only.is_empty() || arguments.only.contains(&case.name);
        let is_other = case.is_profile() && !(named.is_empty() || named.contains(&case.profile));
        only && !is_other && !is_left_out(case)
    };
    let troubled = cases.iter().filter(|case| is_chosen(case) && !case.is_plain());
    let troubled: Vec<Profile> = troubled.map(|case| case.profile).collect();
    let is_wanted = |case: &Case| {
        let is_control = case.is_profile() && troubled.contains(&case.profile);
        is_chosen(case) || is_control && !is_left_out(case)
    };
    let chosen: Vec<Case> = cases.into_iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        let told = "every case is left out, so nothing would be checked";
        let hint = "name fewer with --skip, or others with --only";
        return Err(Failure::new(Exit::Usage, told).hint(hint).into());
    }
    Ok(chosen)
}

fn unknown(name: &str, cases: &[Case]) -> Failure {
    let names = || cases.iter().map(|case| case.name.as_str());
    let hint = nearest(name, names()).map_or_else(
        || format!("they are {}", names().collect::<Vec<_>>().join(", ")),
        |meant| format!("did you mean {meant}?"),
    );
    Failure::new(Exit::Usage, format!("there is no case {name:?}")).hint(hint)
}

/// All of `FAULTS`, for `--help`.
pub(super) fn help() -> String {
    let profiles = Profile::ALL.map(Profile::as_str).join(", ");
    let faults: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
    let (first, second) = faults.split_at(faults.len() / 2);
    let (first, second) = (first.join(", "), second.join(", "));
    format!("Cases:\n  {profiles}\n  {first},\n  {second}")
}

#[cfg(test)]
mod tests {
    use tokenry_twin::faults::DOCUMENTED;

    use super::*;

    #[test]
    fn every_documented_fault_is_tried_and_every_rule_can_be_read() {
        let tried: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
        let documented: Vec<&str> = DOCUMENTED.iter().map(|fault| fault.word).collect();
        assert_eq!(tried, documented);
        for (name, rules) in FAULTS {
            for rule in *rules {
                rule.parse::<Rule>().unwrap();
            }
            assert!(rules[0].starts_with(name), "{name}");
        }
    }

    #[test]
    fn each_shipped_scenario_is_a_case_in_its_profile() {
        let cases = scenarios("all").unwrap();
        assert_eq!(cases.len(), SHIPPED.len());
        assert!(cases.iter().all(|case| case.name.starts_with("scenario:")));
    }
}
