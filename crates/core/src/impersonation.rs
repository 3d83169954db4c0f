//! Acting for an end user: a call of an administrator's that runs as somebody else.
//!
//! 1. Only a bearer token can, whose scope has `impersonate` and whose user is an administrator.
//! 2. Only for an end user whose address is verified and who is not suspended: acting for an agent
//!    or another administrator would be a way to more than the caller has.
//! 3. The call then has the end user's role and the other scopes of the token, so that it never
//!    reaches further than either.

use std::{fmt, sync::Arc};

use tokenry_protocol::{ids::UserId, scope::Scope};

use crate::user::{Role, User, fold_email};

/// Whom a call names to act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(UserId),
    /// By address, folded.
    Email(String),
}

impl Named {
    /// Reads an id or an address; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        match UserId::parse(text) {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => text.contains('@').then(|| Self::Email(fold_email(text))),
        }
    }
}

/// Why a call does not run as whom it names. The wire has one answer for every reason: it says
/// nothing about who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpersonationRefused {
    /// The call came with a user's own credentials, which have no scope.
    NoBearer,
    /// The scope lacks `impersonate`.
    ScopeLacking,
    /// The bearer token's user is no administrator.
    NoAdministrator,
    /// There is no such user, or the call named several.
    Unknown,
    /// The user is no end user, is suspended, or has an address that nobody has verified.
    NotEligible,
}

impl ImpersonationRefused {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::NoBearer,
        Self::ScopeLacking,
        Self::NoAdministrator,
        Self::Unknown,
        Self::NotEligible,
    ];

    /// The word in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBearer => "impersonator no bearer",
            Self::ScopeLacking => "may not impersonate",
            Self::NoAdministrator => "impersonator no admin",
            Self::Unknown => "impersonated unknown",
            Self::NotEligible => "impersonated not eligible",
        }
    }
}

impl fmt::Display for ImpersonationRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Somebody who may act for end users: known before anybody looks for whom.
#[derive(Debug, Clone, Copy)]
pub struct Impersonator(());

impl Impersonator {
    /// Judges who calls, and the scope of their bearer token; `None` is a call without one.
    pub fn judge(user: &User, scope: Option<&Scope>) -> Result<Self, ImpersonationRefused> {
        let scope = scope.ok_or(ImpersonationRefused::NoBearer)?;
        if !scope.impersonates() {
            return Err(ImpersonationRefused::ScopeLacking);
        }
        if user.role != Role::Admin {
            return Err(ImpersonationRefused::NoAdministrator);
        }
        Ok(Self(()))
    }

    /// As whom the call runs.
    pub fn act_for(self, named: Option<Arc<User>>) -> Result<Arc<User>, ImpersonationRefused> {
        let user = named.ok_or(ImpersonationRefused::Unknown)?;
        if user.role == Role::EndUser && user.verified && !user.suspended {
            Ok(user)
        } else {
            Err(ImpersonationRefused::NotEligible)
        }
    }
}
