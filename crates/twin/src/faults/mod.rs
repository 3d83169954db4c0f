//! The language of faults: what goes wrong, with which calls, and when.
//!
//! A [`Rule`] is read from a flag, a scenario file or the control API, a [`Fault`] alone from a
//! request's header, all with the same [`WORDS`]. [`Faults`] holds the rules in force and decides
//! for each call which of them strike; it has no clock, no randomness but its seed, and does
//! nothing itself. [`DOCUMENTED`] says which trouble of production each fault stands for.

mod documented;
mod draw;
mod error;
mod fault;
mod route;
mod rule;
mod scenario;
mod words;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

pub use self::{
    documented::{DOCUMENTED, Documented},
    error::FaultError,
    fault::{CLOCK_SKEW_MAX, DELAY_MAX, Effect, Fault, Part, RETRY_AFTER_MAX, ServerError},
    route::{PathPattern, Presented, RoutePattern, RouteWord, Seen},
    rule::{Probability, Rule, When},
    scenario::{ClockStep, SHIPPED, Scenario, ScenarioError, Shipped},
    words::{Takes, WORDS, Word},
};

/// The rules in force, in the order in which they were added, and how often each has struck.
///
/// A clone is a snapshot: it goes on exactly as this one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    seed: u64,
    last_id: u64,
    rules: Vec<InForce>,
}

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Counts from 1; never given again before [`Faults::clear`].
    pub id: u64,
    /// What was added.
    pub rule: Rule,
    /// How many calls it was for, struck or not, where no other fault had decided already about
    /// the same part of the call.
    pub matched: u64,
    /// How many it struck.
    pub struck: u64,
}

/// A fault that strikes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Struck {
    /// The rule's id; `None` of a fault that the call's own header named.
    pub rule: Option<u64>,
    /// What becomes of the call.
    pub fault: Fault,
}

impl Faults {
    /// None in force. The same seed, rules and calls give the same decisions.
    pub const fn new(seed: u64) -> Self {
        Self { seed, last_id: 0, rules: Vec::new() }
    }

    /// What decides about probabilities.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Puts a rule in force, behind those there are; its id.
    pub fn add(&mut self, rule: Rule) -> u64 {
        self.last_id += 1;
        self.rules.push(InForce { id: self.last_id, rule, matched: 0, struck: 0 });
        self.last_id
    }

    /// Ends a rule; `None`: there is none with this id.
    pub fn remove(&mut self, id: u64) -> Option<InForce> {
        let at = self.rules.iter().position(|rule| rule.id == id)?;
        Some(self.rules.remove(at))
    }

    /// Ends every rule. Ids begin anew, so that what follows is decided as it was at first.
    pub fn clear(&mut self) {
        *self = Self::new(self.seed);
    }

    /// The rules in force, those that will strike no more included.
    pub fn list(&self) -> &[InForce] {
        &self.rules
    }

    /// Which faults strike this call, in the order of their rules. Of two that decide about the
    /// same part of a call the first strikes, and the other is as it was before the call: it counts
    /// and draws at the next one.
    pub fn decide(&mut self, seen: &Seen<'_>) -> Vec<Struck> {
        self.decide_with(Vec::new(), seen)
    }

    /// The same for a call whose header names faults: those go before the rules.
    pub fn decide_with(&mut self, in_header: Vec<Fault>, seen: &Seen<'_>) -> Vec<Struck> {
        let mut struck: Vec<Struck> = in_header
            .into_iter()
            .filter(|fault| fault.concerns(seen))
            .map(|fault| Struck { rule: None, fault })
            .collect();
        for rule in &mut self.rules {
            let fault = rule.rule.fault;
            let is_free = struck.iter().all(|other| other.fault.part() != fault.part());
            if rule.rule.is_for(seen) && is_free && rule.is_due(self.seed) {
                rule.struck += 1;
                struck.push(Struck { rule: Some(rule.id), fault });
            }
        }
        struck
    }
}

impl InForce {
    /// Whether it will strike no more.
    pub fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.struck >= u64::from(times.get()))
    }

    /// Counts a call that the rule is for; whether this is one to strike.
    fn is_due(&mut self, seed: u64) -> bool {
        self.matched += 1;
        let turn = self.matched.saturating_sub(u64::from(self.rule.after));
        if turn == 0 || self.is_spent() {
            return false;
        }
        match self.rule.when {
            When::Always => true,
            When::Every(count) => turn.is_multiple_of(u64::from(count.get())),
            When::Probability(probability) => {
                draw::draw(seed, self.id, turn) < probability.as_f64()
            }
        }
    }
}

impl Serialize for InForce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("InForce", 6)?;
        object.serialize_field("id", &self.id)?;
        object.serialize_field("text", &self.rule.to_string())?;
        object.serialize_field("rule", &self.rule)?;
        object.serialize_field("matched", &self.matched)?;
        object.serialize_field("struck", &self.struck)?;
        object.serialize_field("spent", &self.is_spent())?;
        object.end()
    }
}

#[cfg(test)]
mod tests;
