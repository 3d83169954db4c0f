//! A profile, as commands print it: without its secrets.

use serde::Serialize;
use tokenry_client::models::Timestamp;

use crate::{
    connection::{Profile, Profiles, SignIn},
    output::{Cell, Column, Record},
};

/// A profile and its name.
#[derive(Serialize)]
pub(super) struct ProfileRecord<'a> {
    name: &'a str,
    in_use: bool,
    server: &'a str,
    sign_in: SignIn,
    user: Option<&'a str>,
    client_id: Option<&'a str>,
    keyring: bool,
    #[serde(skip)]
    file: String,
}

impl<'a> ProfileRecord<'a> {
    pub(super) fn new(name: &'a str, profile: &'a Profile, profiles: &Profiles) -> Self {
        let in_use = profiles.current() == Some(name);
        let Profile { server, sign_in, user, client_id, keyring } = profile;
        Self {
            name,
            in_use,
            server,
            sign_in: *sign_in,
            user: user.as_deref(),
            client_id: client_id.as_deref(),
            keyring: *keyring,
            file: profiles.path().display().to_string(),
        }
    }
}

impl Record for ProfileRecord<'_> {
    const PLURAL: &'static str = "profiles";
    const FIELDS: &'static [&'static str] =
        &["name", "in_use", "server", "sign_in", "user", "client_id", "keyring"];
    const COLUMNS: &'static [Column] = &[
        Column::new("name").whole(),
        Column::new("in use").whole(),
        Column::new("server"),
        Column::new("user"),
        Column::new("signed in by").whole(),
    ];

    fn id(&self) -> String {
        self.name.to_owned()
    }

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(self.name),
            if self.in_use { Cell::new("yes").good() } else { Cell::none() },
            Cell::new(self.server),
            self.user.into(),
            Cell::new(self.sign_in.words()),
        ]
    }

    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let titles = Self::COLUMNS.iter().map(Column::title);
        let secrets = if self.keyring { "the system's keyring" } else { &self.file };
        let more = [("client", self.client_id.into()), ("secrets in", Cell::new(secrets))];
        titles.zip(self.cells(now)).chain(more).collect()
    }
}
