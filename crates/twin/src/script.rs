//! What goes wrong with the calls of a twin: rules in force, and turns of the clock after so many
//! calls.

use std::time::Duration;

use crate::{
    faults::{ClockStep, Fault, Faults, Rule, Scenario, Seen, Struck},
    options::Options,
};

/// Faults in force and turns of the clock to come. A clone is a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// The rules.
    pub(crate) faults: Faults,
    /// The number of the world that it is for; 0 while there is none.
    pub(crate) world: u64,
    steps: Vec<ClockStep>,
    /// How many calls there were since it began.
    calls: u64,
}

impl Script {
    /// What the options say: the scenario's, and behind its rules the others.
    pub(crate) fn of(options: &Options) -> Self {
        let Options { scenario, faults, fault_seed, .. } = options;
        Self::new(scenario.as_ref(), faults, *fault_seed)
    }

    /// A scenario, which may name a seed of its own, and behind its rules others.
    pub(crate) fn new(scenario: Option<&Scenario>, rules: &[Rule], seed: u64) -> Self {
        let mut faults = Faults::new(scenario.and_then(|it| it.seed).unwrap_or(seed));
        let of_scenario = scenario.map_or(&[][..], |scenario| &scenario.faults);
        for rule in of_scenario.iter().chain(rules) {
            faults.add(rule.clone());
        }
        let steps = scenario.map_or_else(Vec::new, |scenario| scenario.clock.clone());
        Self { faults, world: 0, steps, calls: 0 }
    }

    /// The same for a world.
    pub(crate) fn within(self, world: u64) -> Self {
        Self { world, ..self }
    }

    /// It, and by how much the clock is turned on before its first call.
    pub(crate) fn with_head_start(self) -> (Self, Duration) {
        let head_start = self.head_start();
        (self, head_start)
    }

    /// By how much the clock is turned on before the first call.
    pub(crate) fn head_start(&self) -> Duration {
        self.advance_after(0)
    }

    /// Which faults strike a call, those that its header names first.
    pub(crate) fn decide(&mut self, in_header: Vec<Fault>, seen: &Seen<'_>) -> Vec<Struck> {
        self.faults.decide_with(in_header, seen)
    }

    /// Counts a call that is over; by how much the clock is turned on then.
    pub(crate) fn end_call(&mut self) -> Duration {
        self.calls = self.calls.saturating_add(1);
        self.advance_after(self.calls)
    }

    fn advance_after(&self, calls: u64) -> Duration {
        let due = self.steps.iter().filter(|step| step.after_calls == calls);
        due.fold(Duration::ZERO, |sum, step| sum.saturating_add(step.advance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_after_the_calls_that_a_step_names() {
        let scenario = Scenario::read(
            "name = \"n\"\nabout = \"a\"\n[[clock]]\nafter_calls = 2\nadvance = \"31m\"\n\
             [[clock]]\nafter_calls = 2\nadvance = \"29m\"\n[[clock]]\nafter_calls = 0\n\
             advance = \"31d\"\n",
        );
        let mut script = Script::new(Some(&scenario.unwrap()), &[], 0);
        assert_eq!(script.head_start().as_secs(), 2_678_400);
        let advances = [(); 3].map(|()| script.end_call().as_secs());
        assert_eq!(advances, [0, 3_600, 0]);
    }

    #[test]
    fn a_scenarios_own_seed_goes_before_the_one_of_the_command_line() {
        let scenario =
            |seed: &str| Scenario::read(&format!("name = \"n\"\nabout = \"a\"\n{seed}")).unwrap();
        assert_eq!(Script::new(Some(&scenario("seed = 7")), &[], 9).faults.seed(), 7);
        assert_eq!(Script::new(Some(&scenario("")), &[], 9).faults.seed(), 9);
    }
}
