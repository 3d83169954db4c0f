//! A database of the first schema, with data and with every credential that was given for it
//! (`tests/fixtures/first-schema/README.md`).

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use serde_json::Value;
use tokenry_core::{
    client::ClientSecret,
    event::EventKind,
    grant::{Issued, Stage, Token},
    user::Role,
};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId},
    secret::{Credential, SecretHash},
    time::Timestamp,
};

use super::support::ALL;
use crate::{ChangePosition, ChangedRecord, ClientFilter, IdSequence, Store, TokenFilter};

/// Makes the tables and rows in a schema of PostgreSQL.
pub const POSTGRES: &str = include_str!("../../tests/fixtures/first-schema/postgres.sql");
const SQLITE: &str = include_str!("../../tests/fixtures/first-schema/sqlite.sql");

/// What was given to whom, for the rows of [`POSTGRES`].
pub fn given_by_postgres() -> Value {
    read(include_str!("../../tests/fixtures/first-schema/postgres.json"))
}

/// What was given to whom, for the rows that [`write_sqlite`] writes.
pub fn given_by_sqlite() -> Value {
    read(include_str!("../../tests/fixtures/first-schema/sqlite.json"))
}

fn read(given: &str) -> Value {
    serde_json::from_str(given).unwrap()
}

/// Makes the file of the embedded database.
pub fn write_sqlite(path: &Path) {
    Connection::open(path).unwrap().execute_batch(SQLITE).unwrap();
}

fn credential(given: &Value) -> Credential {
    Credential::parse(given.as_str().unwrap()).unwrap()
}

fn hash(given: &Value) -> [u8; 32] {
    *credential(given).hash().as_bytes()
}

fn is_of(hash: &SecretHash, given: &Value) -> bool {
    hash.matches(&credential(given).hash())
}

/// A store that was opened over it holds what there was, and goes on where it ended.
pub async fn every_record_reads_as_it_was_written(store: Arc<dyn Store>, given: &Value) {
    users_and_their_tokens(store.as_ref(), given).await;
    clients(store.as_ref(), given).await;
    grants(store.as_ref(), given).await;
    lists(store.as_ref(), given).await;
    what_is_remembered(store.as_ref()).await;
}

async fn users_and_their_tokens(store: &dyn Store, given: &Value) {
    let people = [&given["admin"], &given["users"][0], &given["users"][1]];
    let expected =
        [("Administrator", Role::Admin), ("Ben Okafor", Role::Agent), ("Grace Ærø", Role::EndUser)];
    for ((id, person), (name, role)) in (1..).zip(people).zip(expected) {
        let user = store.find_user(UserId::new(id).unwrap()).await.unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.role), (name, role));
        let found = store.find_user_by_email(person["email"].as_str().unwrap()).await.unwrap();
        assert_eq!(found.unwrap().id, user.id);
        let token = store.find_api_token(ApiTokenId::new(id).unwrap()).await.unwrap().unwrap();
        assert!(is_of(&token.hash, &person["api_token"]), "{name}");
        assert_eq!(token.assigned_user_id, Some(user.id));
    }
    assert!(store.find_user(UserId::new(4).unwrap()).await.unwrap().is_none());
    assert_eq!(store.list_api_tokens().await.unwrap().len(), 3);
    let session = SignInSessionId::new(1).unwrap();
    let session = store.find_sign_in_session(session).await.unwrap().unwrap();
    assert!(is_of(&session.hash, &given["session"]["tokenry_session"]));
    assert_eq!(session.user_id.get(), 2);
}

async fn clients(store: &dyn Store, given: &Value) {
    let find = async |id| store.find_client(ClientId::new(id).unwrap()).await.unwrap();
    let acme = find(1).await.unwrap();
    assert_eq!((acme.name.as_str(), acme.company.as_deref()), ("Acme", Some("Acme Ltd")));
    let ClientSecret::Confidential { hash, .. } = &acme.authentication else {
        panic!("it has a secret");
    };
    assert!(is_of(hash, &given["clients"]["acme"]["secret"]));
    let desk = find(2).await.unwrap();
    assert!(matches!(desk.authentication, ClientSecret::Public));
    assert!(find(3).await.is_none());
    let listed = store.list_clients(ClientFilter::default(), ALL).await.unwrap().items;
    let listed: Vec<_> = listed.iter().map(|client| client.id).collect();
    assert_eq!(listed, [acme.id, desk.id]);
}

async fn token(store: &dyn Store, given: &Value) -> Option<Token> {
    let id = TokenId::new(credential(given).parts().id).unwrap();
    store.find_token(id).await.unwrap()
}

fn hashes(issued: &Issued) -> [Option<[u8; 32]>; 3] {
    let refresh = issued.refresh.as_ref();
    let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
    [
        Some(&issued.access.hash),
        refresh.map(|refresh| &refresh.hash),
        previous.map(|previous| &previous.hash),
    ]
    .map(|hash| hash.map(|hash| *hash.as_bytes()))
}

async fn grants(store: &dyn Store, given: &Value) {
    let if_given = |given: &Value| given.is_string().then(|| hash(given));
    for (name, rotation) in [
        ("first_rotation", 1),
        ("second_rotation", 2),
        ("third_rotation", 3),
        ("public_client", 2),
        ("client_credentials", 1),
        ("made_by_administrator", 1),
    ] {
        let grant = &given["grants"][name];
        let token = token(store, &grant["now"]["access"]).await.unwrap();
        let issued = token.issued().unwrap();
        assert_eq!((issued.rotation, issued.used_rotation), (rotation, rotation), "{name}");
        assert!(issued.used_at > Some(token.created_at), "{name}");
        let now = &grant["now"];
        let expected = [&now["access"], &now["refresh"], &grant["before"]["refresh"]];
        assert_eq!(hashes(issued), expected.map(if_given), "{name}");
        let is_for_ever = name == "made_by_administrator";
        assert_eq!(issued.access.lifetime.is_none(), is_for_ever, "{name}");
    }
    for client in ["acme", "desk"] {
        let code = &given["codes"][client];
        let Stage::Consented(consented) = token(store, code).await.unwrap().stage else {
            panic!("a code that was not redeemed");
        };
        assert!(is_of(&consented.code_hash, code));
        assert_eq!(consented.challenge.is_some(), client == "desk");
    }
    for name in ["revoked", "replayed_code"] {
        let access = &given["grants"][name]["now"]["access"];
        assert!(token(store, access).await.is_none(), "{name}");
    }
}

async fn lists(store: &dyn Store, given: &Value) {
    let now = Timestamp::from_millis(given["made_at"].as_i64().unwrap());
    let (user, client) = (|id| UserId::new(id).ok(), |id| ClientId::new(id).ok());
    for (user, client, expected) in [
        (None, None, &[1, 2, 3, 4, 7, 8][..]),
        (user(2), None, &[1, 2]),
        (user(3), None, &[3, 4]),
        (user(4), None, &[]),
        (None, client(1), &[1, 2, 3, 7, 8]),
        (None, client(2), &[4]),
        (None, client(3), &[]),
    ] {
        let filter = TokenFilter { user, client, ..TokenFilter::default() };
        let listed = store.list_tokens(filter, ALL, now).await.unwrap().items;
        let ids: Vec<_> = listed.iter().map(|token| token.id.get()).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
}

async fn what_is_remembered(store: &dyn Store) {
    for (id, kind) in [(5, EventKind::Revoked), (6, EventKind::CodeReplayed)] {
        let events = store.list_events(TokenId::new(id).unwrap()).await.unwrap();
        let found: Vec<_> = events.iter().map(|event| event.kind).collect();
        assert_eq!(found, [kind]);
    }
    let changes = store.list_changes(&ChangePosition::START).await.unwrap();
    assert_eq!(changes.len(), 8);
    for record in [
        ChangedRecord::Token(TokenId::new(5).unwrap()),
        ChangedRecord::Client(ClientId::new(3).unwrap()),
        ChangedRecord::User(UserId::new(4).unwrap()),
        ChangedRecord::ApiToken(ApiTokenId::new(4).unwrap()),
    ] {
        assert!(changes.iter().any(|change| change.record == record), "{record:?}");
    }
    assert_eq!(store.list_keys().await.unwrap().len(), 3);
    for (sequence, next) in [(IdSequence::Tokens, 1_001), (IdSequence::Clients, 4)] {
        assert_eq!(store.lease_ids(sequence, 1).await.unwrap(), next..=next);
    }
}
