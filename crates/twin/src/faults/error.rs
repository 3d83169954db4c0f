//! Why text is no fault, and what would be one.

use tokenry_server::config::nearest;

use super::words::WORDS;

/// Says what is wrong and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not in the table of words.
    #[error("{word} is no word of a fault: {}", meant(word))]
    UnknownWord {
        /// As it was written.
        word: String,
    },
    /// There is no fault among the words.
    #[error("no fault is named: begin with one of {}", fault_names())]
    NoFault,
    /// Two of them in one rule.
    #[error("{first} and {second} are two faults: write a rule for each")]
    TwoFaults {
        /// The one before.
        first: &'static str,
        /// The one that is too much.
        second: &'static str,
    },
    /// Two faults of one call that exclude each other.
    #[error("{first} and {second} cannot both become of one call: leave one of them out")]
    Contradiction {
        /// The one before, as text.
        first: String,
        /// The other.
        second: String,
    },
    /// The same word twice.
    #[error("{0} is written twice: leave one of them out")]
    Twice(&'static str),
    /// Two answers to the question when.
    #[error("{first} and {second} both say when: leave one of them out")]
    TwoTimes {
        /// The one before.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A value that the word cannot have.
    #[error("{word}={value}: write {right}")]
    Value {
        /// The word.
        word: &'static str,
        /// As it was written.
        value: String,
        /// What would be right.
        right: String,
    },
    /// A word that needs a value has none.
    #[error("{word} has no value: write {word}= and {right}")]
    NoValue {
        /// The word.
        word: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// A word that takes no value has one.
    #[error("{0} takes no value: write it alone, or as true")]
    NeedlessValue(&'static str),
    /// A word of `status` beside another fault.
    #[error("{word} belongs to status: leave it out, or write status=502 {word}")]
    Misplaced {
        /// The word.
        word: &'static str,
    },
    /// A header names faults of its own call.
    #[error("{0} has no place in a header, which speaks of its own call alone: leave it out")]
    NotInHeader(&'static str),
}

impl FaultError {
    pub(super) fn value(word: &'static str, value: &str, right: impl Into<String>) -> Self {
        Self::Value { word, value: value.to_owned(), right: right.into() }
    }
}

fn meant(word: &str) -> String {
    let names = || WORDS.iter().map(|known| known.name);
    nearest(word, names()).map_or_else(
        || format!("the words are {}", names().collect::<Vec<_>>().join(", ")),
        |meant| format!("did you mean {meant}?"),
    )
}

fn fault_names() -> String {
    let names: Vec<&str> = super::documented::DOCUMENTED.iter().map(|fault| fault.word).collect();
    names.join(", ")
}
