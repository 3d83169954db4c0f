//! From one page to the next.

use tokenry_protocol::api::pagination::{CursorPosition, PageParameters, Pagination, SIZE_MAX};

use crate::Error;

/// The first page, as large as there are: with cursors, which alone reach the end of long lists.
pub(crate) const FIRST: PageParameters =
    PageParameters::Cursor { size: SIZE_MAX, position: CursorPosition::Start };

/// The page after this one, as its answer tells; `None` at the end.
///
/// Zendesk names a cursor on the last page too, so `has_more` decides; other servers leave it out
/// of an empty page. Of a page before a cursor it says whether there are more before it, so only
/// the cursor counts there. A cursor that leads to itself would never end, and is an error.
pub(crate) fn next(
    current: &PageParameters,
    pagination: Option<&Pagination>,
) -> Result<Option<PageParameters>, Error> {
    match (current, pagination) {
        (PageParameters::Cursor { size, position }, Some(Pagination::Cursor { meta, .. })) => {
            let cursor = meta.after_cursor.as_deref().unwrap_or_default();
            let is_last = !meta.has_more && !matches!(position, CursorPosition::Before(_));
            if is_last || cursor.is_empty() {
                return Ok(None);
            }
            let after = CursorPosition::After(cursor.to_owned());
            if *position == after {
                return Err(Error::Endless);
            }
            Ok(Some(PageParameters::Cursor { size: *size, position: after }))
        }
        (PageParameters::Offset { page, per_page }, Some(Pagination::Offset { next_page, .. })) => {
            let more = next_page.as_ref().map(|_| PageParameters::Offset {
                page: page.saturating_add(1),
                per_page: *per_page,
            });
            Ok(more)
        }
        // A server that knows no cursors has answered its first page by number.
        (
            PageParameters::Cursor { size, position: CursorPosition::Start },
            Some(Pagination::Offset { next_page: Some(_), .. }),
        ) => Ok(Some(PageParameters::Offset { page: 2, per_page: *size })),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use tokenry_protocol::api::pagination::{CursorLinks, CursorMeta};

    use super::*;

    #[expect(clippy::fn_params_excessive_bools, reason = "the wire says it like this")]
    fn cursor(has_more: bool, after: Option<&str>) -> Pagination {
        let meta =
            CursorMeta { has_more, after_cursor: after.map(str::to_owned), before_cursor: None };
        Pagination::Cursor { meta, links: CursorLinks::default() }
    }

    fn offset(next_page: Option<&str>) -> Pagination {
        let next_page = next_page.map(str::to_owned);
        Pagination::Offset { count: 9, next_page, previous_page: None }
    }

    fn after(text: &str) -> PageParameters {
        PageParameters::Cursor { size: 100, position: CursorPosition::After(text.to_owned()) }
    }

    fn before(text: &str) -> PageParameters {
        PageParameters::Cursor { size: 100, position: CursorPosition::Before(text.to_owned()) }
    }

    #[test]
    fn a_walk_ends_where_the_server_says_so() {
        for (current, answered, expected) in [
            (FIRST, cursor(true, Some("a")), Some(after("a"))),
            (after("a"), cursor(true, Some("b")), Some(after("b"))),
            (after("a"), cursor(false, Some("b")), None),
            (after("a"), cursor(true, None), None),
            (after("a"), cursor(true, Some("")), None),
            (before("b"), cursor(false, Some("a")), Some(after("a"))),
            (before("b"), cursor(true, Some("a")), Some(after("a"))),
            (before("b"), cursor(true, None), None),
            (
                PageParameters::Offset { page: 1, per_page: 20 },
                offset(Some("https://x/?page=2")),
                Some(PageParameters::Offset { page: 2, per_page: 20 }),
            ),
            (PageParameters::Offset { page: 2, per_page: 20 }, offset(None), None),
            (
                FIRST,
                offset(Some("https://x/?page=2")),
                Some(PageParameters::Offset { page: 2, per_page: 100 }),
            ),
            (FIRST, offset(None), None),
        ] {
            assert_eq!(next(&current, Some(&answered)).unwrap(), expected, "{answered:?}");
        }
        assert_eq!(next(&FIRST, None).unwrap(), None, "a list of one page");
    }

    #[test]
    fn a_cursor_that_leads_to_itself_is_not_followed() {
        let error = next(&after("a"), Some(&cursor(true, Some("a")))).unwrap_err();
        assert!(matches!(error, Error::Endless), "{error}");
    }
}
