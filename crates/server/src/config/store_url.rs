//! The address of a database that several nodes share.

use std::fmt;

use tokenry_store::{StoreError, postgres::PostgresStore};
use url::Url;

use super::{
    error::Fault,
    kinds::{Kind, Raw, Shown, toml_text},
};

/// `postgres://user:password@host:port/database`. `Debug` shows it without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// Reads an address; an error says what is wrong, without repeating anything of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match PostgresStore::check_address(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(StoreError::Unavailable(reason)) => Err(reason),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The address itself, with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// For logs and messages: without the password, wherever it stands.
    pub fn redacted(&self) -> String {
        let Ok(mut url) = Url::parse(&self.0) else { return "postgres://…".to_owned() };
        if url.password().is_some() {
            let _ = url.set_password(Some("…"));
        }
        // A parameter can hold one as well.
        url.set_query(None);
        url.to_string().replace("%E2%80%A6", "…")
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.redacted())
    }
}

pub(super) struct Postgres;

impl Kind for Postgres {
    type Value = StoreUrl;

    fn parse(&self, raw: &Raw) -> Result<StoreUrl, Fault> {
        const REMEDY: &str = "write postgres://user@host:5432/database, or leave it out for the \
             embedded database in the data folder";
        let text = raw.text().unwrap_or_default();
        // What was written is not repeated: it may hold a password.
        StoreUrl::parse(text).map_err(|reason| Fault::new(reason, REMEDY))
    }

    fn show(&self, value: &StoreUrl) -> Shown {
        Shown::Toml(toml_text(&value.redacted()))
    }

    fn name(&self) -> String {
        "address of a database".to_owned()
    }

    fn example(&self) -> Option<String> {
        Some(toml_text("postgres://tokenry@db.example.com/tokenry?sslmode=verify-full"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_nowhere() {
        for text in [
            "postgres://ada:hunter2@db.example.com:5432/tokenry?sslmode=require",
            "postgres://db.example.com/tokenry?user=ada&password=hunter2",
            "postgres://ada:hun%74er2@db.example.com/tokenry",
        ] {
            let url = Postgres.parse(&Raw::Plain(text.to_owned())).unwrap();
            assert_eq!(url.expose(), text);
            for shown in [format!("{url:?}"), url.redacted(), format!("{:?}", Postgres.show(&url))]
            {
                assert!(!shown.contains("hunter2") && !shown.contains("hun%74er2"), "{shown}");
                assert!(shown.contains("db.example.com"), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in ["hunter2", "mysql://ada:hunter2@db/x", "postgres://ada:hunter2@:x/y"] {
            let fault = Postgres.parse(&Raw::Plain(text.to_owned())).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
    }
}
