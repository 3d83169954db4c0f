//! Time that a simulation moves, randomness from its seed, and the dice that it plays with.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use tokenry_core::Entropy;
use tokenry_protocol::time::Timestamp;
use tokenry_server::environment::Clock;

/// When every simulation begins. The milliseconds are there to be kept.
const START: i64 = 1_790_000_000_123;

/// A clock that stands still until the simulation moves it.
pub struct SimulatedClock(AtomicI64);

impl Default for SimulatedClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl SimulatedClock {
    /// Moves on.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// What the server draws: never the same twice, and the same in every run of one seed.
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// All that this seed gives.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::SeqCst);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(count.to_be_bytes());
            for (slot, byte) in chunk.iter_mut().zip(hash.finalize()) {
                *slot = byte;
            }
        }
    }
}

/// Decides what happens to one client, whatever happens to the others (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    /// The dice of one player of a run.
    pub const fn new(seed: u64, player: u64) -> Self {
        let mut dice = Self(seed ^ player.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.next();
        dice
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `least ..= most`.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// True so many times of a thousand.
    pub const fn happens(&mut self, per_mille: u64) -> bool {
        self.next() % 1_000 < per_mille
    }

    /// One of these.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
        from.get(usize::try_from(self.next() % count).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_player_of_the_same_seed_throws_the_same_and_another_does_not() {
        let throws = |seed, player| {
            let mut dice = Dice::new(seed, player);
            std::array::from_fn::<u64, 4, _>(|_| dice.between(0, 1_000_000))
        };
        assert_eq!(throws(1, 2), throws(1, 2));
        assert_ne!(throws(1, 2), throws(1, 3));
        assert_ne!(throws(1, 2), throws(2, 2));
    }

    #[test]
    fn what_happens_one_time_in_five_does_so_about_that_often() {
        let mut dice = Dice::new(7, 1);
        let count = (0..100_000).filter(|_| dice.happens(200)).count();
        assert!((19_000..21_000).contains(&count), "{count}");
    }

    #[test]
    fn the_server_never_draws_the_same_twice() {
        let entropy = SeededEntropy::new(1);
        assert_ne!(entropy.secret(), entropy.secret());
        assert_ne!(SeededEntropy::new(2).secret(), SeededEntropy::new(1).secret());
    }
}
