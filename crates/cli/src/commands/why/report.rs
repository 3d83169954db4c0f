//! All of it told, as text or as JSON.

use std::fmt;

use serde::Serialize;
use tokenry_core::{
    client::{Client, ClientSecret, ClientStatus},
    event::Event,
    grant::Stage,
    refusal::{Refusal, in_words},
    standing::{Party, Standing},
    user::User,
};
use tokenry_protocol::{
    scope::Scope,
    secret::{Kind, examination::PublicPart, public_part},
    time::Timestamp,
};
use tokenry_server::config::Purge;

use super::{
    super::article,
    facts::{Facts, Named, Record},
    timeline::{self, Moment, event_in_words},
};

/// What is told.
#[derive(Serialize)]
pub(super) struct Report {
    credential: String,
    kind: &'static str,
    id: u64,
    works: bool,
    standing: &'static str,
    explanation: String,
    client: Option<Owner>,
    user: Option<Owner>,
    /// What the credential may do.
    scopes: Option<Vec<String>>,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
    /// How many times its record was given tokens; of a client's secret, how many were before it.
    rotation: Option<u32>,
    /// Of a credential of this kind.
    last_refusal: Option<LastRefusal>,
    timeline: Vec<Moment>,
    #[serde(skip)]
    name: &'static str,
}

/// A client or a user.
#[derive(Serialize)]
struct Owner {
    id: u64,
    state: &'static str,
    name: Option<String>,
    /// A client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    /// A user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip)]
    described: String,
}

#[derive(Serialize)]
struct LastRefusal {
    at: Timestamp,
    reason: String,
    explanation: String,
    place: String,
}

impl Report {
    pub(super) fn of(facts: &Facts, purge: &Purge) -> Self {
        let PublicPart { kind, id } = facts.asked.public;
        let details = Details::of(facts);
        let refused = facts.refusals.iter().rev().find(|refusal| refusal.kind == kind);
        Self {
            credential: public_part(kind, id),
            kind: kind.as_str(),
            id,
            works: matches!(facts.standing, Standing::Works(_)),
            standing: facts.standing.as_str(),
            explanation: explanation(facts, purge),
            client: facts.client.as_ref().map(|client| Owner {
                identifier: client.handle.clone(),
                ..Owner::of(client, client_state)
            }),
            user: facts
                .user
                .as_ref()
                .map(|user| Owner { email: user.handle.clone(), ..Owner::of(user, user_state) }),
            scopes: details
                .scope
                .map(|scope| scope.tokens().iter().map(ToString::to_string).collect()),
            created_at: details.created_at,
            expires_at: details.expires_at,
            used_at: details.used_at,
            rotation: details.rotation,
            last_refusal: refused.map(last_refusal),
            timeline: timeline::of(facts),
            name: kind.name(),
        }
    }
}

/// What the record says of the credential.
#[derive(Default)]
struct Details<'a> {
    scope: Option<&'a Scope>,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
    rotation: Option<u32>,
}

impl<'a> Details<'a> {
    fn of(facts: &'a Facts) -> Self {
        let kind = facts.asked.public.kind;
        match &facts.record {
            Record::Grant(token) => {
                let created_at = Some(token.created_at);
                match &token.stage {
                    Stage::Consented(consented) => Self {
                        scope: Some(&token.granted),
                        created_at,
                        expires_at: Some(consented.expires_at),
                        used_at: None,
                        rotation: Some(0),
                    },
                    Stage::Issued(issued) => Self {
                        scope: Some(match kind {
                            Kind::AccessToken => &issued.scope,
                            _ => &token.granted,
                        }),
                        created_at,
                        expires_at: match kind {
                            Kind::AccessToken => issued.access.expires_at(),
                            _ => issued.refresh.as_ref().map(|refresh| refresh.expires_at),
                        },
                        used_at: issued.used_at,
                        rotation: Some(issued.rotation),
                    },
                }
            }
            Record::ApiToken(token) => Self {
                created_at: Some(token.created_at),
                used_at: token.last_used,
                ..Self::default()
            },
            Record::SignInSession(session) => Self {
                created_at: Some(session.created_at),
                expires_at: Some(session.expires_at),
                ..Self::default()
            },
            Record::ClientSecret => Self { rotation: generation(facts), ..Self::default() },
            Record::Gone => Self::default(),
        }
    }
}

fn generation(facts: &Facts) -> Option<u32> {
    match &facts.client.as_ref()?.party {
        Party::There(Client {
            authentication: ClientSecret::Confidential { generation, .. },
            ..
        }) => Some(*generation),
        _ => None,
    }
}

impl Owner {
    fn of<T>(named: &Named<T>, state: fn(&T) -> &'static str) -> Self {
        let (state, end) = match &named.party {
            Party::There(there) => (state(there), String::new()),
            Party::Deleted(at) => ("deleted", format!(", deleted at {at}")),
            Party::Gone => ("gone", ", which is not there any more".to_owned()),
        };
        Self {
            id: named.id,
            state,
            name: named.name.clone(),
            identifier: None,
            email: None,
            described: format!("{}{end}", named.described()),
        }
    }
}

const fn client_state(client: &Client) -> &'static str {
    match client.status {
        ClientStatus::Enabled => "enabled",
        ClientStatus::Disabled => "disabled",
    }
}

const fn user_state(user: &User) -> &'static str {
    if user.suspended { "suspended" } else { "active" }
}

fn last_refusal(refusal: &Refusal) -> LastRefusal {
    LastRefusal {
        at: refusal.at,
        reason: refusal.reason.clone().into_owned(),
        explanation: in_words(&refusal.reason).to_owned(),
        place: refusal.place.clone().into_owned(),
    }
}

/// Whether it works, and if not why, in a sentence or two.
fn explanation(facts: &Facts, purge: &Purge) -> String {
    let kind = facts.asked.public.kind;
    match &facts.standing {
        Standing::Works(Some(until)) => format!("It works until {until}.{}", or_replaced(facts)),
        Standing::Works(None) if is_account_wide(&facts.record) => {
            "It works with the address of every verified user, without an end.".to_owned()
        }
        Standing::Works(None) => format!("It works, without an end.{}", or_replaced(facts)),
        Standing::NotRedeemed => {
            "There is no such token yet: the code of its record was not redeemed.".to_owned()
        }
        Standing::Redeemed => "It was redeemed, and a code works once.".to_owned(),
        Standing::HasNone if kind == Kind::ClientSecret => {
            "There is none: its client is public.".to_owned()
        }
        Standing::HasNone => "There is none: its record has an access token alone.".to_owned(),
        Standing::Replaced if kind == Kind::ClientSecret => {
            "It was replaced: its client has got a new secret since.".to_owned()
        }
        Standing::Replaced => {
            "It was replaced: its record was refreshed since, and only the newest pair works."
                .to_owned()
        }
        Standing::Expired(at) => format!("It expired at {at}."),
        Standing::SwitchedOff => "It was switched off by an administrator.".to_owned(),
        Standing::BoundToNobody => {
            "It is bound to nobody, and this server takes only API tokens of one user \
             (api_tokens.account_wide)."
                .to_owned()
        }
        Standing::PasswordChanged => "It ended when its user's password was changed.".to_owned(),
        Standing::ClientDisabled => {
            "It is refused as long as its client is stopped (status `disabled`).".to_owned()
        }
        Standing::ClientDeleted(at) => format!("It ended with its client{}.", deleted(*at)),
        Standing::UserSuspended => "It is refused as long as its user is suspended.".to_owned(),
        Standing::UserDeleted(at) => format!("It ended with its user{}.", deleted(*at)),
        Standing::Ended(event) => ended(event, facts),
        Standing::NoLongerKept => no_longer_kept(kind, purge),
        Standing::NeverIssued => format!(
            "No {} was ever issued for this number: the last one that may have been given is {}.",
            kind.name(),
            facts.last_id
        ),
    }
}

const fn is_account_wide(record: &Record) -> bool {
    matches!(record, Record::ApiToken(token) if token.assigned_user_id.is_none())
}

/// A public part does not say which one of its record's tokens is meant.
fn or_replaced(facts: &Facts) -> &'static str {
    let is_rotated = match &facts.record {
        Record::Grant(token) => token.issued().is_some_and(|issued| issued.rotation > 1),
        _ => false,
    };
    if is_rotated && facts.asked.rotation.is_none() {
        " That is the newest one of its record: those from before its last refresh are refused."
    } else {
        ""
    }
}

fn deleted(at: Option<Timestamp>) -> String {
    at.map_or_else(|| ", which was deleted".to_owned(), |at| format!(", which was deleted at {at}"))
}

fn ended(event: &Event, facts: &Facts) -> String {
    let words = event_in_words(event, facts);
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} at {}.", letters.as_str(), event.at)
}

fn no_longer_kept(kind: Kind, purge: &Purge) -> String {
    let days = purge.expired_grants_kept.as_secs() / 86_400;
    let kept = match kind {
        Kind::ApiToken => "it was deleted, by an administrator or with its user".to_owned(),
        Kind::ClientSecret => "its client was deleted".to_owned(),
        Kind::SignInSession => "the user signed out, or it was over".to_owned(),
        _ => format!(
            "it was over, or its client or user was deleted. What a user consented to is kept for \
             {days} days after its end, other tokens are not, and of what was revoked or replayed \
             the latest {} events are kept",
            purge.events_kept
        ),
    };
    format!("Its record is not there any more: {kept}.")
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential, id, name, explanation, .. } = self;
        writeln!(formatter, "{credential} names record {id}, as {} {name}.", article(name))?;
        let verdict = if self.works { "" } else { "It does not work. " };
        writeln!(formatter, "{verdict}{explanation}\n")?;
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let refused = self.last_refusal.as_ref();
        let rows = [
            ("client", self.client.as_ref().map(|client| client.described.clone())),
            ("user", self.user.as_ref().map(|user| user.described.clone())),
            ("scope", self.scopes.as_ref().map(|scopes| scopes.join(" "))),
            ("created", time(self.created_at)),
            ("expires", time(self.expires_at)),
            ("last used", time(self.used_at)),
            ("rotation", self.rotation.map(|rotation| rotation.to_string())),
            ("last refused", refused.map(|refused| format!("{} at {}", refused.at, refused.place))),
            ("because", refused.map(|refused| refused.explanation.clone())),
        ];
        for (heading, value) in rows {
            if let Some(value) = value {
                writeln!(formatter, "  {heading:<13}{value}")?;
            }
        }
        if self.timeline.is_empty() {
            return write!(formatter, "  Nothing else is known of it.");
        }
        write!(formatter, "\nTimeline")?;
        for Moment { at, explanation, .. } in &self.timeline {
            write!(formatter, "\n  {at}  {explanation}")?;
        }
        Ok(())
    }
}
