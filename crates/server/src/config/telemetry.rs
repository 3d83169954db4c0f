//! Metrics and logs.

use std::net::SocketAddr;

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::{
    error::Fault,
    kinds::{Address, Choice, Kind, Optional, Raw, Shown, toml_text},
    section::section,
};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// [`Self::Text`] when standard error is a terminal, else [`Self::Json`].
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

const LOG_FORMAT: Choice<LogFormat> =
    Choice(&[("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)]);

section! {
    /// Prometheus metrics, on a listener of their own, so that they are never public by accident.
    Metrics "metrics." {
        /// The address that serves `GET /metrics`. Unset, nothing does.
        listen: Option<SocketAddr> = None, Optional(Address);
    }
}

section! {
    /// Logs, written to standard error. They never hold a credential, only its first 10 characters.
    Log "log." {
        /// The form of a line: `text` for people, `json` for machines, `auto` for text on a
        /// terminal and JSON otherwise.
        format: LogFormat = LogFormat::Auto, LOG_FORMAT;
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or several
        /// with the part of the program they hold for, as in `info,tokenry_store=debug`.
        filter: String = "info".to_owned(), Filter;
    }
}

struct Filter;

impl Kind for Filter {
    type Value = String;

    fn parse(&self, raw: &Raw) -> Result<String, Fault> {
        let remedy = "write a level (error, warn, info, debug, trace, off), or several such as \
             info,tokenry_store=debug";
        let fault = |problem: String| Fault::new(problem, remedy);
        let text = raw.text().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| fault(format!("{} is no log filter", raw.quoted())))?;
        let directives: Vec<_> = text.split(',').map(str::trim).collect();
        // A lone word that is no level would be taken for a part of the program and silence the
        // rest: almost always a misspelt level.
        let misspelt = directives.iter().find(|directive| {
            !directive.contains(['=', ':', '[']) && directive.parse::<LevelFilter>().is_err()
        });
        if let Some(word) = misspelt {
            return Err(fault(format!("{word:?} is no log level")));
        }
        let filter = directives.join(",");
        EnvFilter::builder()
            .parse(&filter)
            .map_err(|error| fault(format!("{} is no log filter: {error}", raw.quoted())))?;
        Ok(filter)
    }

    fn show(&self, value: &String) -> Shown {
        Shown::Toml(toml_text(value))
    }

    fn name(&self) -> String {
        "log filter".to_owned()
    }
}
