//! What can go wrong around a token source: a clock that is set, answers that are lost, connections
//! that are killed, storage that fails.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering::SeqCst},
};

use tokenry_client::{
    Attempt, BoxFuture, Environment, Error, Hook, MemoryStorage, Response, StorageError,
    StoredTokens, SystemEnvironment, TokenStorage, Transport, TransportError, TransportErrorKind,
    models::Timestamp,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};

use super::{fetch, http};

/// A clock that stands until it is set, and waits for nobody.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(SystemEnvironment.now().as_millis())))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, SeqCst);
    }
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(SeqCst))
    }

    fn sleep(&self, _span: std::time::Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        SystemEnvironment.fill(bytes)
    }
}

/// Counts the requests to the token endpoint.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicU32>);

impl Counter {
    pub(crate) fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

impl Hook for Counter {
    fn before(
        &self,
        attempt: Attempt,
        _request: &mut http::Request<bytes::Bytes>,
    ) -> Result<(), Error> {
        if attempt.operation == "grant_type_tokens.create" {
            self.0.fetch_add(1, SeqCst);
        }
        Ok(())
    }
}

/// A network that does to the token endpoint's answers what it is told.
#[derive(Clone)]
pub(crate) struct Network(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    /// So many answers are lost after the server has given them.
    lose: AtomicU32,
    is_cut: AtomicBool,
    /// An answer is only heard by whom it lets through.
    gate: Semaphore,
    answered: Notify,
}

impl Network {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            http: http().build().unwrap(),
            lose: AtomicU32::new(0),
            is_cut: AtomicBool::new(false),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            answered: Notify::new(),
        }))
    }

    pub(crate) fn lose(&self, answers: u32) {
        self.0.lose.store(answers, SeqCst);
    }

    /// The token endpoint cannot be reached.
    pub(crate) fn cut(&self) {
        self.0.is_cut.store(true, SeqCst);
    }

    /// It can again.
    pub(crate) fn mend(&self) {
        self.0.is_cut.store(false, SeqCst);
    }

    /// No answer is heard before `open`.
    pub(crate) fn close(&self) {
        self.0.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.0.gate.add_permits(1_000);
    }

    /// Waits until the server has answered, whether or not the answer was heard.
    pub(crate) async fn answered(&self) {
        self.0.answered.notified().await;
    }
}

impl Transport for Network {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if !request.uri().path().starts_with("/oauth/token") {
                return fetch(&self.0.http, request).await;
            }
            if self.0.is_cut.load(SeqCst) {
                return Err(TransportError::new(TransportErrorKind::Connect));
            }
            let answer = fetch(&self.0.http, request).await;
            self.0.answered.notify_one();
            let _heard = self.0.gate.acquire().await.unwrap();
            let lost = self.0.lose.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
            match lost {
                Ok(_) => Err(TransportError::new(TransportErrorKind::Lost)),
                Err(_) => answer,
            }
        })
    }
}

/// Stands between client and server, and kills so many connections at the first byte of an answer.
pub(crate) async fn relay(server: &str, kills: u32) -> String {
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut left = kills;
        while let Ok((mut client, _)) = listener.accept().await {
            let mut upstream = TcpStream::connect(&server).await.unwrap();
            if left == 0 {
                tokio::spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut upstream).await
                });
                continue;
            }
            left -= 1;
            let (mut from_client, _) = client.split();
            let (mut from_server, mut to_server) = upstream.split();
            let asks = tokio::io::copy(&mut from_client, &mut to_server);
            let mut first = [0];
            tokio::select! {
                read = from_server.read_exact(&mut first) => drop(read.unwrap()),
                _ = asks => {}
            }
        }
    });
    address
}

/// Storage that fails so often, and tells what it was given.
#[derive(Default)]
pub(crate) struct Failing {
    pub(crate) inner: MemoryStorage,
    pub(crate) fail: AtomicU32,
    pub(crate) given: Mutex<Vec<StoredTokens>>,
    pub(crate) saved: Notify,
}

impl Failing {
    pub(crate) fn new(tokens: StoredTokens, fail: u32) -> Arc<Self> {
        let (inner, fail) = (MemoryStorage::new(tokens), AtomicU32::new(fail));
        Arc::new(Self { inner, fail, ..Self::default() })
    }
}

impl TokenStorage for Failing {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        self.inner.load()
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async {
            self.given.lock().unwrap().push(tokens.clone());
            if self.fail.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Err(StorageError::new("the disk is full"));
            }
            self.inner.save(tokens).await?;
            self.saved.notify_one();
            Ok(())
        })
    }
}
