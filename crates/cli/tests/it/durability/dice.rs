//! Random choices that a seed repeats.

/// A small generator (xorshift64*): no need for better here.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The generator of one part of a run.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        let mut dice = Self(seed ^ (part + 1).wrapping_mul(0xD134_2543_DE82_EF95) | 1);
        // Seeds that differ in few bits begin alike.
        for _ in 0..8 {
            dice.roll(2);
        }
        dice
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    /// A place in a list of this length.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }
}
