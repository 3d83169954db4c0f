//! Where a database is: read once, and shown without what is secret of it.

use std::{fmt, str::FromStr as _, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::{Config, config::Host};

use super::tls::{Tls, Wanted};

/// What the database shows of us.
const APPLICATION_NAME: &str = "tokenry";
/// What has a meaning in an address is shown encoded, as it was written.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a database, `postgres://user:password@host:port/database?…`, which was read and
/// can be connected to. `Debug` shows it without the password.
#[derive(Clone)]
pub struct PostgresAddress {
    text: String,
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
}

/// What is wrong with an address, without repeating anything of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(pub(super) String);

impl PostgresAddress {
    /// Reads an address, and the file with the authorities that it names.
    ///
    /// What leaves the machine is under TLS unless `sslmode` says otherwise; `sslrootcert` names a
    /// file of authorities, instead of the system's.
    pub fn parse(url: &str) -> Result<Self, InvalidAddress> {
        // What the parser says may quote a piece of the password.
        let unreadable = || {
            InvalidAddress(
                "the address of the database cannot be read: it has the form \
                 postgres://user:password@host:5432/database, and special characters of the \
                 password are percent-encoded"
                    .to_owned(),
            )
        };
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(unreadable());
        }
        let (wanted, rest) = Wanted::take(url)?;
        let mut config = Config::from_str(&rest).map_err(|_| unreadable())?;
        let tls = wanted.apply(&mut config)?;
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION_NAME);
        }
        config.keepalives_idle(Duration::from_secs(30));
        // The end of a password with an `@` that was not encoded: it would be shown as a host.
        if config
            .get_hosts()
            .iter()
            .any(|host| matches!(host, Host::Tcp(name) if name.contains('@')))
        {
            return Err(unreadable());
        }
        Ok(Self { text: url.to_owned(), config, tls })
    }

    /// For logs and messages: who, where and which, without the password and without parameters,
    /// which can hold one as well.
    pub fn redacted(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, ENCODED);
        let user = self.config.get_user().map_or_else(String::new, |user| {
            let password = if self.config.get_password().is_some() { ":…" } else { "" };
            format!("{}{password}@", encoded(user))
        });
        let database = self
            .config
            .get_dbname()
            .map_or_else(String::new, |database| format!("/{}", encoded(database)));
        format!("postgres://{user}{}{database}", self.hosts().join(","))
    }

    fn hosts(&self) -> Vec<String> {
        let named = |host: &Host| match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => utf8_percent_encode(&path.to_string_lossy(), ENCODED).to_string(),
        };
        let mut hosts: Vec<String> = self.config.get_hosts().iter().map(named).collect();
        if hosts.is_empty() {
            hosts.extend(self.config.get_hostaddrs().iter().map(ToString::to_string));
        }
        let ports = self.config.get_ports();
        for (place, host) in hosts.iter_mut().enumerate() {
            if let Some(port) = ports.get(place).or_else(|| ports.first()) {
                *host = format!("{host}:{port}");
            }
        }
        hosts
    }
}

impl PartialEq for PostgresAddress {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PostgresAddress {}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_is_secret_of_it() {
        for (text, shown) in [
            (
                "postgres://ada:hunter2@db.example.com:5432/tokenry?sslmode=require",
                "postgres://ada:…@db.example.com:5432/tokenry",
            ),
            (
                "postgres://db.example.com/tokenry?user=ada&password=hunter2",
                "postgres://ada:…@db.example.com:5432/tokenry",
            ),
            (
                "postgres://ada:hun%74er2@a.test,b.test:5433/tokenry",
                "postgres://ada:…@a.test:5432,b.test:5433/tokenry",
            ),
            ("postgres://ada@%2Frun%2Fpg", "postgres://ada@%2Frun%2Fpg:5432"),
            ("postgres://[::1]:1/a%2Fb?sslmode=disable", "postgres://[::1]:1/a%2Fb"),
        ] {
            let address = PostgresAddress::parse(text).unwrap();
            assert_eq!(address.redacted(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in [
            "hunter2",
            "mysql://ada:hunter2@db/x",
            "postgres://ada:hunter2@:x/y",
            "postgres://ada:x@hunter2@db/x",
            "postgres://ada:x@host:hunter2/db",
            "postgres://ada:x@host/db?hunter2=1",
        ] {
            let refused = PostgresAddress::parse(text).unwrap_err();
            let told = format!("{refused} {refused:?}");
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains("postgres://user:password@host:5432/database"), "{told}");
        }
    }
}
