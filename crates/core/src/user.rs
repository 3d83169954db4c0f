//! A user: who consents, who administers.

use tokenry_protocol::{ids::UserId, time::Timestamp};

/// A user's account.
#[derive(Debug, Clone)]
pub struct User {
    /// The id, which is also the `sub` that clients see.
    pub id: UserId,
    /// As it was given.
    pub email: String,
    /// What others see.
    pub name: String,
    /// What the record API lets this user do.
    pub role: Role,
    /// Argon2id in PHC form; `None` for users who never sign in by password.
    pub password_hash: Option<String>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
    /// A suspended user is refused everywhere, at once.
    pub suspended: bool,
    /// Counts up when the password changes; sign-in sessions of another count are over.
    pub password_epoch: u32,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an operator changes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// Suspended, and so refused everywhere.
    Suspend,
    /// Suspended no more.
    Resume,
    /// Another role.
    Role(Role),
    /// Another password, as it is kept. Every sign-in session ends by it.
    PasswordHash(String),
}

impl User {
    /// The user as a change makes them. One that changes nothing is none: it would only compete
    /// with others.
    pub fn changed(&self, change: &UserChange, now: Timestamp) -> Option<Self> {
        let mut user = Self { updated_at: now, ..self.clone() };
        match change {
            UserChange::Suspend if !self.suspended => user.suspended = true,
            UserChange::Resume if self.suspended => user.suspended = false,
            UserChange::Role(role) if self.role != *role => user.role = *role,
            UserChange::PasswordHash(hash) => {
                user.password_hash = Some(hash.clone());
                user.password_epoch = self.password_epoch.wrapping_add(1);
            }
            UserChange::Suspend | UserChange::Resume | UserChange::Role(_) => return None,
        }
        Some(user)
    }

    /// Whether this is somebody who can act as an administrator.
    pub fn is_active_administrator(&self) -> bool {
        self.role == Role::Admin && !self.suspended
    }
}

/// What a user may do in the record API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Own tokens.
    EndUser,
    /// Own tokens.
    Agent,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::EndUser, Self::Agent, Self::Admin];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndUser => "end-user",
            Self::Agent => "agent",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// The one spelling of an address under which accounts are unique and attempts are counted:
/// trimmed and in lower case.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}
