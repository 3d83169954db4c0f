//! How both engines write down what is one of a few: the words and numbers in their tables.

use tokenry_core::{
    api_token::ApiTokenStatus,
    client::{ClientRole, ClientStatus},
    event::Actor,
    grant::Origin,
};

use crate::{ChangedRecord, IdSequence, Job, KeyPurpose};

const CLIENT: &str = "client";
const USER: &str = "user";
const SERVER: &str = "server";
const API_TOKEN: &str = "api_token";
const TOKEN: &str = "token";
const KEYS: &str = "keys";
const EVERYTHING: &str = "everything";

pub(crate) const fn client_status(status: ClientStatus) -> &'static str {
    match status {
        ClientStatus::Enabled => "enabled",
        ClientStatus::Disabled => "disabled",
    }
}

pub(crate) fn parse_client_status(word: &str) -> Option<ClientStatus> {
    find(&[ClientStatus::Enabled, ClientStatus::Disabled], client_status, word)
}

pub(crate) const fn client_role(role: ClientRole) -> &'static str {
    match role {
        ClientRole::Ordinary => "ordinary",
        ClientRole::ResourceServer => "resource_server",
    }
}

pub(crate) fn parse_client_role(word: &str) -> Option<ClientRole> {
    find(&[ClientRole::Ordinary, ClientRole::ResourceServer], client_role, word)
}

pub(crate) const fn api_token_status(status: ApiTokenStatus) -> &'static str {
    match status {
        ApiTokenStatus::Active => "active",
        ApiTokenStatus::Inactive => "inactive",
    }
}

pub(crate) fn parse_api_token_status(word: &str) -> Option<ApiTokenStatus> {
    find(&[ApiTokenStatus::Active, ApiTokenStatus::Inactive], api_token_status, word)
}

pub(crate) const fn key_purpose(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::Token => "token",
        KeyPurpose::Cursor => "cursor",
        KeyPurpose::Page => "page",
    }
}

pub(crate) fn parse_key_purpose(word: &str) -> Option<KeyPurpose> {
    find(&[KeyPurpose::Token, KeyPurpose::Cursor, KeyPurpose::Page], key_purpose, word)
}

pub(crate) const fn id_sequence(sequence: IdSequence) -> &'static str {
    match sequence {
        IdSequence::Tokens => "tokens",
        IdSequence::Clients => "clients",
        IdSequence::Users => "users",
        IdSequence::ApiTokens => "api_tokens",
        IdSequence::SignInSessions => "sign_in_sessions",
    }
}

pub(crate) const fn job(job: Job) -> &'static str {
    match job {
        Job::Purge => "purge",
    }
}

/// A number, because each row of a token costs what its columns take.
pub(crate) const fn origin(origin: Origin) -> u8 {
    match origin {
        Origin::Consent => 0,
        Origin::ClientCredentials => 1,
        Origin::Created => 2,
    }
}

pub(crate) const fn parse_origin(number: u8) -> Option<Origin> {
    match number {
        0 => Some(Origin::Consent),
        1 => Some(Origin::ClientCredentials),
        2 => Some(Origin::Created),
        _ => None,
    }
}

/// The word for an actor, and its id.
pub(crate) const fn actor(actor: Actor) -> (&'static str, Option<u64>) {
    match actor {
        Actor::User(id) => (USER, Some(id.get())),
        Actor::Client(id) => (CLIENT, Some(id.get())),
        Actor::Server => (SERVER, None),
    }
}

pub(crate) fn parse_actor(word: &str, id: Option<u64>) -> Option<Actor> {
    match (word, id) {
        (USER, Some(id)) => id.try_into().ok().map(Actor::User),
        (CLIENT, Some(id)) => id.try_into().ok().map(Actor::Client),
        (SERVER, None) => Some(Actor::Server),
        _ => None,
    }
}

/// The word for what changed, and its id.
pub(crate) const fn changed_record(record: ChangedRecord) -> (&'static str, Option<u64>) {
    match record {
        ChangedRecord::Client(id) => (CLIENT, Some(id.get())),
        ChangedRecord::User(id) => (USER, Some(id.get())),
        ChangedRecord::ApiToken(id) => (API_TOKEN, Some(id.get())),
        ChangedRecord::Token(id) => (TOKEN, Some(id.get())),
        ChangedRecord::Keys => (KEYS, None),
        ChangedRecord::Everything => (EVERYTHING, None),
    }
}

pub(crate) fn parse_changed_record(word: &str, id: Option<u64>) -> Option<ChangedRecord> {
    match (word, id) {
        (CLIENT, Some(id)) => id.try_into().ok().map(ChangedRecord::Client),
        (USER, Some(id)) => id.try_into().ok().map(ChangedRecord::User),
        (API_TOKEN, Some(id)) => id.try_into().ok().map(ChangedRecord::ApiToken),
        (TOKEN, Some(id)) => id.try_into().ok().map(ChangedRecord::Token),
        (KEYS, None) => Some(ChangedRecord::Keys),
        (EVERYTHING, None) => Some(ChangedRecord::Everything),
        _ => None,
    }
}

/// The value that has this word.
fn find<T: Copy>(values: &[T], word_of: fn(T) -> &'static str, word: &str) -> Option<T> {
    values.iter().copied().find(|value| word_of(*value) == word)
}
