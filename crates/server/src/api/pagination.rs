//! Pages of lists: what is asked of the store, and the members and links of the answer.
//!
//! A cursor is `v1.<list>.<position>.<check>`. It names a position, not a record, and works for the
//! list, the filters and the caller it was made for. It does not expire.

use std::{borrow::Cow, convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use tokenry_core::credentials::Key;
use tokenry_protocol::{
    api::{
        pagination::{
            AFTER, BEFORE, CursorLinks, CursorMeta, CursorPosition, PAGE, PageParameters,
            Pagination, SIZE,
        },
        query::{InvalidQuery, Query},
    },
    ids::UserId,
};
use tokenry_store::{Page, PageRequest, StoreError, Window};

use crate::{config::BaseUrl, keyring::Keys, respond::ApiError, state::AppState};

/// Where a credential may stand in a query; it is repeated in no link.
const ACCESS_TOKEN: &str = "access_token";

/// The address of a request as the client wrote it.
pub struct Address {
    path: String,
    query: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let path = parts.uri.path().to_owned();
        Ok(Self { path, query: parts.uri.query().map(str::to_owned) })
    }
}

impl Address {
    /// Its query.
    pub fn query(&self) -> Query<'_> {
        Query::parse(self.query.as_deref())
    }
}

impl From<InvalidQuery> for ApiError {
    fn from(invalid: InvalidQuery) -> Self {
        match invalid {
            InvalidQuery::Attribute(name, must_be) => Self::InvalidAttribute(name, must_be),
            InvalidQuery::Pagination(detail) => Self::InvalidPagination(detail),
            InvalidQuery::TooDeep => Self::PaginationTooDeep,
        }
    }
}

/// What a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The list.
    pub list: List,
    /// Who walks it.
    pub caller: UserId,
    /// The filters, always the same number of them for a list; 0 stands for none.
    pub filters: &'a [u64],
}

/// The lists that have pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Tokens.
    Tokens,
    /// Clients.
    Clients,
    /// The caller's clients.
    OwnClients,
    /// Global clients.
    GlobalClients,
}

impl List {
    const fn letter(self) -> char {
        match self {
            Self::Tokens => 't',
            Self::Clients => 'c',
            Self::OwnClients => 'm',
            Self::GlobalClients => 'g',
        }
    }
}

impl Binding<'_> {
    /// The cursor of a position.
    pub fn cursor(&self, position: u64, key: &Key) -> String {
        let letter = self.list.letter();
        let filters: Vec<[u8; 8]> = self.filters.iter().map(|one| one.to_be_bytes()).collect();
        // Fixed lengths for a list, and the letter tells the list.
        let mac = key.mac(&[
            b"tokenry cursor",
            &u32::from(letter).to_be_bytes(),
            &self.caller.get().to_be_bytes(),
            &position.to_be_bytes(),
            filters.as_flattened(),
        ]);
        let check = mac.split_at_checked(16).map_or(&mac[..], |(half, _)| half);
        let position = URL_SAFE_NO_PAD.encode(position.to_be_bytes());
        format!("v1.{letter}.{position}.{}", URL_SAFE_NO_PAD.encode(check))
    }

    /// The position that a cursor of ours names; retired keys still count.
    pub fn position(&self, cursor: &str, keys: &[Key]) -> Option<u64> {
        let encoded = cursor.split('.').nth(2)?;
        let position = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let position = u64::from_be_bytes(position.try_into().ok()?);
        let is_ours = |key: &Key| {
            let ours = self.cursor(position, key);
            bool::from(ours.as_bytes().ct_eq(cursor.as_bytes()))
        };
        keys.iter().any(is_ours).then_some(position)
    }
}

/// A page of a list that is in memory as a whole, in ascending order of id.
pub fn page_of<T>(all: Vec<T>, id: impl Fn(&T) -> u64, request: PageRequest) -> Page<T> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let mut items = all;
    match request.window {
        Window::After(after) => items.retain(|item| id(item) > after),
        Window::Before(before) => items.retain(|item| id(item) < before),
        Window::Offset(rows) => {
            let passed = usize::try_from(rows).unwrap_or(usize::MAX).min(items.len());
            drop(items.drain(..passed));
        }
    }
    let beyond = items.len().saturating_sub(limit);
    match request.window {
        Window::Before(_) => drop(items.drain(..beyond)),
        Window::After(_) | Window::Offset(_) => items.truncate(limit),
    }
    Page { items, has_more: beyond > 0 }
}

/// A page that was asked for.
pub struct Paging<'a> {
    address: &'a Address,
    binding: Binding<'a>,
    parameters: PageParameters,
    window: Window,
    keys: Arc<Keys>,
    base: Cow<'a, BaseUrl>,
}

impl<'a> Paging<'a> {
    /// Reads the pagination parameters.
    pub fn read(
        state: &'a AppState,
        address: &'a Address,
        binding: Binding<'a>,
    ) -> Result<Self, ApiError> {
        let parameters = PageParameters::parse(&address.query())?;
        let keys = state.keys();
        let position = |cursor: &str, refusal| {
            let position = binding.position(cursor, &keys.cursor);
            position.ok_or(ApiError::InvalidPagination(refusal))
        };
        let window = match &parameters {
            PageParameters::Offset { page, per_page } => Window::Offset((page - 1) * per_page),
            PageParameters::Cursor { position: at, .. } => match at {
                CursorPosition::Start => Window::After(0),
                CursorPosition::After(cursor) => {
                    let refusal = "page[after] is not a cursor of this list.";
                    Window::After(position(cursor, refusal)?)
                }
                CursorPosition::Before(cursor) => {
                    let refusal = "page[before] is not a cursor of this list.";
                    Window::Before(position(cursor, refusal)?)
                }
            },
        };
        Ok(Self { address, binding, parameters, window, base: state.base(), keys })
    }

    /// What to ask the store for.
    pub fn request(&self) -> PageRequest {
        let limit = match self.parameters {
            PageParameters::Offset { per_page, .. } => per_page,
            PageParameters::Cursor { size, .. } => size,
        };
        PageRequest { window: self.window, limit }
    }

    /// Whether the answer tells how many records there are in all.
    pub fn needs_count(&self) -> bool {
        matches!(self.parameters, PageParameters::Offset { .. })
    }

    /// The members beside the records. `count` is told in the offset form only.
    pub fn members<T>(
        &self,
        page: &Page<T>,
        id: impl Fn(&T) -> u64,
        count: u32,
    ) -> Result<Pagination, ApiError> {
        match self.parameters {
            PageParameters::Offset { page: number, .. } => Ok(Pagination::Offset {
                count: count.into(),
                next_page: page.has_more.then(|| self.offset_link(number + 1)),
                previous_page: (number > 1).then(|| self.offset_link(number - 1)),
            }),
            PageParameters::Cursor { size, .. } => {
                let ids =
                    Page { items: page.items.iter().map(id).collect(), has_more: page.has_more };
                self.cursor_members(&ids, size)
            }
        }
    }

    fn cursor_members(&self, ids: &Page<u64>, size: u32) -> Result<Pagination, ApiError> {
        let has_more = ids.has_more;
        // Where the walk came from there is another page; where it goes, if there is more.
        let (is_more_before, is_more_after) = match self.window {
            Window::After(0) | Window::Offset(_) => (false, has_more),
            Window::After(_) => (true, has_more),
            Window::Before(_) => (has_more, true),
        };
        let key = self.keys.cursor.first();
        let key = key.ok_or_else(|| StoreError::Corrupt("there is no cursor key".to_owned()))?;
        let cursor = |position: &u64| self.binding.cursor(*position, key);
        let first = ids.items.first().filter(|_| is_more_before);
        let last = ids.items.last().filter(|_| is_more_after);
        let (before, after) = (first.map(cursor), last.map(cursor));
        let link = |name, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| self.cursor_link(size, name, cursor))
        };
        Ok(Pagination::Cursor {
            links: CursorLinks { next: link(AFTER, &after), prev: link(BEFORE, &before) },
            meta: CursorMeta { has_more, after_cursor: after, before_cursor: before },
        })
    }

    /// Every parameter of the request stays: clients follow the link without their own.
    fn offset_link(&self, page: u32) -> String {
        self.link(&[PAGE, ACCESS_TOKEN], &[format!("{PAGE}={page}")])
    }

    fn cursor_link(&self, size: u32, name: &str, cursor: &str) -> String {
        let added = [format!("{SIZE}={size}"), format!("{name}={cursor}")];
        self.link(&[SIZE, AFTER, BEFORE, ACCESS_TOKEN], &added)
    }

    fn link(&self, replaced: &[&str], added: &[String]) -> String {
        let query = self.address.query();
        let kept = query.without(replaced);
        let query: Vec<&str> = kept.chain(added.iter().map(String::as_str)).collect();
        format!("{}{}?{}", self.base, self.address.path, query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_memory_has_the_pages_that_one_in_a_store_has() {
        let page = |window, limit| {
            let request = PageRequest { window, limit };
            let page = page_of((1..=7).map(|id| id * 10).collect(), |id| *id, request);
            (page.items, page.has_more)
        };
        let all = vec![10, 20, 30, 40, 50, 60, 70];
        assert_eq!(page(Window::After(0), 100), (all.clone(), false));
        assert_eq!(page(Window::After(0), 7), (all.clone(), false));
        assert_eq!(page(Window::After(0), 3), (all[..3].to_vec(), true));
        assert_eq!(page(Window::After(35), 3), (all[3..6].to_vec(), true));
        assert_eq!(page(Window::After(70), 3), (vec![], false));
        assert_eq!(page(Window::Before(70), 3), (all[3..6].to_vec(), true));
        assert_eq!(page(Window::Before(40), 3), (all[..3].to_vec(), false));
        assert_eq!(page(Window::Before(u64::MAX), 2), (all[5..].to_vec(), true));
        assert_eq!(page(Window::Offset(5), 5), (all[5..].to_vec(), false));
        assert_eq!(page(Window::Offset(2), 2), (all[2..4].to_vec(), true));
        assert_eq!(page(Window::Offset(9), 5), (vec![], false));
    }
}
