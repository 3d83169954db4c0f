//! The address of a database that several nodes share.

use tokenry_store::postgres::PostgresAddress;

use super::{
    error::Fault,
    kinds::{Kind, Raw, Shown, toml_text},
};

pub(super) struct Postgres;

impl Kind for Postgres {
    type Value = PostgresAddress;

    fn parse(&self, raw: &Raw) -> Result<PostgresAddress, Fault> {
        const REMEDY: &str = "write postgres://user@host:5432/database, or leave it out for the \
             embedded database in the data folder";
        // What was written is not repeated: it may hold a password.
        PostgresAddress::parse(raw.text().unwrap_or_default())
            .map_err(|error| Fault::new(error.to_string(), REMEDY))
    }

    fn show(&self, value: &PostgresAddress) -> Shown {
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
        let text = "postgres://ada:hunter2@db.example.com/tokenry?application_name=x";
        let address = Postgres.parse(&Raw::Plain(text.to_owned())).unwrap();
        let shown = format!("{:?}", Postgres.show(&address));
        assert!(shown.contains("postgres://ada:…@db.example.com:5432/tokenry"), "{shown}");
        let fault = Postgres.parse(&Raw::Plain("mysql://ada:hunter2@db/x".to_owned())).unwrap_err();
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }
}
