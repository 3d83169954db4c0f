//! What a double's account starts with: users, clients, API tokens and tokens, read from TOML or
//! JSON, checked as a whole, and planted in a fresh store.
//!
//! * [`Seed`] is the text as data: [`entries`] says what may stand in it. [`Seed::contract_cast`]
//!   is one, and the example of the form.
//! * `resolve` gives every entry its id and finds what it refers to.
//! * `prepare` has the decisions of the server make every record, before anything is written.
//! * `plant` writes them.
//! * `later` makes a grant in the same way while the double runs.
//!
//! The same seed, keys and entropy give the same credentials, byte for byte.

pub mod entries;
mod error;
mod grants;
mod later;
mod lines;
mod moment;
mod plant;
mod prepare;
mod resolve;

#[cfg(test)]
mod tests;

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use tokenry_protocol::ids::ClientId;

use self::entries::{NextIds, SeedApiToken, SeedClient, SeedToken, SeedUser};
pub use self::{
    error::{Entry, EntryError, List, SeedError},
    later::{Authorization, Authorize, IssueToken, Means},
    moment::{InvalidMoment, Moment},
    plant::plant,
};
pub(crate) use self::{
    grants::written_access_token,
    later::{authorize, issue, prove},
};

/// The contract's cast, which is the example of the form.
pub const CONTRACT_CAST: &str = include_str!("cast.toml");

/// An account to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seed {
    /// What it is, for people.
    pub about: Option<String>,
    /// The ids of what is made afterwards.
    pub next_ids: NextIds,
    /// Who is there.
    pub users: Vec<SeedUser>,
    /// Which programs.
    pub clients: Vec<SeedClient>,
    /// Which programs that are everybody's, and none of the account's own.
    pub global_clients: Vec<SeedClient>,
    /// Passwords of programs.
    pub api_tokens: Vec<SeedApiToken>,
    /// What clients were given.
    pub tokens: Vec<SeedToken>,
}

impl Seed {
    /// Ada, Ben and Cleo, two clients and five tokens: who the examples of the wire contract speak
    /// of.
    pub fn contract_cast() -> Result<Self, SeedError> {
        Self::from_toml(CONTRACT_CAST)
    }

    /// Reads a file: JSON if its first character says so, else TOML.
    pub fn read(path: &Path) -> Result<Self, SeedError> {
        let text = fs::read_to_string(path)
            .map_err(|error| SeedError::File { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// Reads JSON if the first character says so, else TOML.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        if text.trim_start().starts_with('{') {
            Self::from_json(text)
        } else {
            Self::from_toml(text)
        }
    }

    /// The ids of the clients that are everybody's, as the setting of the server takes them.
    pub(crate) fn global_client_ids(&self) -> Result<Vec<ClientId>, SeedError> {
        let clients = resolve::resolve(self)?.clients.into_iter();
        let mut ids: Vec<_> = clients
            .filter(|client| client.entry.list == List::GlobalClients)
            .map(|client| client.id)
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Reads TOML.
    pub fn from_toml(text: &str) -> Result<Self, SeedError> {
        let seed: Self = toml::from_str(text)
            .map_err(|error| SeedError::Text(error.to_string().trim_end().to_owned()))?;
        match resolve::resolve(&seed) {
            Ok(_) => Ok(seed),
            Err(SeedError::Entry(mut error)) => {
                error.line = lines::of_entry(text, &error.entry);
                Err(SeedError::Entry(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads JSON.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        let seed =
            serde_json::from_str(text).map_err(|error| SeedError::Text(error.to_string()))?;
        resolve::resolve(&seed)?;
        Ok(seed)
    }
}
