//! Nothing that has ended since a backup was taken comes to life again by restoring it, unless
//! somebody says so, and no id is given twice.

use std::path::PathBuf;

use rusqlite::Connection;
use tokenry_core::client::ClientStatus;
use tokenry_protocol::ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId};
use tokenry_store::{
    IdSequence, Store,
    copy::{CopyError, Ended, Progress, Role, SinceThen},
    sqlite::{SqliteStore, StoreOptions},
    suite::support::{START, World, after, assert_same},
};

use crate::{
    backup::Backup,
    support::{Installation, Place},
};

const ROUNDS: u64 = 6;
/// More than all ids there are.
const IDS: u64 = 600;

const SEQUENCES: [IdSequence; 5] = [
    IdSequence::Tokens,
    IdSequence::Clients,
    IdSequence::Users,
    IdSequence::ApiTokens,
    IdSequence::SignInSessions,
];

/// Settles a backup as if it were restored in place of `place`.
async fn settle(
    backup: &Backup,
    since_then: SinceThen,
    place: Option<&Place>,
) -> Result<(Ended, SqliteStore), CopyError> {
    let mut staged = backup.staged();
    let progress = Progress::new(|_| ());
    staged.verify(&progress).await?;
    let replaced = match place {
        Some(place) => Some(place.side(Role::Source).await.unwrap()),
        None => None,
    };
    let ended = staged.settle(since_then, replaced.as_ref(), after(60), &progress).await?;
    assert!(staged.is_settled());
    let file: PathBuf = staged.into_database().await?;
    Ok((ended, SqliteStore::open(file, StoreOptions::default()).unwrap()))
}

/// Everything alive in one is alive in the other, with the same credentials.
async fn assert_no_more_alive_than(restored: &dyn Store, replaced: &dyn Store) -> [u32; 4] {
    let mut alive = [0; 4];
    for id in 1..IDS {
        let token = TokenId::new(id).unwrap();
        if let Some(found) = restored.find_token(token).await.unwrap() {
            assert_same(&found, &replaced.find_token(token).await.unwrap().unwrap());
            alive[0] += 1;
        }
        let user = UserId::new(id).unwrap();
        if let Some(found) = restored.find_user(user).await.unwrap() {
            let there = replaced.find_user(user).await.unwrap().unwrap();
            assert_eq!(found.password_epoch, there.password_epoch);
            assert_eq!(found.password_hash, there.password_hash);
            assert!(found.suspended || !there.suspended);
            alive[1] += 1;
        }
        let client = ClientId::new(id).unwrap();
        if let Some(found) = restored.find_client(client).await.unwrap() {
            let there = replaced.find_client(client).await.unwrap().unwrap();
            assert!(found.status == there.status || there.status == ClientStatus::Enabled);
            alive[2] += 1;
        }
        let session = SignInSessionId::new(id).unwrap();
        if restored.find_sign_in_session(session).await.unwrap().is_some() {
            assert!(replaced.find_sign_in_session(session).await.unwrap().is_some());
        }
        let token = ApiTokenId::new(id).unwrap();
        if let Some(found) = restored.find_api_token(token).await.unwrap() {
            let there = replaced.find_api_token(token).await.unwrap().unwrap();
            assert_eq!(found.status, there.status);
            alive[3] += 1;
        }
    }
    alive
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_has_nothing_alive_that_the_replaced_database_has_not() {
    let mut taken_over = 0;
    for seed in 0..ROUNDS {
        for place in [Place::sqlite(), Place::postgres()] {
            let mut installation = Installation::new(&place, 100 + seed).await;
            installation.go_on(&place, 150).await;
            let (backup, _) = Backup::of(&place).await;
            installation.go_on(&place, 150).await;
            let ended = "DELETE FROM tokens WHERE id % 5 = 0; \
                UPDATE users SET password_epoch = 7, password_hash = 'x' WHERE id % 3 = 0; \
                UPDATE clients SET status = 'disabled' WHERE id % 4 = 0; \
                DELETE FROM api_tokens WHERE id % 3 = 0; \
                UPDATE api_tokens SET status = 'inactive' WHERE id % 3 = 1";
            place.execute(ended);
            place.execute(match place {
                Place::Sqlite(_) => {
                    "UPDATE tokens SET used_at = 5, used_rotation = 1 \
                     WHERE used_at IS NULL AND rotation > 0"
                }
                Place::Postgres(_) => {
                    "INSERT INTO token_uses (id, used_at, used_rotation) \
                     SELECT id, 5, 1 FROM tokens WHERE rotation > 0 ON CONFLICT DO NOTHING"
                }
            });
            let (ended, restored) = settle(&backup, SinceThen::Follow, Some(&place)).await.unwrap();
            let Ended::Followed(followed) = ended else { panic!("{ended:?}") };
            assert!(followed.tokens_ended > 2, "{followed:?}");
            taken_over += followed.tokens_taken_over;
            assert!(followed.users_ended + followed.users_changed > 0, "{followed:?}");
            let opened = place.open().await;
            let alive = assert_no_more_alive_than(&restored, &*opened.store()).await;
            assert!(alive[0] > 5 && alive[1] > 1 && alive[2] > 1, "seed {seed}: {alive:?}");
            assert_ids_are_new(&restored, &*opened.store()).await;
            restored.close().await;
            opened.close().await;
        }
    }
    assert!(taken_over > 0, "no round had a token that was used and refreshed since");
}

/// The next ids are those that the replaced database would have given, or higher.
async fn assert_ids_are_new(restored: &dyn Store, replaced: &dyn Store) {
    for sequence in SEQUENCES {
        let given = replaced.lease_ids(sequence, 1).await.unwrap();
        let fresh = restored.lease_ids(sequence, 1).await.unwrap();
        assert!(fresh.start() >= given.start(), "{sequence:?}: {fresh:?} {given:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_were_given_since_are_not_given_again_when_nobody_knows_them() {
    for choice in [SinceThen::End, SinceThen::Keep] {
        let place = Place::sqlite();
        Installation::new(&place, 31).await.go_on(&place, 60).await;
        let (backup, _) = Backup::of(&place).await;
        // As fast as a server can give them, for the minute that `settle` is later.
        let opened = place.open().await;
        for sequence in SEQUENCES {
            opened.store().lease_ids(sequence, 60_000_000).await.unwrap();
        }
        let (_, restored) = settle(&backup, choice, None).await.unwrap();
        assert_ids_are_new(&restored, &*opened.store()).await;
        restored.close().await;
        opened.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_ended_by_end_and_clients_and_users_stay() {
    let place = Place::postgres();
    let mut installation = Installation::new(&place, 32).await;
    installation.go_on(&place, 200).await;
    let (backup, copied) = Backup::of(&place).await;
    let rows = |name| copied.iter().find(|copied| copied.table == name).unwrap().rows;
    let (ended, restored) = settle(&backup, SinceThen::End, None).await.unwrap();
    let (tokens, api_tokens) = (rows("tokens"), rows("api_tokens"));
    let sign_in_sessions = rows("sign_in_sessions");
    assert!(tokens > 20 && api_tokens > 3 && sign_in_sessions > 3);
    assert_eq!(ended, Ended::All { tokens, api_tokens, sign_in_sessions });
    let opened = place.open().await;
    let alive = assert_no_more_alive_than(&restored, &*opened.store()).await;
    assert!(alive[0] == 0 && alive[1] > 3 && alive[2] > 3 && alive[3] == 0, "{alive:?}");
    // And it can be used.
    let world = World::new(std::sync::Arc::new(restored));
    let parties = world.parties().await;
    let token = world.created(&parties, "read", START).await;
    assert!(world.store.find_token(token.id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_of_its_own_is_not_followed() {
    let (place, other) = (Place::sqlite(), Place::sqlite());
    Installation::new(&place, 33).await.go_on(&place, 60).await;
    Installation::new(&other, 34).await.go_on(&other, 60).await;
    let (backup, _) = Backup::of(&place).await;
    let refused = settle(&backup, SinceThen::Follow, Some(&other)).await.err();
    assert!(matches!(refused, Some(CopyError::NoKin)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_far_behind_the_backup_is_refused() {
    let place = Place::sqlite();
    Installation::new(&place, 35).await;
    let (backup, _) = Backup::of(&place).await;
    let mut staged = backup.staged();
    let progress = Progress::new(|_| ());
    let before = START.minus(tokenry_protocol::time::Seconds(2 * 24 * 60 * 60));
    let refused = staged.settle(SinceThen::Keep, None, before, &progress).await;
    assert!(matches!(refused, Err(CopyError::TakenLater { .. })), "{refused:?}");
    assert!(!staged.is_settled());
}

/// Deleted since, purged since, and taken over by somebody who came since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_ends_with_its_owner_and_keeps_the_secret_that_it_got_since() {
    let place = Place::sqlite();
    Installation::new(&place, 36).await;
    let opened = place.open().await;
    let world = World::new(opened.store());
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(world.parties().await);
    }
    let (backup, _) = Backup::of(&place).await;
    let late = world.user().await;
    opened.close().await;
    let client = |at: usize| made[at].client.client().id.get();
    place.execute(&format!(
        "UPDATE clients SET user_id = {} WHERE id = {}; DELETE FROM clients WHERE id = {}; \
         UPDATE clients SET deleted_at = 5 WHERE id = {}; \
         UPDATE clients SET secret_hash = x'{}', name = 'changed' WHERE id = {}",
        late.id.get(),
        client(1),
        client(2),
        client(3),
        "AB".repeat(32),
        client(0),
    ));
    let (ended, restored) = settle(&backup, SinceThen::Follow, Some(&place)).await.unwrap();
    let Ended::Followed(followed) = ended else { panic!("{ended:?}") };
    assert_eq!(followed.clients_ended, 3, "{followed:?}");
    for (at, parties) in made.iter().enumerate() {
        let id = parties.client.client().id;
        assert_eq!(restored.find_client(id).await.unwrap().is_some(), at == 0, "{at}");
    }
    assert!(restored.find_user(late.id).await.unwrap().is_none());
    assert_eq!(followed.clients_changed, 1, "{followed:?}");
    let raw = Connection::open(&backup.file).unwrap();
    let read = "SELECT hex(secret_hash), name <> 'changed' FROM clients WHERE id = ?";
    let found = raw.query_row(read, [client(0)], |row| Ok((row.get(0)?, row.get(1)?)));
    let (secret, is_named_as_before): (String, bool) = found.unwrap();
    assert_eq!(secret, "AB".repeat(32));
    assert!(is_named_as_before);
}
