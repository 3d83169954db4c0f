//! Data folders with tables of a certain size, filled by the server's own decisions and store, and
//! kept for the next run.

mod fill;

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    database::{Databases, Folder},
    process::Programs,
};

/// The first administrator's address.
const ADMIN_EMAIL: &str = "admin@example.com";
/// What `tokenry init` printed.
const ADMIN: &str = "admin.json";
/// The ids of clients; written last, so a folder that has it is whole.
const CLIENTS: &str = "clients.json";

/// Over how many clients and users the tokens of a table are spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Clients.
    pub(crate) clients: u32,
    /// Users.
    pub(crate) users: u32,
}

/// A data folder that may be written to, and its administrator.
#[derive(Clone)]
pub(crate) struct Data {
    /// The folder, with its database.
    pub(crate) folder: Folder,
    /// What `tokenry init` printed.
    pub(crate) admin: Value,
    /// The ids of the clients that the tokens are spread over.
    pub(crate) clients: Vec<u64>,
}

impl Data {
    /// The administrator's `email`, `password` or `api_token`.
    pub(crate) fn of_admin(&self, name: &str) -> Result<&str> {
        self.admin
            .get(name)
            .and_then(Value::as_str)
            .with_context(|| format!("init printed no {name}"))
    }
}

/// Where tables are kept.
pub(crate) struct Tables<'a> {
    /// The folder of all that benchmarks leave behind.
    pub(crate) folder: &'a Path,
    /// To make folders with.
    pub(crate) programs: &'a Programs,
    /// Where their records go.
    pub(crate) databases: &'a Databases,
}

impl Tables<'_> {
    /// A copy of the table of this size, which is filled first if it is not there yet.
    pub(crate) fn copy(&self, tokens: u64, spread: Spread) -> Result<Data> {
        let folder = |name: &str| self.databases.folder(self.folder.join(name));
        let kept = folder(&format!("table-{tokens}"))?;
        let fresh = folder("fresh")?;
        self.init(&fresh)?;
        if !is_usable(&kept, &fresh) {
            let filling = folder("filling")?;
            let admin = self.init(&filling)?;
            let clients = fill::fill(&filling, tokens, spread)?;
            filling.settle();
            fs::write(filling.path.join(ADMIN), admin.to_string())?;
            fs::write(filling.path.join(CLIENTS), serde_json::to_string(&clients)?)?;
            filling.become_kept(&kept)?;
        }
        fresh.remove()?;
        let folder = folder("run")?;
        folder.copy_of(&kept)?;
        let read = |name: &str| fs::read_to_string(folder.path.join(name));
        let admin = serde_json::from_str(&read(ADMIN)?)?;
        let clients = serde_json::from_str(&read(CLIENTS)?)?;
        Ok(Data { folder, admin, clients })
    }

    /// A new folder with an administrator and nothing else.
    fn init(&self, folder: &Folder) -> Result<Value> {
        folder.renew()?;
        let arguments = ["init", "--json", "--admin-email", ADMIN_EMAIL];
        let output = self.programs.tokenry(folder, &arguments).output()?;
        if !output.status.success() {
            bail!("tokenry init failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Whether a kept folder has the schema that a new one gets.
fn is_usable(kept: &Folder, fresh: &Folder) -> bool {
    kept.path.join(CLIENTS).exists()
        && matches!((kept.schema(), fresh.schema()), (Ok(kept), Ok(fresh)) if kept == fresh)
}
