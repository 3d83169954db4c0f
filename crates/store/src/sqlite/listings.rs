//! Listings: whose tokens are which, told many at a time, a while after they were inserted.
//!
//! A block holds the listings of an interval of ids, and the intervals follow each other without a
//! gap. What lies past the last one is the *tail*: it is short, and whoever lists looks at its rows
//! themselves (`tokens_list`).
//!
//! 1. The writer asks [`find_work`] every so many events, and when it has nothing else to do.
//! 2. Once the tail holds a step's worth, [`list`] moves the end of the last block over it, or
//!    begins a new block if that one is full. The newest ids stay in the tail, because those that
//!    were leased at the same time may still be inserted in any order.
//! 3. A token that is inserted behind the end of the tail is listed at once ([`list_if_late`]).
//! 4. A token that goes leaves its listings; its block counts it ([`note_gone`]).
//! 5. Once more than half of a block has gone, [`list`] moves the end of the block before it, or of
//!    a new one, over what is left, while its own beginning recedes.
//! 6. A block whose interval is empty has its listings cleared, and goes.
//!
//! The listings of a block are packed ([`parts`]), and a step reads and writes all of its block.
//!
//! Each step is a part of one transaction, and what the database holds after it is whole: there is
//! nothing to mend after a crash, and nothing that two processes on one file must agree on.

pub(super) mod parts;

use rusqlite::{Connection, params};
use tokenry_core::grant::Token;

use self::parts::{Entry, Kind};
use super::{open::StoreOptions, rows, session::Session};
use crate::{Result, columns::ReadColumns as _};

/// The most entries of one row, which then has less than a fourth of a page and needs no other.
const PART_MAX: usize = 128;

/// How much is listed at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Tokens of a block.
    block: u32,
}

impl Sizes {
    pub(super) const fn new(block: u32) -> Self {
        Self { block }
    }

    /// Tokens that are listed in one step, and events between two looks: few enough to be no
    /// pause, and many enough to share the pages that they write.
    pub(super) const fn step(self) -> u32 {
        let step = self.block / 16;
        if step == 0 { 1 } else { step }
    }

    /// Entries of one row.
    fn part(self) -> usize {
        usize::try_from(self.block / 64).map_or(PART_MAX, |size| size.clamp(1, PART_MAX))
    }

    /// Ids at the end that are not listed yet.
    const fn slack(self) -> u32 {
        self.block / 32
    }
}

/// What can be done in one step.
#[derive(Debug)]
pub(super) enum Work {
    /// Listing the first tokens from there on, in the block before.
    List {
        first_id: u64,
        last_id: u64,
        /// The block that loses them.
        source: Option<u64>,
    },
    /// Clearing a block that has no interval any more.
    Clear { number: u64 },
}

/// Step 1.
pub(super) fn find_work(connection: &Connection, sizes: Sizes) -> Result<Option<Work>> {
    let half_gone = "SELECT number, first_id, last_id FROM listing_blocks \
        WHERE first_id <= last_id AND gone * 2 > entries ORDER BY last_id LIMIT 1";
    let emptied = "SELECT number FROM listing_blocks WHERE first_id > last_id LIMIT 1";
    if let Some(work) = find_tail(connection, sizes)? {
        return Ok(Some(work));
    }
    let drain = rows::find(connection, half_gone, [], |columns| {
        let source = Some(columns.number()?);
        Ok(Work::List { first_id: columns.number()?, last_id: columns.number()?, source })
    })?;
    if drain.is_some() {
        return Ok(drain);
    }
    rows::find(connection, emptied, [], |columns| Ok(Work::Clear { number: columns.number()? }))
}

/// Step 2, if there is enough.
fn find_tail(connection: &Connection, sizes: Sizes) -> Result<Option<Work>> {
    let bounds = "SELECT (SELECT coalesce(max(last_id), 0) FROM listing_blocks) + 1, \
        coalesce(max(id), 0) FROM tokens";
    let (first_id, newest) = rows::find(connection, bounds, [], |columns| {
        Ok((columns.number::<u64>()?, columns.number::<u64>()?))
    })?
    .unwrap_or_default();
    let last_id = newest.saturating_sub(sizes.slack().into());
    let enough = "SELECT 1 FROM tokens WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1 OFFSET ?";
    let values = params![first_id, last_id, sizes.step() - 1];
    let is_enough = rows::find(connection, enough, values, |_| Ok(()))?.is_some();
    Ok(is_enough.then_some(Work::List { first_id, last_id, source: None }))
}

/// What one step lists of an interval.
struct Part {
    tokens: Vec<Owned>,
    last_id: u64,
}

/// A token, and whose it is.
struct Owned {
    id: u64,
    client: u64,
    user: u64,
}

impl Part {
    fn read(connection: &Connection, first_id: u64, last_id: u64, sizes: Sizes) -> Result<Self> {
        let first_tokens = "SELECT id, client_id, user_id FROM tokens WHERE id BETWEEN ? AND ? \
            ORDER BY id LIMIT ?";
        let step = sizes.step();
        let tokens =
            rows::list(connection, first_tokens, params![first_id, last_id, step], |columns| {
                let (id, client, user) = (columns.number()?, columns.number()?, columns.number()?);
                Ok(Owned { id, client, user })
            })?;
        let is_full = u32::try_from(tokens.len()).is_ok_and(|count| count == step);
        // Otherwise the interval ends with it.
        let last_id = tokens.last().filter(|_| is_full).map_or(last_id, |token| token.id);
        Ok(Self { tokens, last_id })
    }

    fn entries(&self, owner: impl Fn(&Owned) -> u64) -> impl Iterator<Item = Entry> {
        self.tokens.iter().map(move |token| Entry { owner: owner(token), token_id: token.id })
    }
}

/// Does one step of work, as a part of a transaction.
pub(super) fn perform(connection: &Connection, work: &Work, sizes: Sizes) -> Result<()> {
    match *work {
        Work::List { first_id, last_id, source } => {
            let part = Part::read(connection, first_id, last_id, sizes)?;
            list(connection, first_id, &part, sizes)?;
            if let Some(number) = source {
                // What has moved is gone from it: extended meanwhile, it must not count as full.
                let recede = "UPDATE listing_blocks SET first_id = ? + 1, gone = gone + ? \
                    WHERE last_id = ? AND number = ?";
                let moved = part.tokens.len();
                rows::write(connection, recede, params![part.last_id, moved, last_id, number])?;
            }
            Ok(())
        }
        Work::Clear { number } => clear(connection, number),
    }
}

/// All the steps there are to do, as a part of one transaction: after a change of the schema.
pub(super) fn list_all(connection: &Connection) -> Result<()> {
    let sizes = Sizes::new(StoreOptions::default().listing_block);
    while let Some(work) = find_work(connection, sizes)? {
        perform(connection, &work, sizes)?;
    }
    Ok(())
}

/// Steps 2 and 5.
fn list(connection: &Connection, first_id: u64, part: &Part, sizes: Sizes) -> Result<()> {
    let block_before = "SELECT number FROM listing_blocks \
        WHERE last_id = ? - 1 AND first_id <= last_id AND entries < ?";
    let extended = "UPDATE listing_blocks SET last_id = ?3, entries = entries + ?4 \
        WHERE last_id = ?1 - 1 AND number = ?2";
    let begun = "INSERT INTO listing_blocks (number, first_id, last_id, entries, gone) \
        SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, 0 FROM listing_blocks RETURNING number";
    let number = |columns: &mut rows::Columns<'_, '_>| columns.number::<u64>();
    let before = rows::find(connection, block_before, params![first_id, sizes.block], number)?;
    let number = if let Some(number) = before {
        let values = params![first_id, number, part.last_id, part.tokens.len()];
        rows::write(connection, extended, values)?;
        number
    } else {
        rows::value(connection, begun, params![first_id, part.last_id, part.tokens.len()])?
    };
    let clients = part.entries(|token| token.client);
    merge(connection, (number, Kind::Client), clients, sizes)?;
    merge(connection, (number, Kind::User), part.entries(|token| token.user), sizes)
}

fn merge(
    connection: &Connection,
    (block, kind): (u64, Kind),
    more: impl Iterator<Item = Entry>,
    sizes: Sizes,
) -> Result<()> {
    let mut entries = parts::read(connection, block, kind)?;
    entries.extend(more);
    // Two runs, which a stable sort merges.
    entries.sort();
    parts::write(connection, (block, kind), &entries, sizes.part())
}

/// Step 6.
fn clear(connection: &Connection, number: u64) -> Result<()> {
    let itself = "DELETE FROM listing_blocks WHERE number = ? AND first_id > last_id";
    parts::clear(connection, number)?;
    rows::write(connection, itself, [number])?;
    Ok(())
}

/// The block whose interval holds an id; none of the tail.
fn block_of(connection: &Connection, id: u64) -> Result<Option<Block>> {
    let holding = "SELECT number, last_id FROM listing_blocks \
        WHERE last_id >= ?1 AND first_id <= ?1 ORDER BY last_id LIMIT 1";
    rows::find(connection, holding, [id], |columns| {
        Ok(Block { number: columns.number()?, last_id: columns.number()? })
    })
}

struct Block {
    number: u64,
    last_id: u64,
}

/// Step 3, in the event that inserts the token.
pub(super) fn list_if_late(session: &Session<'_>, token: &Token) -> Result<()> {
    let listed_up_to = match session.listed_up_to.get() {
        Some(id) => id,
        None => find_listed_up_to(session)?,
    };
    session.listed_up_to.set(Some(listed_up_to));
    if token.id.get() > listed_up_to { Ok(()) } else { list_late(session, token) }
}

/// No event moves it, so it holds for a whole transaction.
fn find_listed_up_to(connection: &Connection) -> Result<u64> {
    let end = "SELECT coalesce(max(last_id), 0) FROM listing_blocks";
    rows::value(connection, end, [])
}

fn list_late(connection: &Connection, token: &Token) -> Result<()> {
    let counted = "UPDATE listing_blocks SET entries = entries + 1 \
        WHERE last_id = ? AND number = ?";
    let Some(block) = block_of(connection, token.id.get())? else {
        return Ok(());
    };
    rows::write(connection, counted, [block.last_id, block.number])?;
    let owners = [(Kind::Client, token.client_id.get()), (Kind::User, token.user_id.get())];
    for (kind, owner) in owners {
        let entry = Entry { owner, token_id: token.id.get() };
        parts::add(connection, (block.number, kind), entry, PART_MAX)?;
    }
    Ok(())
}

/// Step 4, in the event that removes the tokens, whose ids ascend.
pub(super) fn note_gone(connection: &Connection, ids: &[u64]) -> Result<()> {
    let noted = "UPDATE listing_blocks SET gone = gone + ? WHERE last_id = ? AND number = ?";
    let mut rest = ids;
    while let Some(first) = rest.first()
        && let Some(block) = block_of(connection, *first)?
    {
        let (of_block, further) = rest.split_at(rest.partition_point(|id| *id <= block.last_id));
        let gone = u64::try_from(of_block.len()).unwrap_or(u64::MAX);
        rows::write(connection, noted, [gone, block.last_id, block.number])?;
        rest = further;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
