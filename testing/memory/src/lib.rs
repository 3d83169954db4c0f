//! How much memory this process holds, to the byte, for tests of what is left behind: what Rust has
//! asked for and what the libraries in C have, of which the database is one. A crate of its own,
//! for it needs `unsafe`.

/// The bytes that are in use of all that the C library's allocator has given out, or `None` where
/// that library does not tell. What a thread keeps ready for itself (`tcache`) counts: that is some
/// hundred KiB a thread at most, and goes with the thread.
#[must_use]
pub fn in_use() -> Option<u64> {
    told()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn told() -> Option<u64> {
    // SAFETY: it takes nothing, and gives a record of numbers back.
    let told = unsafe { libc::mallinfo2() };
    // The arenas, and what is large enough to be mapped by itself.
    u64::try_from(told.uordblks.saturating_add(told.hblkhd)).ok()
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
const fn told() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_counts_until_it_is_given_back() {
        let Some(before) = in_use() else { return };
        for size in [1 << 16, 1 << 24] {
            let held = std::hint::black_box(vec![1_u8; size]);
            let grown = in_use().unwrap_or(0).saturating_sub(before);
            assert!((size..size + (64 << 10)).contains(&usize::try_from(grown).unwrap_or(0)));
            drop(held);
            assert!(in_use().is_some_and(|now| now < before + (64 << 10)));
        }
    }
}
