//! A server with a planted account, for the tests of every module.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokenry_core::{Entropy, credentials::Key};
use tokenry_protocol::time::Timestamp;
use tokenry_server::{
    config::{BaseUrl, Config},
    envelope::Envelope,
    environment::{Clock, Environment},
    listen::Answer as _,
    state::{AppState, Parts},
};
use tokenry_store::sqlite::SqliteStore;

use crate::{
    account::Account,
    seed::{Seed, plant},
};

/// When every test begins.
pub(crate) const NOON: &str = "2026-03-05T12:00:00Z";

struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::parse(NOON).unwrap()
    }
}

/// The same bytes from each start on.
#[derive(Default)]
struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

pub(crate) async fn fresh_state(config: Config) -> AppState {
    AppState::new(Parts {
        config,
        base: BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4000))).unwrap(),
        environment: Environment {
            clock: Arc::new(StillClock),
            entropy: Arc::new(CountingEntropy::default()),
        },
        store: Arc::new(SqliteStore::in_memory().unwrap()),
        root_key: Key::new([7; 32]),
    })
    .await
    .unwrap()
}

pub(crate) struct Planted {
    pub(crate) state: AppState,
    pub(crate) account: Account,
}

impl Planted {
    pub(crate) async fn new(seed: &Seed) -> Self {
        Self::by(seed, Config::default()).await
    }

    pub(crate) async fn by(seed: &Seed, config: Config) -> Self {
        let state = fresh_state(config).await;
        let account = plant(seed, &state).await.unwrap();
        Self { state, account }
    }

    pub(crate) async fn cast() -> Self {
        Self::new(&Seed::contract_cast().unwrap()).await
    }

    pub(crate) async fn call(
        &self,
        request: http::request::Builder,
        body: &str,
    ) -> (StatusCode, Value) {
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let answer = Envelope::new(self.state.clone()).answer(request, peer).await;
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str, authorization: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("authorization", authorization);
        self.call(request, "").await
    }

    pub(crate) async fn as_ada(&self, path: &str) -> Value {
        let authorization = basic("ada@acme.test/token", &self.account.api_tokens[2].token);
        let (status, body) = self.get(path, &authorization).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = "application/x-www-form-urlencoded";
        self.call(Request::post(path).header("content-type", kind), &form.finish()).await
    }
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}
