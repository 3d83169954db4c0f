//! Whether what a record was minted for works today, and if not, why: for whoever runs the server.
//!
//! Nothing is accepted by this. It knows of no secret, and so speaks of the present credential of a
//! record and of no other.

use tokenry_protocol::{secret::Kind, time::Timestamp};

use crate::{
    api_token::{ApiToken, ApiTokenStatus, UnboundApiTokens},
    client::{Client, ClientSecret, ClientStatus},
    event::Event,
    grant::{Issued, Stage, Token},
    sign_in_session::SignInSession,
    user::User,
};

/// A client or a user, as far as they are still there.
#[derive(Debug, Clone)]
pub enum Party<T> {
    /// There.
    There(T),
    /// Deleted, and not removed yet.
    Deleted(Timestamp),
    /// Nothing is left of it.
    Gone,
}

/// How it stands with a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It works until then; `None` is without an end.
    Works(Option<Timestamp>),
    /// Its code is out, and no token was issued yet.
    NotRedeemed,
    /// The code was redeemed: it has done its work.
    Redeemed,
    /// The record has none of this kind.
    HasNone,
    /// Another one of the same record has taken its place.
    Replaced,
    /// Its time was over then.
    Expired(Timestamp),
    /// An administrator switched the API token off.
    SwitchedOff,
    /// The API token is bound to nobody, and the server takes none of those.
    BoundToNobody,
    /// Its user's password was changed since.
    PasswordChanged,
    /// An administrator stopped its client.
    ClientDisabled,
    /// Its client was deleted; then, if that is still known.
    ClientDeleted(Option<Timestamp>),
    /// Its user was suspended.
    UserSuspended,
    /// Its user was deleted; then, if that is still known.
    UserDeleted(Option<Timestamp>),
    /// The record was ended by this.
    Ended(Event),
    /// The record is gone, and nothing says why.
    NoLongerKept,
    /// No record ever had this id.
    NeverIssued,
}

impl Standing {
    /// The word in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Works(_) => "works",
            Self::NotRedeemed => "not_redeemed",
            Self::Redeemed => "redeemed",
            Self::HasNone => "has_none",
            Self::Replaced => "replaced",
            Self::Expired(_) => "expired",
            Self::SwitchedOff => "switched_off",
            Self::BoundToNobody => "bound_to_nobody",
            Self::PasswordChanged => "password_changed",
            Self::ClientDisabled => "client_disabled",
            Self::ClientDeleted(_) => "client_deleted",
            Self::UserSuspended => "user_suspended",
            Self::UserDeleted(_) => "user_deleted",
            Self::Ended(event) => event.kind.as_str(),
            Self::NoLongerKept => "no_longer_kept",
            Self::NeverIssued => "never_issued",
        }
    }

    /// Of an access token, a refresh token or a code whose record is there. `rotation` is that of
    /// the credential in question, if it is known.
    pub fn of_grant(
        (kind, rotation): (Kind, Option<u32>),
        token: &Token,
        (client, user): (&Party<Client>, &Party<User>),
        now: Timestamp,
    ) -> Self {
        let ends_at = match (&token.stage, kind) {
            (Stage::Consented(consented), Kind::AuthorizationCode) => Some(consented.expires_at),
            (Stage::Consented(_), _) => return Self::NotRedeemed,
            (Stage::Issued(issued), _) => match end_of_issued(kind, rotation, issued) {
                Ok(ends_at) => ends_at,
                Err(standing) => return standing,
            },
        };
        if let Some(standing) = of_client(client).or_else(|| of_user(user)) {
            return standing;
        }
        until(ends_at, now)
    }

    /// Of an access token, a refresh token or a code whose record is not there. Ids up to `last_id`
    /// have been given.
    pub fn of_ended_grant(id: u64, last_id: u64, events: &[Event]) -> Self {
        let end = events.iter().rev().find(|event| event.kind.ends_record());
        end.map_or_else(|| Self::of_missing(id, last_id), |end| Self::Ended(end.clone()))
    }

    /// Of anything whose record is not there and leaves no event.
    pub const fn of_missing(id: u64, last_id: u64) -> Self {
        if id <= last_id { Self::NoLongerKept } else { Self::NeverIssued }
    }

    /// Of an API token. `user` is the one whom it is bound to, if it is.
    pub fn of_api_token(token: &ApiToken, user: &Party<User>, unbound: UnboundApiTokens) -> Self {
        if token.status != ApiTokenStatus::Active {
            return Self::SwitchedOff;
        }
        match (token.assigned_user_id, unbound) {
            (Some(_), _) => of_user(user).unwrap_or(Self::Works(None)),
            (None, UnboundApiTokens::Refused) => Self::BoundToNobody,
            (None, UnboundApiTokens::AccountWide) => Self::Works(None),
        }
    }

    /// Of the secret of a client.
    pub fn of_client_secret(rotation: Option<u32>, client: &Party<Client>) -> Self {
        let Party::There(there) = client else {
            return of_client(client).unwrap_or(Self::NoLongerKept);
        };
        match there.authentication {
            ClientSecret::Public => Self::HasNone,
            ClientSecret::Confidential { generation, .. }
                if rotation.is_some_and(|rotation| rotation != generation) =>
            {
                Self::Replaced
            }
            ClientSecret::Confidential { .. } => of_client(client).unwrap_or(Self::Works(None)),
        }
    }

    /// Of a browser's session.
    pub fn of_sign_in_session(session: &SignInSession, user: &Party<User>, now: Timestamp) -> Self {
        let is_changed = matches!(user, Party::There(user)
            if user.password_epoch != session.password_epoch);
        match of_user(user) {
            Some(standing) => standing,
            None if is_changed => Self::PasswordChanged,
            None => until(Some(session.expires_at), now),
        }
    }
}

fn until(ends_at: Option<Timestamp>, now: Timestamp) -> Standing {
    match ends_at {
        Some(end) if end <= now => Standing::Expired(end),
        ends_at => Standing::Works(ends_at),
    }
}

/// When the present credential of this kind ends, or why there is none.
fn end_of_issued(
    kind: Kind,
    rotation: Option<u32>,
    issued: &Issued,
) -> Result<Option<Timestamp>, Standing> {
    let is_older = rotation.is_some_and(|rotation| rotation < issued.rotation);
    match (kind, &issued.refresh) {
        (Kind::AuthorizationCode, _) => Err(Standing::Redeemed),
        (Kind::RefreshToken, None) => Err(Standing::HasNone),
        _ if is_older => Err(Standing::Replaced),
        (Kind::RefreshToken, Some(refresh)) => Ok(Some(refresh.expires_at)),
        _ => Ok(issued.access.expires_at()),
    }
}

fn of_client(client: &Party<Client>) -> Option<Standing> {
    match client {
        Party::There(client) if client.status == ClientStatus::Enabled => None,
        Party::There(_) => Some(Standing::ClientDisabled),
        Party::Deleted(at) => Some(Standing::ClientDeleted(Some(*at))),
        Party::Gone => Some(Standing::ClientDeleted(None)),
    }
}

fn of_user(user: &Party<User>) -> Option<Standing> {
    match user {
        Party::There(user) if !user.suspended => None,
        Party::There(_) => Some(Standing::UserSuspended),
        Party::Deleted(at) => Some(Standing::UserDeleted(Some(*at))),
        Party::Gone => Some(Standing::UserDeleted(None)),
    }
}
