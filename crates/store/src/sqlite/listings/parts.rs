//! The listings of a block, packed: sorted by owner and token, so many to a row.
//!
//! A row is named by its first entry and holds those that follow as differences to the one before:
//! the owner's, then the token's, which may go back (zigzag), both in groups of 7 bits from the
//! lowest, with the high bit on all but the last. So most entries have three bytes, and all of a
//! block are read and written again in less time than the places of some would be looked for.

use rusqlite::{Connection, params};

use crate::{
    Result,
    columns::ReadColumns as _,
    sqlite::rows::{self, Columns},
};

/// Whose listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Kind {
    Client,
    User,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Client => 0,
            Self::User => 1,
        }
    }
}

/// That a token is an owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) owner: u64,
    pub(super) token_id: u64,
}

/// All that a block lists of a kind, in order.
pub(super) fn read(connection: &Connection, block: u64, kind: Kind) -> Result<Vec<Entry>> {
    let parts = "SELECT owner, token_id, entries FROM listing_parts \
        WHERE block = ? AND kind = ? ORDER BY owner, token_id";
    let mut entries = Vec::new();
    for part in rows::list(connection, parts, params![block, kind.number()], read_part)? {
        entries.extend(part);
    }
    Ok(entries)
}

/// Replaces all that a block lists of a kind by `entries`, which are in order.
pub(super) fn write(
    connection: &Connection,
    (block, kind): (u64, Kind),
    entries: &[Entry],
    size: usize,
) -> Result<()> {
    let all = "DELETE FROM listing_parts WHERE block = ? AND kind = ?";
    rows::write(connection, all, params![block, kind.number()])?;
    insert(connection, (block, kind), entries, size)
}

/// Adds one entry to a block, wherever its place is.
pub(super) fn add(
    connection: &Connection,
    (block, kind): (u64, Kind),
    entry: Entry,
    size: usize,
) -> Result<()> {
    let before = "SELECT owner, token_id, entries FROM listing_parts \
        WHERE block = ? AND kind = ? AND (owner, token_id) <= (?, ?) \
        ORDER BY owner DESC, token_id DESC LIMIT 1";
    let itself =
        "DELETE FROM listing_parts WHERE block = ? AND kind = ? AND owner = ? AND token_id = ?";
    let place = params![block, kind.number(), entry.owner, entry.token_id];
    // Before the first part it begins one of its own.
    let mut entries = rows::find(connection, before, place, read_part)?.unwrap_or_default();
    if let Some(first) = entries.first() {
        let named = params![block, kind.number(), first.owner, first.token_id];
        rows::write(connection, itself, named)?;
    }
    entries.insert(entries.partition_point(|other| *other < entry), entry);
    // One too many for a part is halved, so that the next one finds room.
    let size = if entries.len() > size { entries.len().div_ceil(2) } else { size };
    insert(connection, (block, kind), &entries, size)
}

fn insert(
    connection: &Connection,
    (block, kind): (u64, Kind),
    entries: &[Entry],
    size: usize,
) -> Result<()> {
    let insertion = "INSERT INTO listing_parts (block, kind, owner, token_id, entries) \
        VALUES (?, ?, ?, ?, ?)";
    for part in entries.chunks(size.max(1)) {
        if let [first, rest @ ..] = part {
            let values =
                params![block, kind.number(), first.owner, first.token_id, pack(*first, rest)];
            rows::write(connection, insertion, values)?;
        }
    }
    Ok(())
}

/// The tokens of an owner that a block lists, in order.
pub(in crate::sqlite) fn of_owner(
    connection: &Connection,
    (block, kind): (u64, Kind),
    owner: u64,
) -> Result<Vec<u64>> {
    // Parts that begin with an owner before may end with this one.
    let before = "SELECT owner, token_id, entries FROM listing_parts \
        WHERE block = ? AND kind = ? AND owner < ? ORDER BY owner DESC, token_id DESC LIMIT 1";
    let own = "SELECT owner, token_id, entries FROM listing_parts \
        WHERE block = ? AND kind = ? AND owner = ? ORDER BY token_id";
    let whose = params![block, kind.number(), owner];
    let first = rows::find(connection, before, whose, read_part)?;
    let parts = first.into_iter().chain(rows::list(connection, own, whose, read_part)?);
    let listed = parts.flatten().filter(|entry| entry.owner == owner);
    Ok(listed.map(|entry| entry.token_id).collect())
}

/// Removes all that a block lists.
pub(super) fn clear(connection: &Connection, block: u64) -> Result<()> {
    rows::write(connection, "DELETE FROM listing_parts WHERE block = ?", [block])?;
    Ok(())
}

fn read_part(columns: &mut Columns<'_, '_>) -> Result<Vec<Entry>> {
    let first = Entry { owner: columns.number()?, token_id: columns.number()? };
    columns.bytes(|bytes| unpack(first, bytes?))
}

fn pack(first: Entry, rest: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rest.len() * 4);
    let mut before = first;
    for entry in rest {
        push(&mut bytes, entry.owner.wrapping_sub(before.owner));
        let difference = entry.token_id.wrapping_sub(before.token_id).cast_signed();
        push(&mut bytes, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
        before = *entry;
    }
    bytes
}

fn unpack(first: Entry, mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::with_capacity(1 + bytes.len() / 2);
    let mut entry = first;
    entries.push(entry);
    while !bytes.is_empty() {
        let (owner, zigzag) = (pull(&mut bytes)?, pull(&mut bytes)?);
        let difference = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
        entry.owner = entry.owner.wrapping_add(owner);
        entry.token_id = entry.token_id.wrapping_add(difference);
        entries.push(entry);
    }
    Some(entries)
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    bytes.push(low_byte(number));
}

const fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Entry, pack, unpack};
    use crate::suite::seeded::Seeded;

    #[test]
    fn what_is_packed_is_unpacked_the_same() {
        let random = Seeded::new(1);
        for shift in 0..63 {
            let number = || (random.next() >> 1) >> shift;
            let entry = || Entry { owner: number(), token_id: number() };
            let mut entries: Vec<Entry> = std::iter::repeat_with(entry).take(50).collect();
            entries.sort_unstable();
            let bytes = pack(entries[0], &entries[1..]);
            assert_eq!(unpack(entries[0], &bytes).unwrap(), entries);
        }
    }

    #[test]
    fn what_was_not_packed_is_refused() {
        let first = Entry { owner: 1, token_id: 1 };
        for bytes in [&[0x80][..], &[1], &[1, 0x80], &[0xFF; 22]] {
            assert!(unpack(first, bytes).is_none(), "{bytes:?}");
        }
    }
}
