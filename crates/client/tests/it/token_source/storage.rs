//! Tokens that outlive their process, and that several processes share.

use std::{fs, sync::Arc, time::Duration};

use tokenry_client::{
    BoxFuture, FileStorage, MemoryStorage, StorageError, StoredTokens, TokenSource, TokenStorage,
};

use super::{Fixture, LIFE, hurry, reason, text};
use crate::support::Counter;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sources_over_one_file_refresh_once_together() {
    let world = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let tokens = world.tokens(Some(LIFE)).await;
    FileStorage::new(&path).save(&tokens).await.unwrap();
    let first = world.caller(&world.source(FileStorage::new(&path)));
    let second = world.caller(&world.source(FileStorage::new(&path)));
    for round in 1..4 {
        world.clock.advance(i64::from(LIFE) - 10);
        tokio::join!(hurry(&first, 32), hurry(&second, 32));
        assert_eq!(world.counter.count(), round);
    }
    let stored = FileStorage::new(&path).load().await.unwrap().unwrap();
    assert_ne!(text(&stored), text(&tokens));
    world.server.stop().await;
}

#[tokio::test]
async fn a_process_that_stops_in_the_middle_is_not_waited_for_forever() {
    let world = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(folder.path().join("tokens.json"));
    storage.save(&world.tokens(Some(LIFE)).await).await.unwrap();
    let builder = TokenSource::builder(&world.client, world.reports.clone(), storage.clone());
    let source = builder.turn_wait_max(Duration::from_millis(50)).build();
    let turn = storage.exclusive().await.unwrap();
    let error = source.access_token().await.unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(turn);
    let source = world.source(storage);
    source.access_token().await.unwrap();
    world.server.stop().await;
}

#[test]
fn whoever_waits_no_more_for_a_lock_leaves_no_thread_behind() {
    let (told, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(folder.path().join("tokens.json"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let _turn = storage.exclusive().await.unwrap();
            let waits = tokio::time::timeout(Duration::from_millis(50), storage.exclusive());
            assert!(waits.await.is_err());
        });
        // Which waits for the threads that it has.
        let turn = runtime.block_on(storage.exclusive()).unwrap();
        let waits = async {
            tokio::time::timeout(Duration::from_millis(50), storage.exclusive()).await.is_err()
        };
        assert!(runtime.block_on(waits));
        drop(runtime);
        drop(turn);
        told.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(20)).unwrap();
}

/// A storage that is behind once, as one is that other processes write to without a lock.
struct Behind {
    stale: std::sync::Mutex<Option<StoredTokens>>,
    newest: MemoryStorage,
}

impl TokenStorage for Behind {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        match self.stale.lock().unwrap().take() {
            Some(stale) => Box::pin(async { Ok(Some(stale)) }),
            None => self.newest.load(),
        }
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        self.newest.save(tokens)
    }
}

#[tokio::test]
async fn tokens_that_are_refused_are_looked_for_once_more_before_the_user_is_asked() {
    let world = Fixture::start().await;
    let stale = world.tokens(Some(LIFE)).await;
    let newest = world.tokens(Some(LIFE)).await;
    let server = world.client.authorization_server();
    server.revoke(&world.reports, text(&stale).1).await.unwrap();
    world.clock.advance(i64::from(LIFE));
    let newest = MemoryStorage::new(newest);
    let storage = Arc::new(Behind { stale: Some(stale).into(), newest });
    let caller = world.caller(&world.source(Arc::clone(&storage)));
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 2);
    world.server.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_its_owners_alone_and_one_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let storage = FileStorage::new(&path);
    assert_eq!(storage.load().await.unwrap(), None);
    let tokens = world.tokens(Some(LIFE)).await;
    storage.save(&tokens).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(text(&storage.load().await.unwrap().unwrap()), text(&tokens));
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");

    for open in [0o640, 0o604, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let error = world.source(storage.clone()).access_token().await.unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        assert!(!error.to_string().contains(text(&tokens).1), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let _turn = storage.exclusive().await.unwrap();
    assert_eq!(mode(&folder.path().join("tokens.json.lock")), 0o600);
    world.server.stop().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_replaced_is_told_and_leaves_nothing_behind() {
    let world = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    fs::create_dir(&path).unwrap();
    let tokens = world.tokens(Some(LIFE)).await;
    let error = FileStorage::new(&path).save(&tokens).await.unwrap_err().to_string();
    assert!(error.contains("tokens.json"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = FileStorage::new(folder.path().join("missing/tokens.json"));
    assert!(nowhere.save(&tokens).await.is_err());
    world.server.stop().await;
}

#[tokio::test]
async fn what_is_no_file_of_tokens_is_refused_and_not_repeated() {
    let world = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let long = format!("\"{}\"", "hunter2".repeat(20_000));
    for text in ["", "hunter2", r#"{"access_token":"hunter2"}"#, r#""hunter2""#, &long] {
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let error = world.source(FileStorage::new(&path)).access_token().await.unwrap_err();
        let kind = reason(&error);
        assert!(matches!(kind, tokenry_client::TokenSourceError::Load(_)), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    world.server.stop().await;
}

#[test]
fn a_blocking_client_asks_with_a_token_source() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(Fixture::start());
    let tokens = runtime.block_on(world.tokens(Some(LIFE)));
    let source = world.source(MemoryStorage::new(tokens));
    world.clock.advance(i64::from(LIFE));
    let counter = Counter::default();
    let builder = tokenry_client::Client::builder().server(&world.server.base);
    let builder = builder.hook(counter.clone()).credentials(source.credentials());
    let client = tokenry_client::blocking::Client::new(builder).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| client.oauth_tokens().current().send().unwrap());
        }
    });
    assert_eq!((world.counter.count(), counter.count()), (1, 0));
    runtime.block_on(world.server.stop());
}
