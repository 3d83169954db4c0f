//! Where the server key is: no database and no backup holds it, and none is worth anything without.

use std::path::Path;

use anyhow::Context;
use tokenry_server::{config::Config, data_folder::DataFolder, keyring};
use tokenry_store::copy::Side;

/// The server key that a database is or was served with.
pub(crate) enum ServerKey {
    /// It is here.
    In(String),
    /// It is not here.
    NotIn(String),
}

impl ServerKey {
    /// Looks for it, in a folder unless the configuration says otherwise. One that is at hand has
    /// to be the right one.
    pub(crate) async fn find(
        side: &Side,
        folder: Option<&Path>,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let folder = DataFolder::named(folder.unwrap_or(&config.data));
        let (given, file) = (config.server_key.as_ref(), config.key_file.as_deref());
        let place = match (given, file) {
            (Some(_), _) => "TOKENRY_SERVER_KEY".to_owned(),
            (None, Some(file)) => file.display().to_string(),
            (None, None) => folder.server_key().display().to_string(),
        };
        let Some(key) = folder.root_key(given, file)? else {
            return Ok(Self::NotIn(place));
        };
        keyring::check(&side.list_keys().await?, &key).with_context(|| place.clone())?;
        Ok(Self::In(place))
    }

    /// Where it is, if it is here.
    pub(crate) fn place(self) -> Option<String> {
        match self {
            Self::In(place) => Some(place),
            Self::NotIn(_) => None,
        }
    }
}
