//! A credential as a record shows it: in full once, its first characters otherwise.

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "credentials")]
use crate::secret::Credential;

/// A credential as a record shows it: an opaque string of any length and alphabet, since other
/// servers write hexadecimal digits, JSON Web Tokens or an ellipsis.
///
/// Its `Debug` never shows a secret; [`reveal`](SecretText::reveal) is the one way to its text.
///
/// Example: `"a0000000GA"`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "credentials", derive(zeroize::Zeroize, zeroize::ZeroizeOnDrop))]
#[serde(transparent)]
pub struct SecretText(String);

/// Characters of a credential of ours that are public.
const PUBLIC_LENGTH: usize = 10;

impl SecretText {
    /// Takes what may be shown: a public part, or the one answer that gives a credential out.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, which may be a whole credential.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "credentials")]
impl From<&Credential> for SecretText {
    fn from(credential: &Credential) -> Self {
        Self::new(credential.reveal())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first characters of somebody else's credential may be half of its secret, and a
        // short text may be a whole password.
        match self.0.split_at_checked(PUBLIC_LENGTH) {
            Some((public, "")) if is_public(public) => formatter.write_str(public),
            Some((public, rest)) if is_public(public) && rest.starts_with("_tokenry_") => {
                write!(formatter, "{public}…")
            }
            _ => formatter.write_str("…"),
        }
    }
}

/// Whether it has the form of the public part of a credential of ours: the letter of its kind and
/// 9 digits of base 62.
fn is_public(text: &str) -> bool {
    text.starts_with(['a', 'b', 'c', 'd', 'p', 'r', 's'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_written_for_debugging() {
        let shown = |text: &str| format!("{:?}", SecretText::new(text));
        assert_eq!(shown("a0000000G9"), "a0000000G9");
        for other in ["", "hunter2", "h0000000G9", "a000000-G9", "pässwörd", "af3t24tfj34h43s..."]
        {
            assert_eq!(shown(other), "…", "{other}");
        }
        let credential = "a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7";
        assert_eq!(shown(credential), "a0000000GI…");
    }

    #[cfg(feature = "credentials")]
    #[test]
    fn what_may_be_shown_is_written_in_full() {
        let text = "a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7";
        let shown = SecretText::from(&Credential::parse(text).unwrap());
        assert_eq!(shown.reveal(), text);
        assert_eq!(serde_json::to_string(&shown).unwrap(), format!("\"{text}\""));
    }
}
