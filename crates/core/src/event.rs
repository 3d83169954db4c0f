//! What is remembered of a record after it ended, and of attacks on it: for audits.

use tokenry_protocol::{
    ids::{ClientId, TokenId, UserId},
    time::Timestamp,
};

/// One remembered fact. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The record.
    pub token_id: TokenId,
    /// The record's client.
    pub client_id: ClientId,
    /// The record's user.
    pub user_id: UserId,
    /// Who did it, where somebody did.
    pub actor: Actor,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A user, through the record API or a page.
    User(UserId),
    /// A client, through a grant endpoint.
    Client(ClientId),
    /// The server itself.
    Server,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The record was revoked: it is gone.
    Revoked,
    /// A code was presented a second time: the record is gone.
    CodeReplayed,
    /// An old refresh token was presented: the record is gone.
    RefreshTokenReplayed,
    /// Too many wrong verifiers came for a code: the record is gone.
    VerifiersSpent,
    /// Another client presented a credential of this record, which lives on.
    PresentedByForeignClient,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Revoked,
        Self::CodeReplayed,
        Self::RefreshTokenReplayed,
        Self::VerifiersSpent,
        Self::PresentedByForeignClient,
    ];

    /// Whether the record was gone from then on.
    pub const fn ends_record(self) -> bool {
        match self {
            Self::Revoked
            | Self::CodeReplayed
            | Self::RefreshTokenReplayed
            | Self::VerifiersSpent => true,
            Self::PresentedByForeignClient => false,
        }
    }

    /// The word at rest and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::CodeReplayed => "code_replayed",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::VerifiersSpent => "verifiers_spent",
            Self::PresentedByForeignClient => "presented_by_foreign_client",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
