//! What a folder keeps beside its database: the seed that was planted, and the account in the
//! clear, so that the next twin in it tells credentials that work.
//!
//! 1. A reset writes the account that comes beside the one that goes, then the database, then the
//!    account alone. Whoever is killed in between has both, and the database tells which it is.
//! 2. A refresh that changes the account is written before it is answered. Who is killed before
//!    that loses tokens that nobody was given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokenry_server::{data_folder::DataFolder, state::AppState};
use tokenry_store::StoreError;

use crate::{account::Account, error::TwinError, known::Known, seed::Seed};

const FILE: &str = "twin.json";

/// What the file holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Everything was made from it.
    pub(crate) seed: Seed,
    /// What came of it, with the tokens that were given last.
    account: Account,
    /// What may be there still: the account that a reset was to replace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before: Option<Account>,
}

/// The file of a folder.
pub(crate) struct KeptFile {
    folder: DataFolder,
    seed: Seed,
    serving: Mutex<Serving>,
}

/// What the file is about.
#[derive(Default)]
struct Serving {
    /// That of the world that serves.
    known: Option<Arc<Known>>,
    /// Up to which of its changes; `None` if nothing of it was written.
    written: Option<u64>,
}

impl Kept {
    /// What an earlier twin has left in a folder that has a database.
    pub(crate) fn read(folder: &DataFolder) -> Result<Self, TwinError> {
        let unreadable = |problem: String| TwinError::Kept {
            file: folder.path().join(FILE),
            problem,
            folder: folder.path().to_owned(),
        };
        let text = folder.read(FILE).map_err(|error| unreadable(error.to_string()))?;
        let text = text.ok_or_else(|| TwinError::Unplanted(folder.path().to_owned()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// What there is when one account was to replace another, and may have done so.
    pub(crate) fn between(seed: &Seed, account: Account, before: Account) -> Self {
        Self { seed: seed.clone(), account, before: Some(before) }
    }

    /// The account as the database has it.
    pub(crate) async fn account(self, state: &AppState) -> Result<Account, StoreError> {
        let account = self.account.as_stored(state).await?;
        let Some(before) = self.before else { return Ok(account) };
        let before = before.as_stored(state).await?;
        Ok(if before.tokens.len() > account.tokens.len() { before } else { account })
    }
}

impl KeptFile {
    /// The file of a folder that this seed is planted in.
    pub(crate) fn new(folder: DataFolder, seed: Seed) -> Self {
        Self { folder, seed, serving: Mutex::default() }
    }

    /// Before the database becomes another: whichever it is then, the file has its account.
    pub(crate) fn announce(&self, known: &Known) -> Result<(), TwinError> {
        let before = self.lock().known.as_ref().map(|known| known.account());
        self.write(known.account(), before)
    }

    /// From now on the file is about this world, and follows what becomes of it.
    pub(crate) fn follow(&self, known: &Arc<Known>) -> Result<(), TwinError> {
        let mut serving = self.lock();
        *serving = Serving { known: Some(Arc::clone(known)), written: None };
        self.write_changes(&mut serving, known)
    }

    /// Writes what has changed, unless another world serves by now. Who waits for a write finds
    /// that the next one has taken theirs with it.
    pub(crate) fn save(&self, known: &Arc<Known>) -> Result<(), TwinError> {
        let mut serving = self.lock();
        let is_followed =
            serving.known.as_ref().is_some_and(|followed| Arc::ptr_eq(followed, known));
        if is_followed && serving.written != Some(known.changes()) {
            return self.write_changes(&mut serving, known);
        }
        Ok(())
    }

    fn write_changes(&self, serving: &mut Serving, known: &Known) -> Result<(), TwinError> {
        let (changes, account) = known.numbered_account();
        self.write(account, None)?;
        serving.written = Some(changes);
        Ok(())
    }

    fn write(&self, account: Account, before: Option<Account>) -> Result<(), TwinError> {
        let kept = Kept { seed: self.seed.clone(), account, before };
        let text = serde_json::to_vec(&kept).map_err(|error| TwinError::Turn(error.to_string()))?;
        Ok(self.folder.replace(FILE, &text)?)
    }

    fn lock(&self) -> MutexGuard<'_, Serving> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two seeds say the same, in the form in which they are kept.
pub(crate) fn is_same_seed(one: &Seed, other: &Seed) -> bool {
    let written = |seed: &Seed| serde_json::to_value(seed).unwrap_or(Value::Null);
    written(one) == written(other)
}
