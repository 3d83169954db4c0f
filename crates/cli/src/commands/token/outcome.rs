//! What became of tokens that were to be revoked, and how it is told.

use tokenry_client::{Error, RefusalKind};

use super::{preview::wide, record::TokenRecord};
use crate::{
    connection,
    exit_code::Exit,
    failure::Failure,
    output::escaped,
    progress::{counted, grouped},
};

/// After so many failures one after another, more of them tell nothing new.
const FAILURES_IN_A_ROW_MAX: u32 = 20;
/// Failures that are listed.
const FAILURES_SHOWN: usize = 20;

/// What became of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is revoked.
    Revoked,
    /// It was gone already.
    Gone,
    /// It was used or refreshed meanwhile, and is left as it is.
    Spared,
}

/// What became of them all.
#[derive(Default)]
pub(super) struct Outcome {
    total: u64,
    revoked: u64,
    gone: u64,
    spared: u64,
    failures: Vec<(String, Error)>,
    failures_in_a_row: u32,
    is_interrupted: bool,
}

impl Outcome {
    /// Of so many that are there, and so many that were gone before.
    pub(super) fn of(total: usize, gone: u64) -> Self {
        Self { total: wide(total) + gone, gone, ..Self::default() }
    }

    /// Takes what became of one.
    pub(super) fn note(&mut self, token: &TokenRecord, ended: Result<Ended, Error>) {
        match ended {
            Ok(Ended::Revoked) => self.revoked += 1,
            Ok(Ended::Gone) => self.gone += 1,
            Ok(Ended::Spared) => self.spared += 1,
            Err(error) => {
                self.failures_in_a_row += 1;
                self.failures.push((token.name(), error));
                return;
            }
        }
        self.failures_in_a_row = 0;
    }

    /// Somebody has had enough.
    pub(super) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// Whether somebody has had enough.
    pub(super) const fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// Whether there is any use in going on.
    pub(super) fn is_over(&self) -> bool {
        let last = self.failures.last().and_then(|(_, error)| error.kind());
        let is_refused =
            matches!(last, Some(RefusalKind::Unauthenticated | RefusalKind::InvalidToken));
        self.is_interrupted
            || self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX
            || (is_refused && self.failures_in_a_row > 0)
    }

    /// How many have been dealt with.
    pub(super) fn done(&self) -> u64 {
        self.revoked + self.gone + self.spared + wide(self.failures.len())
    }

    /// What was done, in a sentence.
    pub(super) fn summary(&self) -> String {
        let mut parts = vec![format!("Revoked {}", counted(self.revoked, "token"))];
        if self.gone > 0 {
            parts.push(format!("{} gone already", grouped(self.gone)));
        }
        if self.spared > 0 {
            let spared = grouped(self.spared);
            parts.push(format!("{spared} used or refreshed meanwhile, and left"));
        }
        parts.join("; ") + "."
    }

    /// Tells what failed, and fails if anything did.
    pub(super) fn check(self) -> anyhow::Result<()> {
        for (name, error) in self.failures.iter().take(FAILURES_SHOWN) {
            anstream::eprintln!("  {}: {}", escaped(name), escaped(&error.to_string()));
        }
        let unshown = self.failures.len().saturating_sub(FAILURES_SHOWN);
        if unshown > 0 {
            anstream::eprintln!("  and {} more", grouped(wide(unshown)));
        }
        let left = self.total - self.done() + wide(self.failures.len());
        let hint = "run the same command again for the rest";
        if self.is_interrupted {
            let text = format!("interrupted, with {} left", counted(left, "token"));
            return Err(Failure::new(Exit::Interrupted, text).hint(hint).into());
        }
        let Some((_, error)) = self.failures.last() else { return Ok(()) };
        let exit = connection::exit(error).unwrap_or(Exit::Failed);
        let text = format!("{} not revoked", counted(left, "token"));
        let hint = connection::hint(error)
            .map_or_else(|| hint.to_owned(), |mended| format!("{mended}; then {hint}"));
        Err(Failure::new(exit, text).hint(hint).into())
    }
}
