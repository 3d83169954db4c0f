//! Pages of lists: which part a request asks for, and the members that every list carries.
//!
//! | request has | form |
//! |---|---|
//! | none of the parameters | offset, page 1, 100 records |
//! | `page`, `per_page` | offset |
//! | `page[size]`, `page[after]`, `page[before]` | cursor |

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

#[cfg(feature = "requests")]
use super::query::{InvalidQuery, Query};
#[cfg(feature = "requests")]
use crate::ids::is_digits;

/// The most records of a page, and how many it has unless fewer are asked for.
pub const SIZE_MAX: u32 = 100;
/// The last page of the offset form; further on there are cursors.
pub const PAGE_MAX: u32 = 100;
/// The most that a count counts to.
pub const COUNT_MAX: u32 = 100_000;

/// `page`
pub const PAGE: &str = "page";
/// `per_page`
pub const PER_PAGE: &str = "per_page";
/// `page[size]`
pub const SIZE: &str = "page[size]";
/// `page[after]`
pub const AFTER: &str = "page[after]";
/// `page[before]`
pub const BEFORE: &str = "page[before]";

/// Which part of a list a request asks for, as parameters of its query.
///
/// The two families exclude each other. Without any of them a list is counted, from page 1, with
/// 100 records. The counted form ends at page [`PAGE_MAX`]; further on there are cursors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageParameters {
    /// By number: the answer counts.
    Offset {
        /// `page`: 1 to [`PAGE_MAX`]; 1 without it.
        ///
        /// Required: no.
        ///
        /// Example: `2`
        page: u32,
        /// `per_page`: 1 to [`SIZE_MAX`]; more is taken as that, and so is nothing.
        ///
        /// Required: no.
        ///
        /// Example: `2`
        per_page: u32,
    },
    /// By cursor: the answer does not count, and what exists throughout the walk comes exactly
    /// once.
    Cursor {
        /// `page[size]`: 1 to [`SIZE_MAX`], which it is without it.
        ///
        /// Required: no.
        ///
        /// Example: `2`
        size: u32,
        /// Where.
        position: CursorPosition,
    },
}

/// Where a page of the cursor form is; cursors are unjudged here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorPosition {
    /// At the beginning.
    Start,
    /// `page[after]`: the page starts after this cursor. Excludes `page[before]`.
    ///
    /// Example: `"v1.t.AAAAAAAAA-o.9Qm3xw"`
    After(String),
    /// `page[before]`: the page ends before this cursor, still in ascending order. Excludes
    /// `page[after]`.
    ///
    /// Example: backwards: `"v1.t.AAAAAAAAA-s.kT0aVg"`
    Before(String),
}

impl PageParameters {
    /// The parameters of a query, by name.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Offset { page, per_page } => {
                vec![(PAGE, page.to_string()), (PER_PAGE, per_page.to_string())]
            }
            Self::Cursor { size, position } => {
                let position = match position {
                    CursorPosition::Start => None,
                    CursorPosition::After(cursor) => Some((AFTER, cursor.clone())),
                    CursorPosition::Before(cursor) => Some((BEFORE, cursor.clone())),
                };
                std::iter::once((SIZE, size.to_string())).chain(position).collect()
            }
        }
    }

    /// Reads the parameters of a query.
    #[cfg(feature = "requests")]
    pub fn parse(query: &Query<'_>) -> Result<Self, InvalidQuery> {
        let (page, per_page) = (query.find(PAGE)?, query.find(PER_PAGE)?);
        let (size, after, before) = (query.find(SIZE)?, query.find(AFTER)?, query.find(BEFORE)?);
        let offset = page.is_some() || per_page.is_some();
        let cursor = size.is_some() || after.is_some() || before.is_some();
        match (offset, cursor) {
            (true, true) => Err(InvalidQuery::Pagination(
                "page and per_page exclude page[size], page[after] and page[before].",
            )),
            (_, false) => Ok(Self::Offset {
                per_page: at_least_one(PER_PAGE, per_page)?.map_or(SIZE_MAX, |n| n.min(SIZE_MAX)),
                page: page_number(page)?,
            }),
            (false, true) => Ok(Self::Cursor {
                size: page_size(size)?,
                position: match (after, before) {
                    (None, None) => CursorPosition::Start,
                    (Some(after), None) => CursorPosition::After(after.to_owned()),
                    (None, Some(before)) => CursorPosition::Before(before.to_owned()),
                    (Some(_), Some(_)) => {
                        let text = "page[after] and page[before] exclude each other.";
                        return Err(InvalidQuery::Pagination(text));
                    }
                },
            }),
        }
    }
}

#[cfg(feature = "requests")]
fn page_number(text: Option<&str>) -> Result<u32, InvalidQuery> {
    match at_least_one(PAGE, text)? {
        None => Ok(1),
        Some(page) if page > PAGE_MAX => Err(InvalidQuery::TooDeep),
        Some(page) => Ok(page),
    }
}

#[cfg(feature = "requests")]
/// A whole number from 1; how far it goes beyond 32 bits does not matter to anybody.
fn at_least_one(name: &'static str, text: Option<&str>) -> Result<Option<u32>, InvalidQuery> {
    let Some(text) = text else { return Ok(None) };
    let number = is_digits(text).then(|| text.parse().unwrap_or(u32::MAX));
    match number {
        Some(number) if number >= 1 => Ok(Some(number)),
        _ => Err(InvalidQuery::Attribute(name, "an integer of at least 1")),
    }
}

#[cfg(feature = "requests")]
fn page_size(text: Option<&str>) -> Result<u32, InvalidQuery> {
    let Some(text) = text else {
        return Ok(SIZE_MAX);
    };
    let size = text.parse().ok().filter(|_| is_digits(text));
    size.filter(|size| (1..=SIZE_MAX).contains(size))
        .ok_or(InvalidQuery::Pagination("page[size] must be 1 to 100."))
}

/// The members that a list carries beside its records, in the form of the request. Always there,
/// `null` when empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Pagination {
    /// The cursor form, where the request had `page[size]`, `page[after]` or `page[before]`.
    Cursor {
        /// Whether there is more, and the cursors.
        ///
        /// Present: always.
        meta: CursorMeta,
        /// The same as addresses.
        ///
        /// Present: always.
        links: CursorLinks,
    },
    /// The counted form, of every other request.
    Offset {
        /// All matching records, not only this page's; counted to [`COUNT_MAX`] and no further. 0
        /// of a server that does not count.
        ///
        /// Present: always.
        ///
        /// Example: `4`
        count: u64,
        /// The address of the page after this one, with every parameter of the request; `null` on
        /// the last page.
        ///
        /// Present: always.
        ///
        /// Example: `"http://127.0.0.1:4000/api/v2/oauth/tokens?all=true&per_page=2&page=2"`
        next_page: Option<String>,
        /// The address of the page before this one; `null` on the first page.
        ///
        /// Present: always.
        ///
        /// Example: `null`
        previous_page: Option<String>,
    },
}

/// The members of both forms.
#[derive(Deserialize)]
struct Members {
    meta: Option<CursorMeta>,
    links: Option<CursorLinks>,
    count: Option<u64>,
    next_page: Option<String>,
    previous_page: Option<String>,
}

impl Members {
    /// The form that they have, if there are any.
    fn into_pagination(self) -> Option<Pagination> {
        let Self { meta, links, count, next_page, previous_page } = self;
        match meta {
            Some(meta) => Some(Pagination::Cursor { meta, links: links.unwrap_or_default() }),
            None if count.is_none() && next_page.is_none() && previous_page.is_none() => None,
            None => {
                let count = count.unwrap_or_default();
                Some(Pagination::Offset { count, next_page, previous_page })
            }
        }
    }
}

impl<'de> Deserialize<'de> for Pagination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pagination = Members::deserialize(deserializer)?.into_pagination();
        pagination.ok_or_else(|| D::Error::missing_field("meta"))
    }
}

/// Reads the members beside the records of a page, if there are any. One that cannot be read is an
/// error: taken for none, it would end a walk in the middle of its list.
pub(super) fn beside_records<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Pagination>, D::Error> {
    Members::deserialize(deserializer).map(Members::into_pagination)
}

/// Reads the records of a page; `null` is a page without any.
pub(super) fn records<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Whether a list goes on, and the cursors of its next and its previous page. A cursor is opaque,
/// and good for the same list with the same filters and the same caller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CursorMeta {
    /// Whether there are more records in the direction of travel.
    ///
    /// Present: always.
    ///
    /// Example: `true`
    pub has_more: bool,
    /// For `page[after]`; `null` on the last page: clients ask for pages until it is.
    ///
    /// Present: always.
    ///
    /// Example: `"v1.t.AAAAAAAAA-o.9Qm3xw"`
    pub after_cursor: Option<String>,
    /// For `page[before]`; `null` on the first page.
    ///
    /// Present: always.
    ///
    /// Example: `null`
    pub before_cursor: Option<String>,
}

/// The next and the previous page as absolute addresses, with every filter and `page[size]` of the
/// request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CursorLinks {
    /// The page after this one; `null` exactly when `after_cursor` is.
    ///
    /// Present: always.
    ///
    /// Example:
    /// `"http://127.0.0.1:4000/api/v2/oauth/tokens?all=true&page[size]=2&page[after]=v1.t.AAAAAAAAA-o.9Qm3xw"`
    pub next: Option<String>,
    /// The page before this one; `null` exactly when `before_cursor` is.
    ///
    /// Present: always.
    ///
    /// Example: `null`
    pub prev: Option<String>,
}

#[cfg(all(test, feature = "requests"))]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<PageParameters, InvalidQuery> {
        PageParameters::parse(&Query::parse(Some(query)))
    }

    #[test]
    fn every_form_has_its_parameters_and_bounds() {
        let offset = |page, per_page| Ok(PageParameters::Offset { page, per_page });
        let cursor = |size, position| Ok(PageParameters::Cursor { size, position });
        let after = |text: &str| CursorPosition::After(text.to_owned());
        let before = |text: &str| CursorPosition::Before(text.to_owned());
        for (query, expected) in [
            ("", offset(1, 100)),
            ("sort=id&all=true", offset(1, 100)),
            ("page=2", offset(2, 100)),
            ("page=100&per_page=1", offset(100, 1)),
            ("per_page=500", offset(1, 100)),
            ("per_page=99999999999999999999", offset(1, 100)),
            ("page[size]=1", cursor(1, CursorPosition::Start)),
            ("page%5Bsize%5D=100", cursor(100, CursorPosition::Start)),
            ("page[after]=x", cursor(100, after("x"))),
            ("page[size]=5&page[before]=x", cursor(5, before("x"))),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn what_a_client_asks_for_is_what_the_server_reads() {
        for parameters in [
            PageParameters::Offset { page: 3, per_page: 20 },
            PageParameters::Cursor { size: 1, position: CursorPosition::Start },
            PageParameters::Cursor { size: 100, position: CursorPosition::After("a&b".to_owned()) },
            PageParameters::Cursor { size: 7, position: CursorPosition::Before("%5D=".to_owned()) },
        ] {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(parameters.pairs());
            assert_eq!(read(&query.finish()), Ok(parameters));
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_in_the_words_of_its_form() {
        for query in [
            "page=0",
            "page=-1",
            "page=x",
            "page=",
            "page=%2B1",
            "per_page=0",
            "per_page=1.5",
            "page=1&page=1",
            "page[size]=1&page%5Bsize%5D=1",
        ] {
            let found = read(query);
            assert!(matches!(found, Err(InvalidQuery::Attribute(..))), "{query}: {found:?}");
        }
        for query in ["page=101", "page=99999999999999999999"] {
            assert_eq!(read(query), Err(InvalidQuery::TooDeep), "{query}");
        }
        for query in [
            "page[size]=0",
            "page[size]=101",
            "page[size]=x",
            "page[size]=",
            "page[size]=%2B1",
            "page[after]=x&page[before]=y",
            "page=1&page[size]=1",
            "per_page=1&page[after]=x",
        ] {
            let found = read(query);
            assert!(matches!(found, Err(InvalidQuery::Pagination(_))), "{query}: {found:?}");
        }
    }
}
