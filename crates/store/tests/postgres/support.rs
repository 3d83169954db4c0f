//! Stores in a schema of a test's own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokenry_postgres_testing::Server;
use tokenry_store::{
    Result, Store, StoreError,
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    suite::support::World,
};

/// Whoever waits for what must come gives up then, on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One process's store.
pub(crate) async fn open(url: &str) -> Arc<PostgresStore> {
    open_with(url, PostgresOptions::default()).await
}

pub(crate) async fn open_with(url: &str, options: PostgresOptions) -> Arc<PostgresStore> {
    Arc::new(try_open(url, options).await.unwrap())
}

/// The same where there may be no database.
pub(crate) async fn try_open(url: &str, options: PostgresOptions) -> Result<PostgresStore> {
    PostgresStore::open(PostgresAddress::parse(url).unwrap(), options).await
}

/// For tests of what happens when the time is over. What must succeed is left to another store: one
/// write may take longer than this.
pub(crate) fn hasty() -> PostgresOptions {
    let timeout = Duration::from_secs(1);
    PostgresOptions {
        call_timeout: timeout,
        connect_timeout: timeout,
        ..PostgresOptions::default()
    }
}

/// A store of which a call must soon be unavailable, in a schema that another one has made.
pub(crate) async fn open_hasty(url: &str, options: PostgresOptions) -> Arc<PostgresStore> {
    let began = Instant::now();
    loop {
        match try_open(url, options).await {
            Ok(store) => return Arc::new(store),
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
    }
}

/// Its world.
pub(crate) fn world(store: &Arc<PostgresStore>) -> Arc<World> {
    World::new(Arc::clone(store) as _)
}

/// Runs a statement in the schema that an address names.
pub(crate) fn execute(server: &Server, url: &str, sql: &str) {
    server.execute(&format!("SET search_path = {}; {sql}", schema(url)));
}

/// What a statement finds there.
pub(crate) fn query(server: &Server, url: &str, sql: &str) -> String {
    server.query(&format!("SET search_path = {}; {sql}", schema(url)))
}

fn schema(url: &str) -> &str {
    url.rsplit("%3D").next().unwrap()
}

pub(crate) fn is_unavailable<T>(answer: &Result<T>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

/// The store works again without anybody's help.
pub(crate) async fn recovers(store: &PostgresStore) {
    let began = Instant::now();
    while store.check().await.is_err() {
        assert!(began.elapsed() < PATIENCE, "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
