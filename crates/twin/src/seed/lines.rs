//! On which line of a text an entry begins.

use toml::de::DeTable;

use super::Entry;

/// The line of an entry of a seed in TOML, from 1.
pub(super) fn of_entry(text: &str, entry: &Entry) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let list = table.get_ref().get(entry.list.as_str())?.get_ref().as_array()?;
    let start = list.get(entry.at)?.span().start;
    Some(text.get(..start)?.matches('\n').count() + 1)
}
