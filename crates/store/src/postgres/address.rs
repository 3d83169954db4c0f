//! Where a database is: read once, and shown without what is secret of it.

use std::{fmt, net::IpAddr, str::FromStr as _, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::{
    Config,
    config::{Host, TargetSessionAttrs},
};

use super::tls::{Tls, Wanted};

/// What the database shows of us.
const APPLICATION_NAME: &str = "tokenry";
/// Where PostgreSQL listens unless it is told otherwise.
const PORT: u16 = 5432;
/// For how long a connection may be silent before it is asked whether it is still there.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
/// What has a meaning in an address is shown encoded, as it was written.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a database, `postgres://user:password@host:port/database?…`, which was read and
/// can be connected to. `Debug` shows it without the password.
#[derive(Clone)]
pub struct PostgresAddress {
    text: String,
    /// All but the servers.
    pub(super) config: Config,
    /// At least one, in the order in which they are written.
    pub(super) servers: Vec<ServerName>,
    pub(super) tls: Option<Tls>,
}

/// One server of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerName {
    pub(super) host: Option<Host>,
    /// What `hostaddr` says, so that the name is not resolved.
    pub(super) ip: Option<IpAddr>,
    pub(super) port: u16,
}

/// What is wrong with an address, without repeating anything of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(pub(super) String);

impl PostgresAddress {
    /// Reads an address, and the file with the authorities that it names.
    ///
    /// It may name several servers, `host1:5432,host2:5432`, of which one at a time takes writes.
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
        let servers = servers(&config)?;
        // The end of a password with an `@` that was not encoded would be shown as a host; and the
        // parser takes several hosts that a parameter names for one.
        if servers.iter().any(|server| server.to_string().contains(['@', ','])) {
            return Err(unreadable());
        }
        if servers.len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self { text: url.to_owned(), config: without_servers(&config), servers, tls })
    }

    /// What the database shows of whoever uses this address.
    pub(super) fn application_name(&self) -> &str {
        self.config.get_application_name().unwrap_or(APPLICATION_NAME)
    }

    /// Whether a server that only reads is none for us.
    pub(super) fn must_write(&self) -> bool {
        self.config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
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
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        format!("postgres://{user}{}{database}", servers.join(","))
    }
}

fn servers(config: &Config) -> Result<Vec<ServerName>, InvalidAddress> {
    let invalid = |reason: &str| Err(InvalidAddress(reason.to_owned()));
    let (hosts, ips, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(ips.len());
    if count == 0 {
        return invalid("the address of the database names no host");
    }
    if !hosts.is_empty() && !ips.is_empty() && hosts.len() != ips.len() {
        return invalid("hostaddr in the address of the database names as many as there are hosts");
    }
    if ports.len() > 1 && ports.len() != count {
        return invalid("the address of the database has one port, or one for each host");
    }
    let server = |place| ServerName {
        host: hosts.get(place).cloned(),
        ip: ips.get(place).copied(),
        port: ports.get(place).or_else(|| ports.first()).copied().unwrap_or(PORT),
    };
    Ok((0..count).map(server).collect())
}

/// The same without where to connect to: there is no way to take that out.
fn without_servers(config: &Config) -> Config {
    let mut rest = Config::new();
    if let Some(user) = config.get_user() {
        rest.user(user);
    }
    if let Some(password) = config.get_password() {
        rest.password(password);
    }
    if let Some(database) = config.get_dbname() {
        rest.dbname(database);
    }
    if let Some(options) = config.get_options() {
        rest.options(options);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        rest.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        rest.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        rest.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        rest.keepalives_retries(retries);
    }
    rest.application_name(config.get_application_name().unwrap_or(APPLICATION_NAME));
    rest.ssl_mode(config.get_ssl_mode());
    rest.ssl_negotiation(config.get_ssl_negotiation());
    rest.channel_binding(config.get_channel_binding());
    rest.target_session_attrs(config.get_target_session_attrs());
    rest.keepalives(config.get_keepalives());
    rest.keepalives_idle(KEEPALIVES_IDLE);
    rest
}

impl fmt::Display for ServerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.ip) {
            (Some(Host::Tcp(name)), _) if name.contains(':') => write!(formatter, "[{name}]")?,
            (Some(Host::Tcp(name)), _) => formatter.write_str(name)?,
            #[cfg(unix)]
            (Some(Host::Unix(path)), _) => {
                let path = path.to_string_lossy();
                write!(formatter, "{}", utf8_percent_encode(&path, ENCODED))?;
            }
            (None, Some(IpAddr::V6(ip))) => write!(formatter, "[{ip}]")?,
            (None, Some(IpAddr::V4(ip))) => write!(formatter, "{ip}")?,
            (None, None) => {}
        }
        write!(formatter, ":{}", self.port)
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
    fn of_several_servers_the_one_that_takes_writes_is_wanted() {
        let must_write = |url| PostgresAddress::parse(url).unwrap().must_write();
        assert!(must_write("postgres://a.test,b.test/d?sslmode=disable"));
        assert!(must_write("postgres://a.test/d?sslmode=disable&target_session_attrs=read-write"));
        assert!(!must_write("postgres://a.test/d?sslmode=disable"));
    }

    #[test]
    fn servers_with_a_wrong_number_of_ports_or_addresses_are_refused() {
        for text in [
            "postgres://a.test,b.test/d?port=1&sslmode=disable",
            "postgres://a.test,b.test/d?hostaddr=127.0.0.1&sslmode=disable",
            "postgres:///d?host=a.test,b.test&sslmode=disable",
            "postgres:///d?sslmode=disable",
        ] {
            assert!(PostgresAddress::parse(text).is_err(), "{text}");
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
