//! How far a copy is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Between two moments that are told, in rows.
const TOLD_EVERY: u64 = 1_024;

/// What is done in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Whether the target is still what an earlier copy has left.
    Check,
    /// Rows are compared, and written where they differ.
    Copy,
    /// What is derived from rows is made anew.
    Finish,
    /// Both sides are read again and compared.
    Verify,
    /// What a replaced database knows is looked for in the one that takes its place.
    Follow,
    /// Records are written as lines.
    Export,
    /// Lines are compared with records, and written where there are none.
    Import,
}

/// Rows done of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which.
    pub stage: Stage,
    /// How many rows are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// Whoever wants to know how far it is.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Moment) + Send + Sync>);

impl Progress {
    /// Calls `tell` every so many rows and at both ends of each stage.
    pub fn new(tell: impl Fn(Moment) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Begins a stage.
    pub(super) fn stage(&self, stage: Stage, total: u64) -> Meter {
        let meter =
            Meter { progress: self.clone(), stage, done: Arc::new(AtomicU64::new(0)), total };
        meter.tell(0);
        meter
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}

/// Counts the rows of one stage.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    progress: Progress,
    stage: Stage,
    done: Arc<AtomicU64>,
    total: u64,
}

impl Meter {
    /// One row more.
    pub(super) fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(TOLD_EVERY) {
            self.tell(done);
        }
    }

    /// So many parts of so many, whatever they are, as rows.
    pub(super) fn tell_share(&self, done: u64, of: u64) {
        let rows = u128::from(self.total) * u128::from(done) / u128::from(of.max(1));
        self.tell(u64::try_from(rows).unwrap_or(self.total));
    }

    /// The stage is over.
    pub(super) fn end(&self) {
        self.tell(self.total);
    }

    fn tell(&self, done: u64) {
        (self.progress.0)(Moment { stage: self.stage, done, total: self.total });
    }
}
