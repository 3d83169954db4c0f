//! `/`: what one needs to connect, and what the double is up to.

use askama::Template;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    time::Timestamp,
};

use super::{Setting, shown_time};
use crate::{account::Account, connect::ConnectionDetails};

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// What it is set to.
    pub setting: Setting,
    /// How to connect.
    pub details: ConnectionDetails,
    /// What its account began with.
    pub account: Account,
    /// The rules by which calls go wrong.
    pub faults: Vec<FaultInForce>,
}

/// A rule by which calls go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultInForce {
    /// As it is written.
    pub text: String,
    /// What trouble it stands for.
    pub about: String,
    /// Calls that it was asked about.
    pub matched: u64,
    /// Calls that it made go wrong.
    pub struck: u64,
}

impl HomePage {
    fn person(&self, id: UserId) -> String {
        self.account.user(id).map_or_else(|| id.to_string(), |user| user.email.clone())
    }

    fn program(&self, id: ClientId) -> String {
        self.account.client(id).map_or_else(|| id.to_string(), |client| client.identifier.clone())
    }

    /// When a token is over, or was.
    fn ends(&self, at: Option<Timestamp>) -> String {
        match at {
            None => "does not expire".to_owned(),
            Some(at) if at <= self.setting.now => format!("ended {}", shown_time(at)),
            Some(at) => format!("ends {}", shown_time(at)),
        }
    }
}
