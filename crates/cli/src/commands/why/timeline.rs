//! What happened to a record, in the order in which it did, as far as it is known.

use serde::Serialize;
use tokenry_core::{
    event::{Event, EventKind},
    grant::{Consented, Issued, Origin, Stage, Token},
    refusal::{Refusal, in_words},
    standing::{Party, Standing},
};
use tokenry_protocol::{secret::Kind, time::Timestamp};

use super::facts::{Facts, Named, Record};

/// One moment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// A word for programs.
    pub(super) what: &'static str,
    /// A sentence without its full stop.
    pub(super) explanation: String,
}

/// What happened, the oldest first.
pub(super) fn of(facts: &Facts) -> Vec<Moment> {
    let mut moments = match &facts.record {
        Record::Grant(token) => of_grant(token, facts.now),
        Record::ApiToken(token) => {
            let mut moments = vec![moment(token.created_at, "created", "it was made")];
            moments
                .extend(token.last_used.map(|at| moment(at, "used", "it was used, the last time")));
            moments
        }
        Record::SignInSession(session) => {
            vec![moment(session.created_at, "created", "the user signed in")]
        }
        Record::ClientSecret | Record::Gone => Vec::new(),
    };
    if !matches!(facts.record, Record::Grant(_))
        && let Standing::Expired(at) = facts.standing
    {
        moments.push(moment(at, "expired", "its time was over"));
    }
    moments.extend(facts.events.iter().map(|event| of_event(event, facts)));
    moments.extend(facts.refusals.iter().map(of_refusal));
    if let Some(client) = &facts.client {
        moments.extend(deleted("client", client));
        if let (Kind::ClientSecret, Party::There(there)) = (facts.asked.public.kind, &client.party)
        {
            moments.push(moment(there.created_at, "created", "its client was registered"));
        }
    }
    if let Some(user) = &facts.user {
        moments.extend(deleted("user", user));
    }
    moments.sort_by_key(|moment| moment.at);
    moments
}

fn moment(at: Timestamp, what: &'static str, explanation: impl Into<String>) -> Moment {
    Moment { at, what, explanation: explanation.into() }
}

fn of_grant(token: &Token, now: Timestamp) -> Vec<Moment> {
    let made = match token.origin {
        Origin::Consent => "the user consented, and a code was issued",
        Origin::ClientCredentials => "it was issued to its client (client credentials)",
        Origin::Created => "it was created through the record API",
    };
    let mut moments = vec![moment(token.created_at, "created", made)];
    match &token.stage {
        Stage::Consented(consented) => moments.extend(of_code(consented, now)),
        Stage::Issued(issued) => moments.extend(of_issued(issued, token.origin, now)),
    }
    moments
}

fn of_code(consented: &Consented, now: Timestamp) -> Option<Moment> {
    (consented.expires_at <= now)
        .then(|| moment(consented.expires_at, "code_expired", "its code was not redeemed in time"))
}

fn of_issued(issued: &Issued, origin: Origin, now: Timestamp) -> Vec<Moment> {
    let mut moments = Vec::new();
    let issued_at = issued.access.issued_at;
    match (origin, issued.rotation) {
        (Origin::Consent, 1) => {
            moments.push(moment(issued_at, "redeemed", "its code was redeemed for tokens"));
        }
        (Origin::Consent, rotation) => {
            let times = rotation.saturating_sub(1);
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            let refreshed = format!("it was refreshed, the last time ({times} in all)");
            moments.push(moment(issued_at, "refreshed", refreshed));
        }
        _ => {}
    }
    if let Some(at) = issued.used_at {
        moments.push(moment(at, "used", "an access token of it was used, the last time"));
    }
    let over = |at: Option<Timestamp>| at.filter(|at| *at <= now);
    if let Some(at) = over(issued.access.expires_at()) {
        moments.push(moment(at, "access_token_expired", "its access token was over"));
    }
    if let Some(at) = over(issued.refresh.as_ref().map(|refresh| refresh.expires_at)) {
        moments.push(moment(at, "refresh_token_expired", "its refresh token was over"));
    }
    moments
}

fn of_event(event: &Event, facts: &Facts) -> Moment {
    moment(event.at, event.kind.as_str(), event_in_words(event, facts))
}

/// What happened and who did it, without the time.
pub(super) fn event_in_words(event: &Event, facts: &Facts) -> String {
    let actor = facts.actor(event.actor);
    match event.kind {
        EventKind::Revoked => format!("it was revoked by {actor}"),
        EventKind::CodeReplayed => {
            format!("its code was presented a second time by {actor}, which ended its grant")
        }
        EventKind::RefreshTokenReplayed => format!(
            "a refresh token that had been used before was presented by {actor}, which ended its \
             grant"
        ),
        EventKind::VerifiersSpent => {
            format!("too many wrong PKCE verifiers came from {actor}, which ended its code")
        }
        EventKind::PresentedByForeignClient => {
            format!("{actor} presented a credential of it that is not that client's")
        }
    }
}

fn of_refusal(refusal: &Refusal) -> Moment {
    let name = refusal.kind.name();
    let words = in_words(&refusal.reason);
    let said =
        format!("{} {name} was refused at {}: {words}", super::super::article(name), refusal.place);
    moment(refusal.at, "refused", said)
}

fn deleted<T>(what: &str, named: &Named<T>) -> Option<Moment> {
    match named.party {
        Party::Deleted(at) => {
            Some(moment(at, "deleted", format!("{what} {} was deleted", named.described())))
        }
        Party::There(_) | Party::Gone => None,
    }
}
