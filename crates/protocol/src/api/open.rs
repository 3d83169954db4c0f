//! Words of sets that may grow.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word that is known, or one that another version of the server knows, as it was written.
///
/// Example: `"confidential"`
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// One of the set.
    Known(T),
    /// Any other word.
    Other(String),
}

impl<T> Open<T> {
    /// The word, if it is one of the set.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: fmt::Display> fmt::Display for Open<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => word.fmt(formatter),
            Self::Other(word) => formatter.write_str(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::GrantType;

    #[test]
    fn a_word_of_tomorrow_is_kept_as_it_was_written() {
        let text = r#"["refresh_token","urn:ietf:params:oauth:grant-type:device_code"]"#;
        let words: Vec<Open<GrantType>> = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&words).unwrap(), text);
        assert!(words.iter().map(Open::known).eq([Some(&GrantType::RefreshToken), None]));
        let shown: Vec<_> = words.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]);
        assert_eq!(Open::from(GrantType::RefreshToken), words[0]);
    }
}
