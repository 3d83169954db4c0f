//! Going back and starting anew leaves nothing behind: no thread, no open file, no memory. A
//! program of its own, since all three belong to the whole process.
#![expect(clippy::unwrap_used, reason = "what does not hold must stop the test")]

use std::{fs, time::Duration};

use tokenry_twin::{Fault, IssueToken, Rule, Twin, TwinError};

/// What one turn may cost in memory that stays, in bytes: far less than a world, which is what a
/// turn makes and could forget.
const BYTES_A_TURN: u64 = 4 << 10;
/// Turns are taken in so many parts. What is forgotten grows in each of them; what the allocator
/// keeps of the most that was in use at once does not.
const PARTS: u64 = 4;

#[derive(Debug, Clone, Copy)]
struct Held {
    threads: usize,
    files: usize,
    /// Memory that no file stands behind, in bytes.
    memory: u64,
}

impl Held {
    fn now() -> Self {
        let count = |folder: &str| fs::read_dir(folder).unwrap().count();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let kibibytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        Self {
            threads: count("/proc/self/task"),
            files: count("/proc/self/fd"),
            memory: kibibytes << 10,
        }
    }

    /// What is held when what has been left has ended: nobody tells when the last thread is gone.
    async fn settled(before: Self) -> Self {
        for _ in 0..1_000 {
            let now = Self::now();
            if now.threads <= before.threads && now.files <= before.files {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self::now()
    }
}

/// Does the same again and again, and fails unless as much is held afterwards as when the first
/// turns had been taken.
async fn leaves_nothing(
    what: &str,
    (first, turns): (u64, u64),
    mut turn: impl AsyncFnMut() -> Result<(), TwinError>,
) {
    let at_rest = Held::now();
    for _ in 0..first {
        turn().await.unwrap();
    }
    let before = Held::settled(at_rest).await;
    let (mut after, mut least) = (before, u64::MAX);
    for _ in 0..PARTS {
        let earlier = after;
        for _ in 0..turns / PARTS {
            turn().await.unwrap();
        }
        after = Held::settled(before).await;
        least = least.min(after.memory.saturating_sub(earlier.memory));
    }
    println!("{what}, {turns} times: {before:?}, then {after:?}; {least} bytes in each part");
    assert_eq!((after.threads, after.files), (before.threads, before.files), "{what}");
    assert!(least <= turns / PARTS * BYTES_A_TURN, "{what}: {least} bytes more in each part");
}

/// A little of everything that a test does to an account.
async fn disturb(twin: &Twin) -> Result<(), TwinError> {
    twin.add_fault(Rule::once(Fault::LoseAnswer));
    twin.clock().advance(Duration::from_secs(3_600));
    let pair = IssueToken::pair("cleo@acme.test", "acme_mobile", &["read"]);
    twin.issue_token(&pair).await.map(drop)
}

#[test]
fn resets_snapshots_and_twins_leave_nothing_behind() {
    // Threads for blocking work stay for a while after it, and belong to nobody.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(Duration::from_millis(1))
        .enable_all()
        .build();
    runtime.unwrap().block_on(again_and_again());
}

async fn again_and_again() {
    let twin = Twin::start().await.unwrap();
    leaves_nothing("reset", (100, 1_000), async || {
        disturb(&twin).await?;
        twin.reset().await
    })
    .await;
    leaves_nothing("snapshot and restoration", (40, 200), async || {
        twin.snapshot("here").await?;
        disturb(&twin).await?;
        twin.restore("here").await
    })
    .await;
    leaves_nothing("start and end", (20, 100), async || {
        let other = Twin::start().await?;
        disturb(&other).await?;
        other.stop().await;
        Ok(())
    })
    .await;
    leaves_nothing("start and drop", (20, 100), async || {
        let other = Twin::start().await?;
        disturb(&other).await
    })
    .await;
}
