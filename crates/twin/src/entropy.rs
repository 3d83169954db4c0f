//! Randomness that starts the same each time, for planting a seed: the same seed has the same
//! credentials at every start, so that they can stand in scripts.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use tokenry_core::Entropy;

/// Counts up, and hashes. Never for anything that guards something.
#[derive(Default)]
pub(crate) struct FixedEntropy(AtomicU64);

impl Entropy for FixedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::new()
                .chain_update(b"tokenry twin")
                .chain_update(count.to_be_bytes())
                .finalize();
            for (slot, byte) in chunk.iter_mut().zip(block) {
                *slot = byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_the_same_each_time_and_gives_nothing_twice() {
        let draws = |entropy: &FixedEntropy| [(); 4].map(|()| entropy.secret());
        let (one, other) = (FixedEntropy::default(), FixedEntropy::default());
        let first = draws(&one);
        assert_eq!(first, draws(&other));
        assert_ne!(first, draws(&one));
    }
}
