//! The two engines: where the records of a data folder are, and what a benchmark does to them while
//! no server runs. What is SQL lies in `sqlite` and `postgres`; everything else does not know the
//! engine.

mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;

pub(crate) use self::postgres::{Cluster, Postgres};

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// A file in the data folder
    Sqlite,
    /// A server of its own, which may serve several nodes
    Postgres,
}

impl Engine {
    /// What the durable reference is called.
    pub(crate) const fn durable(self) -> &'static str {
        match self {
            Self::Sqlite => "durable",
            Self::Postgres => "pgbench",
        }
    }
}

/// Where new folders get their databases.
#[derive(Clone)]
pub(crate) enum Databases {
    /// In the folder.
    Sqlite,
    /// In this server, by the folder's name.
    Postgres(Cluster),
}

impl Databases {
    /// Which engine it is.
    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// What the database is and how it was run, where it is a server.
    pub(crate) fn describe(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(cluster) => {
                Some(format!("{} with {}", cluster.version(), Cluster::settings()))
            }
        }
    }

    /// A folder and its database.
    pub(crate) fn folder(&self, path: PathBuf) -> Result<Folder> {
        let database = match self {
            Self::Sqlite => Database::Sqlite,
            Self::Postgres(cluster) => {
                let name = path.file_name().context("a folder without a name")?;
                let name = name.to_string_lossy().replace(['-', '.'], "_");
                Database::Postgres(Postgres::new(cluster.clone(), name))
            }
        };
        Ok(Folder { path, database })
    }
}

/// A data folder, and the database that belongs to it.
#[derive(Clone)]
pub(crate) struct Folder {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Its records.
    pub(crate) database: Database,
}

/// The records of a data folder.
#[derive(Clone)]
pub(crate) enum Database {
    /// In the folder itself.
    Sqlite,
    /// In a server.
    Postgres(Postgres),
}

impl Folder {
    /// What `TOKENRY_STORE` has to be, where it has to be set.
    pub(crate) fn store(&self) -> Option<String> {
        self.server().map(Postgres::url)
    }

    /// The database in a server, if it is in one.
    pub(crate) const fn server(&self) -> Option<&Postgres> {
        match &self.database {
            Database::Sqlite => None,
            Database::Postgres(postgres) => Some(postgres),
        }
    }

    /// Leaves no folder, and a database that is empty.
    pub(crate) fn renew(&self) -> Result<()> {
        remove(&self.path)?;
        if let Some(postgres) = self.server() {
            postgres.renew();
        }
        Ok(())
    }

    /// Leaves neither.
    pub(crate) fn remove(&self) -> Result<()> {
        remove(&self.path)?;
        if let Some(postgres) = self.server() {
            postgres.remove();
        }
        Ok(())
    }

    /// Becomes `kept`, which is replaced.
    pub(crate) fn become_kept(&self, kept: &Self) -> Result<()> {
        kept.remove()?;
        if let (Some(from), Some(to)) = (self.server(), kept.server()) {
            from.rename(to);
        }
        Ok(std::fs::rename(&self.path, &kept.path)?)
    }

    /// Becomes a copy of `kept`.
    pub(crate) fn copy_of(&self, kept: &Self) -> Result<()> {
        remove(&self.path)?;
        std::fs::create_dir_all(&self.path)?;
        for entry in std::fs::read_dir(&kept.path)? {
            let entry = entry?;
            std::fs::copy(entry.path(), self.path.join(entry.file_name()))?;
        }
        if let (Some(from), Some(to)) = (kept.server(), self.server()) {
            to.copy(from);
        }
        Ok(())
    }

    /// After a table was filled: what a server would come to by and by.
    pub(crate) fn settle(&self) {
        if let Some(postgres) = self.server() {
            postgres.settle();
        }
    }

    /// What is in it, without rows; text that differs when a definition does.
    pub(crate) fn schema(&self) -> Result<String> {
        match &self.database {
            Database::Sqlite => sqlite::schema(&self.path),
            Database::Postgres(postgres) => Ok(postgres.schema()),
        }
    }

    /// Bytes of the database.
    pub(crate) fn size(&self) -> Result<u64> {
        match &self.database {
            Database::Sqlite => sqlite::size(&self.path),
            Database::Postgres(postgres) => postgres.size(),
        }
    }

    /// Has one record in so many expire, all over the first so many tokens of a folder that nobody
    /// serves.
    pub(crate) fn expire(&self, tokens: u64, one_in: u64) -> Result<Expired> {
        let until = match &self.database {
            Database::Sqlite => sqlite::expire(&self.path, tokens, one_in)?,
            Database::Postgres(postgres) => postgres.expire(tokens, one_in)?,
        };
        Ok(Expired { one_in, until })
    }

    /// How many of them are still there.
    pub(crate) fn left_of(&self, expired: Expired) -> Result<u64> {
        match &self.database {
            Database::Sqlite => sqlite::left_of(&self.path, expired),
            Database::Postgres(postgres) => postgres.left_of(expired),
        }
    }
}

/// Which records of a table were made to expire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expired {
    /// One in so many.
    one_in: u64,
    /// Until this id.
    until: u64,
}

/// A folder that is not there is removed already.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}
