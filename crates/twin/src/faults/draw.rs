//! The dice of faults with a probability: the same seed throws the same numbers.
//!
//! A throw depends on the seed, the rule and which of the rule's calls it is, and on nothing else:
//! neither other rules nor other calls change what becomes of this one. `SplitMix64` (Steele, Lea
//! and Flood 2014) mixes the three.

/// 2^64 divided by the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// 2^53: as many equally likely values as a double tells apart below 1.
#[expect(clippy::cast_precision_loss, reason = "a power of two is exact")]
const VALUES: f64 = (1_u64 << 53) as f64;

/// A number from 0 to less than 1 for the `turn`th call of a rule.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds exactly")]
pub(super) fn draw(seed: u64, rule: u64, turn: u64) -> f64 {
    let mixed = mix(mix(mix(seed).wrapping_add(rule)).wrapping_add(turn));
    (mixed >> 11) as f64 / VALUES
}

/// One step of the generator from this state.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(STEP);
    let once = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice ^ (twice >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs from state 0 of the reference implementation.
        let states = [0, STEP, STEP.wrapping_mul(2)];
        let outputs = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(states.map(mix), outputs);
    }

    #[test]
    fn throws_spread_over_the_whole_range() {
        let mut tenths = [0_u32; 10];
        for turn in 0..10_000 {
            let drawn = draw(7, 1, turn);
            assert!((0.0..1.0).contains(&drawn));
            let tenth = (0..10).rev().find(|tenth| drawn >= f64::from(*tenth) / 10.0).unwrap();
            tenths[usize::try_from(tenth).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (900..1_100).contains(count)), "{tenths:?}");
    }

    #[test]
    fn rules_and_seeds_throw_apart() {
        let throws = |seed, rule| [1, 2, 3, 4].map(|turn| draw(seed, rule, turn).to_bits());
        assert_ne!(throws(7, 1), throws(7, 2));
        assert_ne!(throws(7, 1), throws(8, 1));
    }
}
