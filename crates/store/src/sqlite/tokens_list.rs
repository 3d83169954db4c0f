//! Lists of tokens: what owners and administrators see, and what has been approved.
//!
//! A list of everybody's tokens goes over the rows themselves. A list of one client's or user's
//! goes over the listings block by block and then over the rows of the tail, or the other way
//! round, within one snapshot: in the next one a block's interval may be another.

use std::ops::ControlFlow;

use rusqlite::{Connection, params};
use tokenry_core::grant::Token;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    scope::Scope,
    time::Timestamp,
};

use super::{
    listings::parts::{self, Kind},
    pages::{self, List},
    rows,
};
use crate::{
    Page, PageRequest, Result, TokenFilter, Window,
    columns::{
        ReadColumns as _,
        tokens::{read, token_columns},
    },
};

/// Issued, and whose client and user are there.
macro_rules! standing {
    () => {
        "rotation > 0 \
         AND EXISTS (SELECT 1 FROM clients WHERE id = tokens.client_id AND deleted_at IS NULL) \
         AND EXISTS (SELECT 1 FROM users WHERE id = tokens.user_id AND deleted_at IS NULL)"
    };
}

/// One of the two tokens worked after a time.
macro_rules! unexpired {
    ($since:literal) => {
        concat!(
            "(access_lifetime IS NULL OR issued_at + access_lifetime * 1000 > ",
            $since,
            " OR refresh_expires_at > ",
            $since,
            ")"
        )
    };
}

/// The same, unless it is a consented grant.
macro_rules! unexpired_or_consented {
    ($since:literal) => {
        concat!("(origin = 0 OR ", unexpired!($since), ")")
    };
}

/// Until when one of a record's tokens must have worked for a list to hold it.
#[derive(Clone, Copy)]
struct Ends {
    /// What is listed ended after this; for consented grants that is all.
    consented: Timestamp,
    /// What nobody consented to ended after this, which is not earlier.
    others: Timestamp,
}

impl Ends {
    fn of(filter: TokenFilter, now: Timestamp) -> Self {
        Self { consented: now.minus(filter.grants_kept), others: now }
    }
}

/// What is looked for of each token.
#[derive(Clone, Copy)]
struct Look {
    columns: &'static str,
    /// Which tokens, with the [`Ends`] as `?1` and `?2`.
    condition: &'static str,
}

const LISTED: Look = Look {
    columns: token_columns!(),
    condition: concat!(
        standing!(),
        " AND ",
        unexpired!("?1"),
        " AND ",
        unexpired_or_consented!("?2")
    ),
};

const LISTED_UNREAD: Look = Look { columns: "1", ..LISTED };

const APPROVED: Look = Look {
    columns: "granted",
    condition: concat!("origin = 0 AND ", standing!(), " AND ", unexpired!("?1")),
};

/// A page of records, in the order of id.
pub(super) fn page(
    connection: &Connection,
    filter: TokenFilter,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<Token>> {
    let Some(owner) = Owner::of(filter) else {
        return everybodys(Ends::of(filter, now)).page(connection, page, |columns| read(columns));
    };
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut skipped = match page.window {
        Window::Offset(rows) => rows,
        Window::After(_) | Window::Before(_) => 0,
    };
    let mut items = Vec::new();
    let mut has_more = false;
    owner.walk(connection, LISTED, (page.window, Ends::of(filter, now)), |columns| {
        if skipped > 0 {
            skipped -= 1;
        } else if items.len() == limit {
            has_more = true;
            return Ok(ControlFlow::Break(()));
        } else {
            items.push(read(columns)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if matches!(page.window, Window::Before(_)) {
        items.reverse();
    }
    Ok(Page { items, has_more })
}

/// How many records there are, up to `limit`.
pub(super) fn count(
    connection: &Connection,
    filter: TokenFilter,
    limit: u32,
    now: Timestamp,
) -> Result<u32> {
    let Some(owner) = Owner::of(filter) else {
        return everybodys(Ends::of(filter, now)).count(connection, limit);
    };
    let mut counted = 0;
    owner.walk(connection, LISTED_UNREAD, (Window::After(0), Ends::of(filter, now)), |_| {
        if counted == limit {
            return Ok(ControlFlow::Break(()));
        }
        counted += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(counted)
}

/// What a user's live, consented grants to a client were approved for.
pub(super) fn approved_scopes(
    connection: &Connection,
    user: UserId,
    client: ClientId,
    now: Timestamp,
) -> Result<Vec<Scope>> {
    let owner = Owner::User { id: user, client: Some(client) };
    let mut approved = Vec::new();
    let ends = Ends { consented: now, others: now };
    owner.walk(connection, APPROVED, (Window::After(0), ends), |columns| {
        approved.push(columns.scope()?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(approved)
}

fn everybodys(ends: Ends) -> List {
    let millis = |time: Timestamp| time.as_millis().max(0).unsigned_abs();
    let mut list = List::new("tokens", token_columns!(), standing!());
    list.and(unexpired!("?"), millis(ends.consented));
    list.and(unexpired_or_consented!("?"), millis(ends.others));
    list
}

/// Whose listings are walked.
enum Owner {
    Client(ClientId),
    /// A user has few tokens, a client may have millions: of both, the user's are walked.
    User {
        id: UserId,
        client: Option<ClientId>,
    },
}

impl Owner {
    /// `None` is everybody.
    fn of(filter: TokenFilter) -> Option<Self> {
        match filter {
            TokenFilter { user: Some(id), client, .. } => Some(Self::User { id, client }),
            TokenFilter { user: None, client: Some(id), .. } => Some(Self::Client(id)),
            TokenFilter { user: None, client: None, .. } => None,
        }
    }

    /// Visits the tokens of a window in the direction of travel, until there was enough.
    fn walk(
        &self,
        connection: &Connection,
        look: Look,
        (window, ends): (Window, Ends),
        mut visit: impl FnMut(&mut rows::Columns<'_, '_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let bound = match window {
            Window::After(id) | Window::Before(id) => id,
            Window::Offset(_) => 0,
        };
        rows::in_one_snapshot(connection, || {
            let tail = |visit: &mut Visit<'_>| {
                let (owner, client) = self.numbers();
                let (consented, others) = (ends.consented.as_millis(), ends.others.as_millis());
                let values = params![consented, others, owner, client, pages::bound(bound)];
                rows::visit(connection, &self.tail(look, window), values, visit)
            };
            let listed = |visit: &mut Visit<'_>| {
                self.walk_blocks(connection, look, (window, bound, ends), visit)
            };
            // In the direction of travel, and the second only if there was not enough.
            let is_backward = matches!(window, Window::Before(_));
            let first = if is_backward { tail(&mut visit)? } else { listed(&mut visit)? };
            match first {
                ControlFlow::Break(()) => Ok(first),
                ControlFlow::Continue(()) if is_backward => listed(&mut visit),
                ControlFlow::Continue(()) => tail(&mut visit),
            }
        })
        .map(drop)
    }

    /// The owner, and of which client alone.
    fn numbers(&self) -> (u64, Option<u64>) {
        match self {
            Self::Client(id) => (id.get(), None),
            Self::User { id, client } => (id.get(), client.map(ClientId::get)),
        }
    }

    /// Over the listings. The order of the loops is the order of the rows, so a page reads no more
    /// than it shows.
    fn walk_blocks(
        &self,
        connection: &Connection,
        Look { columns, condition }: Look,
        (window, bound, ends): (Window, u64, Ends),
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>> {
        let kind = match self {
            Self::Client(_) => Kind::Client,
            Self::User { .. } => Kind::User,
        };
        let is_backward = matches!(window, Window::Before(_));
        let (past, order) =
            if is_backward { ("first_id < ?", "DESC") } else { ("last_id > ?", "") };
        let blocks = format!(
            "SELECT number, first_id, last_id FROM listing_blocks WHERE {past} \
             ORDER BY last_id {order}, number {order}"
        );
        let row = format!(
            "SELECT {columns} FROM tokens \
             WHERE id = ?3 AND (?4 IS NULL OR client_id = ?4) AND {condition}"
        );
        let mut row = connection.prepare_cached(&row)?;
        let (owner, client) = self.numbers();
        let (consented, others) = (ends.consented.as_millis(), ends.others.as_millis());
        rows::visit(connection, &blocks, [pages::bound(bound)], |columns| {
            let (number, first_id, last_id) =
                (columns.number::<u64>()?, columns.number()?, columns.number()?);
            let mut ids = parts::of_owner(connection, (number, kind), owner)?;
            ids.retain(|id| {
                let is_past = if is_backward { *id < bound } else { *id > bound };
                is_past && (first_id..=last_id).contains(id)
            });
            if is_backward {
                ids.reverse();
            }
            for id in ids {
                let values = params![consented, others, id, client];
                if rows::visit_found(&mut row, values, &mut *visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Over what is not listed yet.
    fn tail(&self, Look { columns, condition }: Look, window: Window) -> String {
        let owner = match self {
            Self::Client(_) => "client_id",
            Self::User { .. } => "user_id",
        };
        let (past, order) = match window {
            Window::After(_) | Window::Offset(_) => (">", ""),
            Window::Before(_) => ("<", "DESC"),
        };
        format!(
            "SELECT {columns} FROM tokens WHERE id > \
             (SELECT coalesce(max(last_id), 0) FROM listing_blocks) AND id {past} ?5 \
             AND {owner} = ?3 AND (?4 IS NULL OR client_id = ?4) AND {condition} \
             ORDER BY id {order}"
        )
    }
}

/// What is done with each row.
type Visit<'v> = dyn FnMut(&mut rows::Columns<'_, '_>) -> Result<ControlFlow<()>> + 'v;
