//! Databases of both engines, and installations at random.

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Connection, types::Value};
use tempfile::TempDir;
use tokenry_core::refusal::Refusal;
use tokenry_protocol::{
    secret::{Credential, Kind},
    time::Timestamp,
};
use tokenry_store::{
    ApiTokenUse, KeyPurpose, SealedKey, Store, TokenUse,
    copy::{self, Copied, CopyError, Progress, Role, Side, TABLES},
    postgres::{PostgresAddress, PostgresOptions, PostgresStore},
    sqlite::{SqliteStore, StoreOptions},
    suite::support::{Parties, START, Seeded, World, after},
};

/// Where an installation is.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A schema whose connections have a name of their own: other tests' are open to the same
    /// database.
    pub(crate) fn postgres() -> Self {
        let url = tokenry_postgres_testing::schema();
        let name = url.rsplit("%3D").next().unwrap().to_owned();
        Self::Postgres(format!("{url}&application_name={name}"))
    }

    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("tokenry.db"),
            Self::Postgres(_) => panic!("there is no file"),
        }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite(_) => panic!("there is no address"),
            Self::Postgres(url) => url,
        }
    }

    /// Runs statements from outside.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(_) => {
                Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
            }
            Self::Postgres(url) => {
                let schema = url.rsplit('=').next().unwrap();
                let server = tokenry_postgres_testing::shared();
                server.execute(&format!("SET search_path = {schema}; {sql}"));
            }
        }
    }

    pub(crate) async fn try_open(&self) -> tokenry_store::Result<Opened> {
        Ok(match self {
            Self::Sqlite(_) => {
                Opened::Sqlite(Arc::new(SqliteStore::open(self.file(), StoreOptions::default())?))
            }
            Self::Postgres(url) => Opened::Postgres(Arc::new(
                PostgresStore::open(address(url), PostgresOptions::default()).await?,
            )),
        })
    }

    pub(crate) async fn open(&self) -> Opened {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn side(&self, role: Role) -> Result<Side, CopyError> {
        match self {
            Self::Sqlite(_) => Side::open_sqlite(&self.file(), role),
            Self::Postgres(url) => {
                Side::open_postgres(address(url), role, PostgresOptions::default()).await
            }
        }
    }

    pub(crate) async fn copy_with(
        &self,
        target: &Self,
        progress: &Progress,
    ) -> Result<Vec<Copied>, CopyError> {
        let source = self.side(Role::Source).await?;
        copy::copy(&source, &target.side(Role::Target).await?, progress).await
    }

    pub(crate) async fn try_copy(&self, target: &Self) -> Result<Vec<Copied>, CopyError> {
        self.copy_with(target, &Progress::new(|_| ())).await
    }

    /// Copies it, and gives what it amounts to.
    pub(crate) async fn copy(&self, target: &Self) -> Vec<Copied> {
        self.try_copy(target).await.unwrap()
    }

    /// Every value of every row that is copied, read without what copies.
    pub(crate) fn dump(&self) -> Vec<Vec<Value>> {
        let connection = Connection::open(self.file()).unwrap();
        let mut rows = Vec::new();
        for table in &TABLES {
            // The columns of uses are among those of tokens here.
            if table.name == "token_uses" {
                continue;
            }
            let all = format!("SELECT * FROM {} ORDER BY 1, 2", table.name);
            let mut statement = connection.prepare(&all).unwrap();
            let width = statement.column_count();
            let read = statement.query_map([], |row| {
                (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()
            });
            rows.extend(read.unwrap().map(Result::unwrap));
        }
        rows
    }
}

/// An open store.
pub(crate) enum Opened {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as _,
            Self::Postgres(store) => Arc::clone(store) as _,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// Rows that this run of a copy has written or removed.
pub(crate) fn changed(copied: &[Copied]) -> u64 {
    copied.iter().map(|copied| copied.changed).sum()
}

/// What two copies of the same have in common.
pub(crate) fn amounts(copied: &[Copied]) -> Vec<(&str, u64, [u8; 32])> {
    copied.iter().map(|copied| (copied.table, copied.rows, copied.digest)).collect()
}

/// Somebody's installation, which goes on between copies.
pub(crate) struct Installation {
    seeded: Seeded,
    parties: Vec<Parties>,
    refresh: Vec<(Parties, Credential)>,
}

impl Installation {
    /// A new one in an empty place.
    pub(crate) async fn new(place: &Place, seed: u64) -> Self {
        let opened = place.open().await;
        let seeded = Seeded::new(seed);
        for (purpose, number) in
            [(KeyPurpose::Token, 1), (KeyPurpose::Token, 2), (KeyPurpose::Cursor, 1)]
        {
            let sealed = (number > 1).then(|| seeded.next().to_be_bytes().to_vec());
            let created_at = Timestamp::from_millis(i64::try_from(seeded.next() >> 20).unwrap());
            let key = SealedKey { purpose, number, sealed, created_at };
            opened.store().insert_key(key).await.unwrap();
        }
        opened.close().await;
        Self { seeded, parties: Vec::new(), refresh: Vec::new() }
    }

    /// Does so many things that a server does, at random.
    pub(crate) async fn go_on(&mut self, place: &Place, steps: u32) {
        let opened = place.open().await;
        let world = World::new(opened.store());
        // Secrets differ from those of every other time.
        for _ in 0..self.seeded.below(1_000) {
            world.entropy.next();
        }
        for step in 0..steps {
            self.step(&world, after(step)).await;
        }
        opened.close().await;
    }

    /// Of that record or of one before it: some are refused again.
    fn refusal(&self, id: u64, at: Timestamp) -> Refusal {
        let kinds = [Kind::AuthorizationCode, Kind::AccessToken];
        let kind = kinds[usize::from(self.seeded.below(2) == 0)];
        let id = 1 + self.seeded.next() % id;
        Refusal { kind, id, at, reason: "expired".into(), place: "GET /".into() }
    }

    async fn step(&mut self, world: &World, now: Timestamp) {
        if self.parties.is_empty() {
            self.parties.push(world.parties().await);
        }
        let at = usize::try_from(self.seeded.next() % self.parties.len() as u64).unwrap();
        let parties = self.parties[at].clone();
        let user = &parties.user;
        match self.seeded.below(12) {
            0 => self.parties.push(world.parties().await),
            1 => {
                let id = world.code(&parties, now).await.id.get();
                world.store.record_refusals(vec![self.refusal(id, now)]).await.unwrap();
            }
            2 => {
                let token = world.client_credentials(&parties.client, now).await;
                let noted = TokenUse { id: token.id, used_at: now, rotation: 1 };
                world.store.record_token_uses(vec![noted]).await.unwrap();
            }
            3 => {
                let token = world.created(&parties, "read", now).await;
                if self.seeded.below(2) == 0 {
                    world.revoke(&token, now).await;
                }
            }
            4 => {
                let mut token = world.new_api_token(user.id, user.id).await;
                let id = token.id;
                if id.get() % 4 == 0 {
                    token.assigned_user_id = None;
                }
                world.store.insert_api_token(token, 1_000).await.unwrap();
                if self.seeded.below(2) == 0 {
                    let noted = ApiTokenUse { id, used_at: now };
                    world.store.record_api_token_uses(vec![noted]).await.unwrap();
                }
            }
            5 => {
                world.session(user).await;
            }
            6 => {
                let mut found = world.store.find_user(user.id).await.unwrap().unwrap();
                // What one engine has no place for, and what stands for it.
                found.name = format!("\0{}\u{1A}0 ∅", self.seeded.next());
                world.rewrite(&mut found).await;
            }
            7 => {
                let parties = world.parties().await;
                let client = parties.client.client();
                world.store.delete_client(client.id, now).await.unwrap();
                world.store.delete_user(parties.user.id, now).await.unwrap();
            }
            8 | 9 => {
                if let Some((parties, refresh)) = self.refresh.pop() {
                    let answer = world.rotate(&parties, &refresh, now).await;
                    self.refresh.insert(0, (parties, answer.refresh_token.unwrap().0));
                }
            }
            _ => {
                let (id, answer) = world.grant(&parties, now).await;
                let noted = TokenUse { id, used_at: START, rotation: 1 };
                world.store.record_token_uses(vec![noted]).await.unwrap();
                self.refresh.push((parties, answer.refresh_token.unwrap().0));
            }
        }
    }
}

fn address(url: &str) -> PostgresAddress {
    PostgresAddress::parse(url).unwrap()
}
