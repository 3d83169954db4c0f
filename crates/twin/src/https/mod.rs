//! Zendesk's own address, for programs that call no other: a proxy for `https://NAME.zendesk.com`
//! whose tunnels (RFC 9110 §9.3.6) all end here, with a certificate that is good for nothing else.
//!
//! A program is led here by its environment: by what names a proxy, and by what names whom to
//! trust. It goes nowhere else by this proxy, so that a test whose calls leave the twin is noticed.

mod certificate;
mod tunnel;

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempPath;
use tokenry_server::{
    environment::{Clock as _, SystemClock},
    listen::Listener,
    tls::FixedTls,
};
use url::Url;

use self::{certificate::Certificates, tunnel::Tunnel};
use crate::{connect, error::TwinError, options::Options};

/// What is told of the proxy.
pub(crate) struct Https {
    /// Where this machine reaches it.
    at: SocketAddr,
    /// The certificate of who vouches for it, as PEM.
    pub(crate) authority: String,
    file: AuthorityFile,
}

/// Where the authority's certificate is for programs that take it from a file.
enum AuthorityFile {
    /// Gone with the twin.
    Temporary(TempPath),
    Chosen(PathBuf),
}

impl Https {
    /// Makes the certificates, and has the listener begin as a proxy.
    pub(crate) fn start(
        listener: Listener,
        at: SocketAddr,
        options: &Options,
    ) -> Result<(Listener, Self), TwinError> {
        let fail = |error: &dyn std::error::Error| TwinError::Https(error.to_string());
        let zendesk = options.zendesk_host();
        let names: Vec<_> = std::iter::once(zendesk.as_str())
            .chain(options.hosts.iter().map(String::as_str))
            .map(str::to_ascii_lowercase)
            .collect();
        let Certificates { authority, certificate, key } =
            Certificates::make(&names, SystemClock.now()).map_err(|error| fail(&error))?;
        let tls = FixedTls::new(certificate, key).map_err(|error| fail(&error))?;
        let file = AuthorityFile::write(&authority, options.ca_file.as_deref())?;
        let listener = listener.with_handshake(Arc::new(Tunnel::new(names, tls)));
        Ok((listener, Self { at, authority, file }))
    }

    /// What one needs to connect, for whoever has found the twin at this address.
    pub(crate) fn place(&self, base_url: &str) -> connect::Https {
        let path = match &self.file {
            AuthorityFile::Temporary(path) => path,
            AuthorityFile::Chosen(path) => path.as_path(),
        };
        let proxy = self.by_name_of(base_url).unwrap_or_else(|| format!("http://{}", self.at));
        connect::Https { proxy, ca_file: path.display().to_string() }
    }

    /// Under the name by which somebody knows one of the twin's ports. Whoever has come through a
    /// tunnel knows Zendesk's.
    fn by_name_of(&self, base_url: &str) -> Option<String> {
        let (url, port) = (Url::parse(base_url).ok()?, self.at.port());
        if url.scheme() == "https" && url.port() != Some(port) {
            return None;
        }
        Some(format!("http://{}:{port}", url.host_str()?))
    }
}

impl AuthorityFile {
    fn write(authority: &str, chosen: Option<&Path>) -> Result<Self, TwinError> {
        let fail = |path: &Path, error| TwinError::CaFile { path: path.to_owned(), error };
        if let Some(path) = chosen {
            std::fs::write(path, authority).map_err(|error| fail(path, error))?;
            return Ok(Self::Chosen(std::path::absolute(path).map_err(|error| fail(path, error))?));
        }
        let write = || {
            let mut file =
                tempfile::Builder::new().prefix("tokenry-twin-").suffix(".pem").tempfile()?;
            file.write_all(authority.as_bytes())?;
            Ok(file.into_temp_path())
        };
        write().map(Self::Temporary).map_err(|error| fail(&std::env::temp_dir(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 443 as well, where both have the same address.
    #[test]
    fn whoever_came_through_a_tunnel_is_told_no_name_of_zendesks() {
        for (port, base_url, proxy) in [
            (4_443, "http://zendesk:4000", "http://zendesk:4443"),
            (4_443, "https://localhost:4443", "http://localhost:4443"),
            (4_443, "https://acme.zendesk.com", "http://127.0.0.1:4443"),
            (443, "https://acme.zendesk.com", "http://127.0.0.1:443"),
            (443, "http://zendesk:4000", "http://zendesk:443"),
        ] {
            let at = SocketAddr::from(([127, 0, 0, 1], port));
            let file = AuthorityFile::Chosen(PathBuf::new());
            let https = Https { at, authority: String::new(), file };
            assert_eq!(https.place(base_url).proxy, proxy, "{base_url}");
        }
    }
}
