//! Walking lists from page to page.

use anyhow::{Result, bail};
use memchr::memmem;

use super::{
    Answer,
    supply::{Expected, Supply},
};

const CURSOR: &[u8] = b"\"after_cursor\":\"";
const MORE: &[u8] = b"\"has_more\":true";

/// Each connection walks through one list after the other, by the cursors that it is given.
pub(crate) struct Walk {
    /// The request for the first page of each list, up to its query's end and from there on.
    first_pages: Vec<(Vec<u8>, Vec<u8>)>,
    places: Vec<Place>,
    expected: Expected,
}

/// Where a connection is.
#[derive(Debug, Clone)]
struct Place {
    list: usize,
    cursor: Vec<u8>,
}

impl Walk {
    /// These lists, by so many connections, which begin at different ones.
    pub(crate) fn new(
        first_pages: Vec<(Vec<u8>, Vec<u8>)>,
        connections: usize,
        expected: Expected,
    ) -> Self {
        let step = (first_pages.len() / connections.max(1)).max(1);
        let start = |connection| Place { list: connection * step, cursor: Vec::new() };
        Self { first_pages, places: (0..connections).map(start).collect(), expected }
    }
}

impl Supply for Walk {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let Some(place) = self.places.get(connection) else { return false };
        let page = self.first_pages.get(place.list % self.first_pages.len().max(1));
        let Some((to_query, rest)) = page else { return false };
        out.extend_from_slice(to_query);
        if !place.cursor.is_empty() {
            out.extend_from_slice(b"&page%5Bafter%5D=");
            out.extend_from_slice(&place.cursor);
        }
        out.extend_from_slice(rest);
        true
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        self.expected.judge(answer)?;
        let Some(place) = self.places.get_mut(connection) else {
            bail!("an answer that nobody asked for");
        };
        let before = std::mem::take(&mut place.cursor);
        if memmem::find(answer.body, MORE).is_none() {
            place.list += 1;
            return Ok(());
        }
        let cursor = memmem::find(answer.body, CURSOR)
            .and_then(|at| answer.body.get(at + CURSOR.len()..))
            .and_then(|rest| rest.split(|byte| *byte == b'"').next());
        match cursor {
            Some(cursor) if cursor != before => place.cursor.extend_from_slice(cursor),
            _ => bail!("a page that has a next one does not say where"),
        }
        Ok(())
    }
}
