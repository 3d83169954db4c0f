//! TLS to the database, as the address says.
//!
//! | `sslmode` | |
//! |---|---|
//! | `disable` | never |
//! | `prefer` | if the server offers it |
//! | `require`, `verify-ca`, `verify-full` | always |
//!
//! Where there is TLS the certificate is checked, name included: a mode that encrypts for whoever
//! answers keeps nothing secret. Without `sslmode` TLS is required, except where nothing leaves the
//! machine. The authorities are the system's, or those of the file that `sslrootcert` names.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Config, Socket,
    config::{Host, SslMode},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject as _},
    },
};

use super::address::InvalidAddress;

/// What an address says of TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    mode: Option<SslMode>,
    /// Of the file with the authorities.
    authorities: Option<String>,
}

impl Wanted {
    /// Takes what it understands out of an address, and gives what is left for the driver.
    pub(super) fn take(url: &str) -> Result<(Self, String), InvalidAddress> {
        let mut wanted = Self::default();
        let Some((address, parameters)) = url.split_once('?') else {
            return Ok((wanted, url.to_owned()));
        };
        let mut others = Vec::new();
        for parameter in parameters.split('&') {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => wanted.mode = Some(parse_mode(mode)?),
                Some(("sslrootcert", path)) => {
                    let path = percent_decode_str(path).decode_utf8_lossy();
                    wanted.authorities = Some(path.into_owned());
                }
                _ => others.push(parameter),
            }
        }
        Ok((wanted, format!("{address}?{}", others.join("&"))))
    }

    /// Has connections use TLS, or not.
    pub(super) fn apply(self, config: &mut Config) -> Result<Option<Tls>, InvalidAddress> {
        let default = if is_local(config) { SslMode::Disable } else { SslMode::Require };
        let mode = self.mode.unwrap_or(default);
        config.ssl_mode(mode);
        if mode == SslMode::Disable {
            return Ok(None);
        }
        Tls::trusting(authorities(self.authorities.as_deref())?).map(Some)
    }
}

fn parse_mode(mode: &str) -> Result<SslMode, InvalidAddress> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(invalid(
            "sslmode in the address of the database is disable, prefer, require, verify-ca or \
             verify-full",
        )),
    }
}

fn is_local(config: &Config) -> bool {
    let mut addresses = config.get_hostaddrs().iter();
    addresses.all(std::net::IpAddr::is_loopback) && config.get_hosts().iter().all(is_local_host)
}

fn is_local_host(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn authorities(path: Option<&str>) -> Result<RootCertStore, InvalidAddress> {
    let mut trusted = RootCertStore::empty();
    if let Some(path) = path {
        let cannot = |error| invalid(&format!("sslrootcert cannot be read: {path}: {error}"));
        for authority in CertificateDer::pem_file_iter(path).map_err(|error| cannot(tell(error)))? {
            let authority = authority.map_err(|error| cannot(tell(error)))?;
            trusted.add(authority).map_err(|error| cannot(tell(error)))?;
        }
    } else {
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if trusted.is_empty() {
        return Err(invalid(
            "there are no certificates of authorities to check the database's with: name a file \
             of them by sslrootcert, or install the system's",
        ));
    }
    Ok(trusted)
}

fn invalid(reason: &str) -> InvalidAddress {
    InvalidAddress(reason.to_owned())
}

fn tell(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What makes a connection a TLS connection.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    fn trusting(authorities: RootCertStore) -> Result<Self, InvalidAddress> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(&format!("TLS: {error}")))?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, InvalidDnsNameError> {
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Connect { connector: self.0.clone(), name })
    }
}

/// A handshake with a server of a name.
pub(super) struct Connect {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let connected = self.connector.connect(self.name, socket);
        Box::pin(async move { Ok(Stream(connected.await?)) })
    }
}

/// A connection under TLS.
pub(super) struct Stream(TlsStream<Socket>);

impl tokio_postgres::tls::TlsStream for Stream {
    /// None: the certificate's name is checked, which is what binding would add.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    fn mode(url: &str) -> SslMode {
        let (wanted, rest) = Wanted::take(url).unwrap();
        let mut config = Config::from_str(&rest).unwrap();
        drop(wanted.apply(&mut config));
        config.get_ssl_mode()
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_address_says_no() {
        for (url, expected) in [
            ("postgres://u@db.test/d", SslMode::Require),
            ("postgres://u@10.0.0.1,localhost/d", SslMode::Require),
            ("postgres://u@localhost/d", SslMode::Disable),
            ("postgres://u@127.0.0.1:5433/d", SslMode::Disable),
            ("postgres://u@[::1]/d", SslMode::Disable),
            ("postgres://u@%2Frun%2Fpostgresql/d", SslMode::Disable),
            ("postgres://u@localhost/d?sslmode=require", SslMode::Require),
            ("postgres://u@db.test/d?sslmode=verify-full&connect_timeout=1", SslMode::Require),
            ("postgres://u@db.test/d?connect_timeout=1&sslmode=prefer", SslMode::Prefer),
            ("postgres://u@db.test/d?sslmode=disable", SslMode::Disable),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }

    #[test]
    fn a_mode_that_there_is_not_is_refused() {
        assert!(Wanted::take("postgres://u@db.test/d?sslmode=maybe").is_err());
    }

    #[test]
    fn a_file_of_authorities_is_named_with_its_characters_encoded() {
        let (wanted, rest) =
            Wanted::take("postgres://u@h/d?sslrootcert=%2Fetc%2Fmy%20ca.pem&a=b").unwrap();
        assert_eq!(wanted.authorities.as_deref(), Some("/etc/my ca.pem"));
        assert_eq!(rest, "postgres://u@h/d?a=b");
    }
}
