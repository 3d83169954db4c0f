//! What statements are given, in the types of the columns that it is for.

use std::borrow::Cow;

use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId},
    secret::SecretHash,
    time::{Seconds, Timestamp},
};
use tokio_postgres::types::ToSql;

use crate::NodeNumber;

/// A parameter that a call owns, so that it can be sent again.
pub(super) type Value = Box<dyn ToSql + Send + Sync>;

/// What has a place in a column.
pub(super) trait Bind {
    /// As the driver takes it.
    type Sql: ToSql + Send + Sync + 'static;

    fn bind(self) -> Self::Sql;
}

/// Whole numbers are `bigint`, and none of ours is larger: ids have 53 bits.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Bind for $type {
            type Sql = i64;

            fn bind(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        }
    )+};
}

numbers!(u8, u32, u64, i64, usize);

impl Bind for NodeNumber {
    type Sql = i64;

    fn bind(self) -> i64 {
        self.0.bind()
    }
}

macro_rules! ids {
    ($($type:ty),+) => {$(
        impl Bind for $type {
            type Sql = i64;

            fn bind(self) -> i64 {
                self.get().bind()
            }
        }
    )+};
}

ids!(ApiTokenId, ClientId, SignInSessionId, TokenId, UserId);

macro_rules! themselves {
    ($($type:ty),+) => {$(
        impl Bind for $type {
            type Sql = Self;

            fn bind(self) -> Self {
                self
            }
        }
    )+};
}

themselves!(bool, Vec<u8>, Vec<i64>, Vec<Option<i64>>, Vec<bool>, Vec<Option<bool>>);
themselves!(Vec<String>, Vec<Option<String>>, Vec<Vec<u8>>, Vec<Option<Vec<u8>>>);

impl Bind for &str {
    type Sql = String;

    fn bind(self) -> String {
        escape(self).into_owned()
    }
}

impl Bind for String {
    type Sql = Self;

    fn bind(self) -> Self {
        if self.contains(ESCAPED) { escape(&self).into_owned() } else { self }
    }
}

impl Bind for Timestamp {
    type Sql = i64;

    fn bind(self) -> i64 {
        self.as_millis()
    }
}

impl Bind for Seconds {
    type Sql = i64;

    fn bind(self) -> i64 {
        self.0.bind()
    }
}

impl Bind for &SecretHash {
    type Sql = Vec<u8>;

    fn bind(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl<T: Bind> Bind for Option<T> {
    type Sql = Option<T::Sql>;

    fn bind(self) -> Self::Sql {
        self.map(T::bind)
    }
}

/// What text at rest cannot hold as it is: the one character that the database has no place for,
/// and the one that stands for it together with the next.
const ESCAPED: [char; 2] = ['\0', ESCAPE];
const ESCAPE: char = '\u{1A}';

/// Text as it rests. Different texts stay different, so names are unique as elsewhere.
fn escape(text: &str) -> Cow<'_, str> {
    if text.contains(ESCAPED) {
        Cow::Owned(text.replace(ESCAPE, "\u{1A}\u{1A}").replace('\0', "\u{1A}0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Text as it was before it rested; `None` of what was never escaped.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut told = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        told.push(match character {
            ESCAPE => match characters.next()? {
                ESCAPE => ESCAPE,
                '0' => '\0',
                _ => return None,
            },
            character => character,
        });
    }
    Some(told)
}

/// The parameters of a statement, from `$1` on.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($crate::postgres::values::Bind::bind($value))
            as $crate::postgres::values::Value),*]
    };
}
pub(super) use values;

/// One column of several rows, for `unnest`.
pub(super) fn column<'r, R: 'r, B: Bind>(
    rows: impl IntoIterator<Item = &'r R>,
    value: impl Fn(&'r R) -> B,
) -> Vec<B::Sql> {
    rows.into_iter().map(|row| value(row).bind()).collect()
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};

    #[test]
    fn every_text_rests_without_the_character_that_has_no_place_and_comes_back() {
        for text in ["", "plain", "\0", "\u{1A}", "\u{1A}0", "\0\u{1A}\u{1A}0\0", "0\0 1"] {
            let at_rest = escape(text);
            assert!(!at_rest.contains('\0'), "{text:?}");
            assert_eq!(unescape(&at_rest).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_was_never_escaped_is_refused() {
        for text in ["\u{1A}", "\u{1A}1"] {
            assert_eq!(unescape(text), None, "{text:?}");
        }
    }
}
