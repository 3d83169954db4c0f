//! Records and answers that only the store and its callers know.

use std::{collections::BTreeMap, time::Duration};

use tokenry_core::user::Role;
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, TokenId, UserId},
    time::{Seconds, Timestamp},
};

/// What ids are leased for. Each has numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdSequence {
    /// Token records.
    Tokens,
    /// Clients.
    Clients,
    /// Users.
    Users,
    /// API tokens.
    ApiTokens,
    /// Sign-in sessions.
    SignInSessions,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Tags of credentials and successors of refresh tokens.
    Token,
    /// Pagination cursors.
    Cursor,
    /// Forms of pages and cookies that are not sessions.
    Page,
}

/// A numbered key as it rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its number among keys of that purpose; the highest one that is not lost is the current one.
    pub number: u8,
    /// The key under the root key; `None` once it is lost.
    pub sealed: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How an insertion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insertion {
    /// It is there.
    Done,
    /// Its unique part is taken.
    Duplicate,
    /// What it refers to is gone.
    OwnerGone,
}

/// How adding an API token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenInsertion {
    /// It is there.
    Done,
    /// There are as many as there may be.
    LimitReached,
    /// Whom it would work for is gone.
    OwnerGone,
}

/// How an update of a client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientUpdate {
    /// It is there.
    Done,
    /// Somebody came first, or the client is gone. Nothing was written.
    Already,
    /// Its identifier is another's.
    Duplicate,
    /// Who would answer for it is gone.
    OwnerGone,
}

/// How a deletion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, by this call.
    Done,
    /// There was nothing.
    NotFound,
}

/// How deleting a user ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserDeletion {
    /// The user is gone, by this call.
    Done,
    /// There was nobody.
    NotFound,
    /// The user owns clients, and so stays.
    OwnsClients,
}

/// Whether the condition of a write held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditional {
    /// It did: the write is there.
    Now,
    /// It did not: somebody came first, or the record is gone. Nothing was written.
    Already,
}

/// What counting a wrong verifier led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongVerifierCount {
    /// The code lives on.
    Counted,
    /// The code is gone.
    Ended,
    /// There was no code to count for.
    NotFound,
}

/// Which tokens a list holds. Everything given must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFilter {
    /// Of one user.
    pub user: Option<UserId>,
    /// Of one client.
    pub client: Option<ClientId>,
    /// How long a consented grant stays on the list after both its ends, if it is not purged
    /// before; other records leave it at once.
    pub grants_kept: Seconds,
}

impl Default for TokenFilter {
    /// Everything that lives.
    fn default() -> Self {
        Self { user: None, client: None, grants_kept: Seconds(0) }
    }
}

/// Which clients a list holds. Everything given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientFilter {
    /// Of one user.
    pub owner: Option<UserId>,
    /// None of these, which are few.
    pub except: Vec<ClientId>,
}

/// Which users a list holds. Everything given must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Of one role.
    pub role: Option<Role>,
    /// Suspended ones, or those who are not.
    pub suspended: Option<bool>,
}

/// A use of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenUse {
    /// The record.
    pub id: TokenId,
    /// When.
    pub used_at: Timestamp,
    /// The rotation of the access token that was used.
    pub rotation: u32,
}

/// A use of an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiTokenUse {
    /// Which.
    pub id: ApiTokenId,
    /// When.
    pub used_at: Timestamp,
}

/// What is left of a deleted client or user until it is purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// What it was called; a user's name goes at once, and is empty.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Who numbers changes: a process that writes, or all of them together where they take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNumber(pub u64);

/// Something that other processes may have cached has changed.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Who numbered it.
    pub node: NodeNumber,
    /// Ever higher in the order of its node's commits; between nodes it says nothing.
    pub number: u64,
    /// What changed.
    pub record: ChangedRecord,
    /// How long before it was listed it was left, both by the database's clock. `None` where
    /// changes have no time: in an embedded database, which one node serves.
    pub age: Option<Duration>,
}

/// How far changes have been read: up to a number of each node. A node that it does not know has
/// been read from no further than its first change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangePosition(BTreeMap<NodeNumber, u64>);

impl ChangePosition {
    /// Before the first change of every node.
    pub const START: Self = Self(BTreeMap::new());

    /// Up to which number of a node; 0 is before its first.
    pub fn of(&self, node: NodeNumber) -> u64 {
        self.0.get(&node).copied().unwrap_or(0)
    }

    /// Every node that something was read of, and up to which number.
    pub fn iter(&self) -> impl Iterator<Item = (NodeNumber, u64)> {
        self.0.iter().map(|(node, number)| (*node, *number))
    }

    /// Goes on behind a change; back only where fewer are there than were read.
    pub fn follow(&mut self, change: &Change) {
        if matches!(change.record, ChangedRecord::Everything) {
            self.0.remove(&change.node);
        }
        if change.number > 0 {
            self.advance(change.node, change.number);
        }
    }

    /// Goes on to a number of a node; never back.
    pub fn advance(&mut self, node: NodeNumber, number: u64) {
        let position = self.0.entry(node).or_default();
        *position = number.max(*position);
    }
}

impl FromIterator<(NodeNumber, u64)> for ChangePosition {
    fn from_iter<I: IntoIterator<Item = (NodeNumber, u64)>>(numbers: I) -> Self {
        let mut position = Self::START;
        for (node, number) in numbers {
            position.advance(node, number);
        }
        position
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedRecord {
    /// A client was changed or deleted.
    Client(ClientId),
    /// A user was changed or deleted.
    User(UserId),
    /// An API token was changed or deleted.
    ApiToken(ApiTokenId),
    /// A token record was ended.
    Token(TokenId),
    /// Keys were added or lost.
    Keys,
    /// Anything at all: fewer changes of its node are there than were read, as where a database is
    /// replaced by a copy that is behind it.
    Everything,
}

/// What one node does for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Removing what is over.
    Purge,
}

/// Who holds leases: one start of one process, under a number that no other has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobHolder(pub u64);

/// A job that somebody wants to do, alone, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLeaseRequest {
    /// Which.
    pub job: Job,
    /// Who.
    pub holder: JobHolder,
    /// For how long from now on, at most [`JOB_LEASE_LIFETIME_MAX`].
    pub lifetime: Duration,
}

/// The longest life of a lease.
pub const JOB_LEASE_LIFETIME_MAX: Duration = Duration::from_secs(600);

/// A job that is somebody's for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLease {
    /// Which.
    pub job: Job,
    /// Whose.
    pub holder: JobHolder,
    /// Higher with each time that the job was taken, and the same while it is prolonged: of two
    /// that think that they hold it, the higher one does.
    pub number: u64,
}

/// One step of purging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeRequest {
    /// What is looked at.
    pub subject: PurgeSubject,
    /// Rows after this id; 0 is the beginning.
    pub after: u64,
    /// The most rows to look at, and so the most to remove.
    pub limit: u32,
    /// The time.
    pub now: Timestamp,
}

/// What can be purged, and what of it is kept although it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PurgeSubject {
    /// Codes that were not redeemed, expired records, records of deleted clients and users.
    Tokens {
        /// How long a consented grant is kept after both its ends; other records go at once.
        grants_kept: Seconds,
    },
    /// Expired sessions and those of deleted users.
    SignInSessions,
    /// Events.
    Events {
        /// How many are kept, the latest ones.
        kept: u64,
    },
    /// Refusals.
    Refusals {
        /// How many are kept, the latest ones.
        kept: u64,
    },
    /// Changes.
    Changes {
        /// How many are kept, the latest ones of each node; the last one always is, unless the
        /// node has been silent for days. Whoever polls must never fall this far behind.
        kept: u64,
    },
    /// Deleted clients; what is left of their tokens is over without them.
    Clients,
    /// Deleted users of whom no session, client or API token is left.
    Users,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeStep {
    /// Rows removed.
    pub removed: u32,
    /// Where the next step starts; `None` when the end was reached.
    pub next: Option<u64>,
    /// When the first of the rows that it looked at and left will be over, or may be; `None` if
    /// time alone ends none of them. A refresh, a revocation and a deletion can change that
    /// afterwards, so it is a hint for when to look again and nothing to decide by.
    pub due: Option<Timestamp>,
}

/// Which schema a database has, and which one this program brings it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// Of the database.
    pub found: u32,
    /// Of this program.
    pub known: u32,
}
