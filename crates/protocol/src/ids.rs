//! Ids of records: whole numbers from 1 to 2^53 − 1, so that every JSON reader keeps them exact.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

/// The largest id: 2^53 − 1, the largest integer that JavaScript holds exactly (RFC 8259 §6).
pub const ID_MAX: u64 = (1 << 53) - 1;

/// Text or a number that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an id is a whole number from 1 to {ID_MAX}, written without sign or leading zero"
        )
    }
}

impl Error for InvalidId {}

/// One decimal digit or more and nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_digits(text: &str) -> Result<u64, InvalidId> {
    // Canonical digits only: one id has one address.
    let canonical = text.len() <= 16 && is_digits(text) && !text.starts_with('0');
    let value = if canonical { text.parse().unwrap_or(0) } else { 0 };
    checked(value)
}

const fn checked(value: u64) -> Result<u64, InvalidId> {
    if value >= 1 && value <= ID_MAX { Ok(value) } else { Err(InvalidId) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// Takes a number within 1 to 2^53 − 1.
            pub const fn new(value: u64) -> Result<Self, InvalidId> {
                match checked(value) {
                    Ok(value) => Ok(Self(value)),
                    Err(error) => Err(error),
                }
            }

            /// Reads canonical decimal digits: no sign, no leading zero, no space.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                parse_digits(text).map(Self)
            }

            /// The number itself.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = InvalidId;

            fn try_from(value: u64) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}", self.0)
            }
        }
    )*};
}

ids! {
    /// A token record, which is a grant from its code to its end.
    ///
    /// Example: `1002`
    TokenId;
    /// A registered client's resource id: the number, not the identifier that grants name.
    ///
    /// Example: `43`
    ClientId;
    /// A user.
    ///
    /// Example: `31`
    UserId;
    /// An API token.
    ///
    /// Example: `7`
    ApiTokenId;
    /// A browser's sign-in session.
    SignInSessionId;
}

/// A client's text name, which is the `client_id` of the grant endpoints (RFC 6749 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientIdentifier(String);

/// The most characters of a client identifier.
pub const IDENTIFIER_MAX: usize = 255;

/// Text that is no client identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidIdentifier;

impl fmt::Display for InvalidIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = IDENTIFIER_MAX;
        write!(formatter, "an identifier has 1 to {max} characters of A-Z a-z 0-9 . _ ~ -")
    }
}

impl Error for InvalidIdentifier {}

impl ClientIdentifier {
    /// Takes 1 to [`IDENTIFIER_MAX`] characters of `A–Z a–z 0–9 . _ ~ -`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let fits = (1..=IDENTIFIER_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidIdentifier) }
    }

    /// The text as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique among clients: identifiers differ by more than case.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl TryFrom<String> for ClientIdentifier {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        Self::parse(&text)
    }
}

impl From<ClientIdentifier> for String {
    fn from(identifier: ClientIdentifier) -> Self {
        identifier.0
    }
}

impl fmt::Display for ClientIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_canonical_digits_within_53_bits() {
        for (text, expected) in [
            ("1", Ok(1)),
            ("9007199254740991", Ok(ID_MAX)),
            ("9007199254740992", Err(InvalidId)),
            ("0", Err(InvalidId)),
            ("01", Err(InvalidId)),
            ("+1", Err(InvalidId)),
            ("-1", Err(InvalidId)),
            (" 1", Err(InvalidId)),
            ("1.0", Err(InvalidId)),
            ("", Err(InvalidId)),
            ("99999999999999999999", Err(InvalidId)),
            ("١", Err(InvalidId)),
        ] {
            assert_eq!(TokenId::parse(text).map(TokenId::get), expected, "{text:?}");
        }
    }

    #[test]
    fn an_identifier_keeps_its_case_and_folds_for_uniqueness() {
        let identifier = ClientIdentifier::parse("Acme_Reports-1.~").unwrap();
        assert_eq!(identifier.as_str(), "Acme_Reports-1.~");
        assert_eq!(identifier.folded(), "acme_reports-1.~");
        for bad in ["", "a b", "a@b", "a/b", "ä", &"x".repeat(256)] {
            assert_eq!(ClientIdentifier::parse(bad), Err(InvalidIdentifier), "{bad:?}");
        }
        assert!(ClientIdentifier::parse(&"x".repeat(255)).is_ok());
    }

    #[test]
    fn an_identifier_is_written_as_it_was_registered_and_read_by_the_same_rule() {
        let identifier = ClientIdentifier::parse("Acme_Reports").unwrap();
        assert_eq!(identifier.to_string(), "Acme_Reports");
        let json = serde_json::to_string(&identifier).unwrap();
        assert_eq!(json, r#""Acme_Reports""#);
        assert_eq!(serde_json::from_str::<ClientIdentifier>(&json).unwrap(), identifier);
        assert!(serde_json::from_str::<ClientIdentifier>(r#""a b""#).is_err());
    }
}
