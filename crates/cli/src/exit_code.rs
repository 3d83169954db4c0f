//! How the program ends: what each exit code tells a script, in one place.

use std::{fmt::Write as _, process::ExitCode};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done,
    /// Nothing that another code speaks of.
    Failed,
    /// The command line or the configuration; clap ends with the same.
    Usage,
    /// What was named is not there.
    NotFound,
    /// Whoever asks may not, or has not said who they are.
    NotAllowed,
    /// Nothing is wrong with what was asked.
    Unavailable,
    /// The command is a check, and what it checked does not hold.
    Wrong,
    /// Ctrl-C: as shells tell of a program that a signal ended.
    Interrupted,
}

impl Exit {
    /// Every way to end, in the order of their codes.
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::NotAllowed,
        Self::Unavailable,
        Self::Wrong,
        Self::Interrupted,
    ];

    /// What the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotAllowed => 4,
            Self::Unavailable => 5,
            Self::Wrong => 6,
            Self::Interrupted => 130,
        }
    }

    /// What it means, in a few words.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed; the message says why",
            Self::Usage => "wrong usage, or a configuration that cannot be used",
            Self::NotFound => "not found",
            Self::NotAllowed => "not allowed, or not signed in",
            Self::Unavailable => "server or database not reachable, or busy: try again",
            Self::Wrong => "checked, and found wrong",
            Self::Interrupted => "interrupted",
        }
    }

    /// As `--help` shows them.
    pub(crate) fn help() -> String {
        let mut text = String::from("Exit codes:");
        for exit in Self::ALL {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {:<4}  {}", exit.code(), exit.meaning());
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ways_to_end_share_a_code() {
        let codes = Exit::ALL.map(Exit::code);
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }
}
