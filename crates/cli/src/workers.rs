//! Several requests under way at once, and never more than a few.

use std::panic::resume_unwind;

use tokio::task::JoinSet;

/// So many at once: enough to be quick, too few to be a burden.
const AT_ONCE: usize = 8;

/// What is under way.
pub(crate) struct Workers<T> {
    under_way: JoinSet<T>,
}

impl<T: Send + 'static> Workers<T> {
    /// Nothing is under way.
    pub(crate) fn new() -> Self {
        Self { under_way: JoinSet::new() }
    }

    /// Whether one more may begin.
    pub(crate) fn have_room(&self) -> bool {
        self.under_way.len() < AT_ONCE
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Begins one more.
    pub(crate) fn begin(&mut self, work: impl Future<Output = T> + Send + 'static) {
        self.under_way.spawn(work);
    }

    /// What ends next; `None` when nothing is under way.
    pub(crate) async fn next(&mut self) -> Option<T> {
        loop {
            match self.under_way.join_next().await?.map_err(tokio::task::JoinError::try_into_panic)
            {
                Ok(ended) => return Some(ended),
                Err(Ok(panic)) => resume_unwind(panic),
                // It was told to stop, which only dropping all of them does.
                Err(Err(_)) => {}
            }
        }
    }
}
