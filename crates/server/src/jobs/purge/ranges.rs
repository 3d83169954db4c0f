//! Which ids need no look yet.

use std::collections::BTreeMap;

use tokenry_protocol::time::{Seconds, Timestamp};
use tokenry_store::PurgeStep;

/// Everything is looked at once in this time at least: what was said of a range does not know of
/// rows that came into it later (another process had ids left there), nor of a client or user who
/// was deleted since.
const LOOK_AGAIN: Seconds = Seconds(3_600);

/// Ranges of ids that were looked at, by the id before them. They do not overlap.
#[derive(Debug, Default)]
pub(super) struct Ranges(BTreeMap<u64, Range>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    /// Its last id.
    last: u64,
    /// Nothing in it is over before.
    due: Timestamp,
}

impl Ranges {
    /// Where the next look after this id starts.
    pub(super) fn pass_over(&self, after: u64, now: Timestamp) -> u64 {
        let ranges = self.0.range(after..).map(|(first, range)| (*first, *range));
        ranges
            .scan(after, |end, (first, range)| {
                let is_next = first == *end && now < range.due;
                is_next.then(|| {
                    *end = range.last;
                    range.last
                })
            })
            .last()
            .unwrap_or(after)
    }

    /// Notes what a look after this id has found.
    pub(super) fn note(&mut self, after: u64, step: PurgeStep, now: Timestamp) {
        let mut behind = self.0.split_off(&after);
        // New rows come behind the last one, so what is there is always looked at.
        let Some(last) = step.next else { return };
        let mut further = behind.split_off(&last);
        if let Some((_, cut)) = behind.last_key_value()
            && cut.last > last
        {
            further.insert(last, *cut);
        }
        self.0.append(&mut further);
        let again = now.plus(LOOK_AGAIN);
        let due = step.due.map_or(again, |due| due.min(again));
        self.0.insert(after, Range { last, due });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn at(seconds: u32) -> Timestamp {
        START.plus(Seconds(seconds))
    }

    fn step(next: Option<u64>, due: Option<u32>) -> PurgeStep {
        PurgeStep { removed: 0, next, due: due.map(at) }
    }

    /// Looked at 1 to 10, 11 to 20, 21 to 30 and the rest.
    fn three() -> Ranges {
        let mut ranges = Ranges::default();
        ranges.note(0, step(Some(10), Some(60)), START);
        ranges.note(10, step(Some(20), Some(120)), START);
        ranges.note(20, step(Some(30), None), START);
        ranges.note(30, step(None, Some(900)), START);
        ranges
    }

    #[test]
    fn a_range_is_passed_over_until_something_in_it_is_due() {
        let ranges = three();
        for (after, seconds, expected) in [
            (0, 59, 30),
            (0, 60, 0),
            (10, 60, 30),
            (10, 120, 10),
            (20, 120, 30),
            (20, LOOK_AGAIN.0 - 1, 30),
            (20, LOOK_AGAIN.0, 20),
        ] {
            assert_eq!(ranges.pass_over(after, at(seconds)), expected, "{after} at {seconds}");
        }
    }

    #[test]
    fn what_was_never_looked_at_and_the_end_are_always_looked_at() {
        assert_eq!(Ranges::default().pass_over(0, START), 0);
        assert_eq!(three().pass_over(30, START), 30);
        assert_eq!(three().pass_over(5, START), 5);
    }

    #[test]
    fn a_look_that_reaches_further_than_before_shortens_what_it_cut() {
        let mut ranges = three();
        ranges.note(0, step(Some(14), Some(300)), at(60));
        assert_eq!(ranges.pass_over(0, at(119)), 30);
        assert_eq!(ranges.pass_over(0, at(120)), 14);
        ranges.note(14, step(Some(35), Some(400)), at(120));
        assert_eq!(ranges.pass_over(0, at(299)), 35);
        assert_eq!(ranges.0.len(), 2);
    }

    #[test]
    fn a_table_that_became_shorter_is_forgotten_from_there() {
        let mut ranges = three();
        ranges.note(10, step(None, None), at(120));
        assert_eq!(ranges.0.len(), 1);
        assert_eq!(ranges.pass_over(0, at(59)), 10);
    }

    /// Whatever the steps are, no id that was due is passed over.
    #[test]
    fn sweeps_over_a_changing_table_find_what_is_due_when_it_is() {
        let mut seed: u64 = 20_261_128;
        let mut below = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            (seed >> 33) % most
        };
        let mut rows: BTreeMap<u64, Timestamp> = BTreeMap::new();
        let (mut ranges, mut next_id) = (Ranges::default(), 1);
        for minute in 0..500 {
            let now = at(minute * 60);
            for _ in 0..below(40) {
                rows.insert(next_id, now.plus(Seconds(u32::try_from(below(9_000)).unwrap())));
                next_id += 1;
            }
            let (mut position, mut looks) = (Some(0), 0);
            while let Some(after) = position {
                let after = ranges.pass_over(after, now);
                let found: Vec<_> =
                    rows.range(after + 1..).take(10).map(|(id, at)| (*id, *at)).collect();
                let next = (found.len() == 10).then(|| found[9].0);
                let (over, left): (Vec<_>, Vec<_>) = found.iter().partition(|(_, at)| *at <= now);
                for (id, _) in &over {
                    rows.remove(id);
                }
                let due = left.iter().map(|(_, at)| *at).min();
                ranges.note(after, PurgeStep { removed: 0, next, due }, now);
                (position, looks) = (next, looks + 1);
            }
            assert!(rows.values().all(|at| *at > now), "minute {minute}");
            assert!(looks <= rows.len() / 10 + 10);
        }
    }
}
