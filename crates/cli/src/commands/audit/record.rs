//! One thing that somebody holds, and many of them together, as an audit prints them.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;
use tokenry_client::models::{ApiTokenObject, ClientId, OAuthTokenObject, Timestamp, UserId};

use super::finding::{self, Finding};
use crate::{
    commands::token::{
        directory::Directory,
        filter::ends_at,
        record::{ends, named, used},
    },
    output::{Cell, Column, Record},
};

/// What somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Held {
    AccessToken,
    ApiToken,
}

/// One thing that somebody holds.
#[derive(Serialize)]
pub(super) struct HeldRecord {
    pub(super) kind: Held,
    id: Option<u64>,
    user_id: Option<UserId>,
    user_email: Option<String>,
    client_id: Option<ClientId>,
    client_identifier: Option<String>,
    description: Option<String>,
    scopes: Option<Vec<String>>,
    created_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    pub(super) findings: Vec<Finding>,
}

impl HeldRecord {
    /// A token.
    pub(super) fn of_token(
        token: OAuthTokenObject,
        directory: &Directory,
        unused_since: Timestamp,
    ) -> Self {
        let client = directory.client(token.client_id);
        let user = directory.user(token.user_id);
        Self {
            kind: Held::AccessToken,
            id: token.id.map(Into::into),
            user_id: token.user_id,
            user_email: user.and_then(|user| user.email.clone()),
            client_id: token.client_id,
            client_identifier: client.and_then(|client| client.identifier.clone()),
            description: None,
            findings: finding::of_token(&token, client, user, unused_since),
            created_at: token.created_at,
            used_at: token.used_at,
            expires_at: ends_at(&token),
            scopes: token.scopes,
        }
    }

    /// An API token. Without a user of its own it works for everybody.
    pub(super) fn of_api_token(
        token: ApiTokenObject,
        directory: &Directory,
        unused_since: Timestamp,
    ) -> Self {
        let user = directory.user(token.assigned_user_id);
        Self {
            kind: Held::ApiToken,
            id: token.id.map(Into::into),
            user_id: token.assigned_user_id,
            user_email: user.and_then(|user| user.email.clone()),
            client_id: None,
            client_identifier: None,
            findings: finding::of_api_token(&token, user, unused_since),
            created_at: token.created_at,
            used_at: token.last_used,
            expires_at: None,
            scopes: None,
            description: token.description.filter(|text| !text.is_empty()),
        }
    }

    /// Who holds it, in one word.
    pub(super) fn user(&self) -> Option<String> {
        let everybody = (self.kind == Held::ApiToken).then(|| "every user".to_owned());
        named(self.user_email.as_ref(), "user", self.user_id).or(everybody)
    }

    /// What it may do, if that is limited.
    pub(super) fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// Through which client, in one word.
    pub(super) fn client(&self) -> Option<String> {
        named(self.client_identifier.as_ref(), "client", self.client_id)
    }
}

fn findings_cell(findings: &[Finding]) -> Cell {
    let words: Vec<_> = findings.iter().map(|finding| finding.words()).collect();
    if words.is_empty() { Cell::none() } else { Cell::new(&words.join(", ")).notable() }
}

impl Record for HeldRecord {
    const PLURAL: &'static str = "tokens";
    const FIELDS: &'static [&'static str] = &[
        "kind",
        "id",
        "user_id",
        "user_email",
        "client_id",
        "client_identifier",
        "description",
        "scopes",
        "created_at",
        "used_at",
        "expires_at",
        "findings",
    ];
    const COLUMNS: &'static [Column] = &[
        Column::new("kind").whole(),
        Column::number("id"),
        Column::new("user"),
        Column::new("client"),
        Column::new("scopes"),
        Column::new("created").hidden_when_narrow(),
        Column::new("last used").whole(),
        Column::new("expires").whole().hidden_when_narrow(),
        Column::new("findings"),
    ];

    /// Two kinds have ids of their own.
    fn id(&self) -> String {
        let kind = match self.kind {
            Held::AccessToken => "access_token",
            Held::ApiToken => "api_token",
        };
        format!("{kind}:{}", self.id.unwrap_or_default())
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let kind = match self.kind {
            Held::AccessToken => "token",
            Held::ApiToken => "API token",
        };
        let (scopes, expires) = match self.kind {
            Held::AccessToken => (
                self.scopes.as_ref().map(|scopes| scopes.join(" ")).into(),
                ends(self.expires_at, now),
            ),
            Held::ApiToken => (Cell::new("all that its user may"), Cell::none()),
        };
        let created = self.created_at.map(|time| Cell::time(time, now));
        vec![
            Cell::new(kind),
            self.id.into(),
            self.user().into(),
            self.client().or_else(|| self.description.clone()).into(),
            scopes,
            created.unwrap_or_else(Cell::none),
            used(self.used_at, now),
            expires,
            findings_cell(&self.findings),
        ]
    }
}

/// All that one client, one user or one scope stands for.
#[derive(Debug, Default, Serialize)]
pub(super) struct GroupRecord {
    name: String,
    access_tokens: u64,
    api_tokens: u64,
    with_findings: u64,
    used_at: Option<Timestamp>,
    findings: BTreeMap<Finding, u64>,
}

/// Everything, by what it is grouped.
#[derive(Default)]
pub(super) struct Groups(BTreeMap<String, GroupRecord>);

impl Groups {
    /// Takes one more thing that somebody holds.
    pub(super) fn take(&mut self, names: Vec<String>, held: &HeldRecord) {
        for name in names {
            let group = self.0.entry(name.clone()).or_default();
            group.name = name;
            match held.kind {
                Held::AccessToken => group.access_tokens += 1,
                Held::ApiToken => group.api_tokens += 1,
            }
            group.with_findings += u64::from(!held.findings.is_empty());
            group.used_at = group.used_at.max(held.used_at);
            for finding in &held.findings {
                *group.findings.entry(*finding).or_default() += 1;
            }
        }
    }

    /// The groups, those that hold most first.
    pub(super) fn sorted(self) -> Vec<GroupRecord> {
        let mut groups: Vec<_> = self.0.into_values().collect();
        groups.sort_by_key(|group| Reverse(group.access_tokens + group.api_tokens));
        groups
    }
}

impl Record for GroupRecord {
    const PLURAL: &'static str = "tokens";
    const FIELDS: &'static [&'static str] =
        &["name", "access_tokens", "api_tokens", "with_findings", "used_at", "findings"];
    const COLUMNS: &'static [Column] = &[
        Column::new("name"),
        Column::number("tokens"),
        Column::number("API tokens"),
        Column::number("with findings"),
        Column::new("last used").whole(),
        Column::new("findings"),
    ];

    fn id(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let counted = |(finding, count): (&Finding, &u64)| format!("{} {count}", finding.words());
        let findings: Vec<_> = self.findings.iter().map(counted).collect();
        let findings = if findings.is_empty() {
            Cell::none()
        } else {
            Cell::new(&findings.join(", ")).notable()
        };
        vec![
            Cell::new(&self.name),
            Cell::new(&self.access_tokens),
            Cell::new(&self.api_tokens),
            Cell::new(&self.with_findings),
            used(self.used_at, now),
            findings,
        ]
    }
}
