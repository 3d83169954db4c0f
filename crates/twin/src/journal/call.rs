//! A call as it was, for the journal to take down.

use std::time::Duration;

use tokenry_protocol::{
    ids::{ClientId, UserId},
    oauth::token::GrantType,
    time::Timestamp,
};

use super::body::Body;
use crate::faults::Struck;

/// Everything that is known of a call when it is over. Nothing of it needs to be redacted.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// When it came, by the double's clock.
    pub at: Timestamp,
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    /// The row of the table of routes, with `{id}` where an id stands.
    pub route: Option<&'a str>,
    /// What a request at the token endpoint asked for.
    pub grant_type: Option<GrantType>,
    /// What the server answered; `None`: a fault kept the call from it.
    pub decided: Option<u16>,
    /// What was sent; `None`: nothing.
    pub sent: Option<u16>,
    /// Who called, or on whose behalf.
    pub user_id: Option<UserId>,
    /// Which client it was.
    pub client_id: Option<ClientId>,
    /// The record whose token it presented.
    pub record_id: Option<u64>,
    /// What it presented, whole or its public part.
    pub credential: Option<&'a str>,
    /// What went wrong on demand.
    pub struck: &'a [Struck],
    /// From the first byte of the request to the answer.
    pub took: Duration,
    /// What was asked.
    pub request: Body<'a>,
    /// What the server answered, or what a fault put in its place when the server was not asked.
    pub answer: Body<'a>,
    /// Why it ended as it did, where more is known than the answer tells.
    pub reason: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A call of which nothing else is known.
    pub const fn new(at: Timestamp, method: &'a str, path: &'a str) -> Self {
        Self {
            at,
            method,
            path,
            route: None,
            grant_type: None,
            decided: None,
            sent: None,
            user_id: None,
            client_id: None,
            record_id: None,
            credential: None,
            struck: &[],
            took: Duration::ZERO,
            request: Body { content_type: None, bytes: &[] },
            answer: Body { content_type: None, bytes: &[] },
            reason: None,
        }
    }
}
