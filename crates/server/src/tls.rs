//! TLS on the server's own listener (RFC 8446; RFC 9700 §2.6 asks for it end to end).
//!
//! Certificate and key are read at the start, and again when one of the files has changed. What
//! cannot be used then is told to the log, and the pair that is in use stays.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::listen::{Handshake, Shaken};

/// Best first (RFC 7301): HTTP/2, then HTTP/1.1.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and a root, in this order (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: pem::Error,
    },
    /// The two together.
    #[error("{certificate} and {key} are of no use together: {error}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        error: rustls::Error,
    },
}

/// What a listener needs to speak TLS.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Current>,
}

struct Current {
    pair: Pair,
    config: Arc<ServerConfig>,
}

/// What the files held.
#[derive(PartialEq)]
struct Pair {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let pair = Pair::read(&files)?;
        let config = pair.config(&files)?;
        Ok(Self { files, current: RwLock::new(Current { pair, config }) })
    }

    /// Reads the files again and says whether they held another pair.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let pair = Pair::read(&self.files)?;
        if self.current.read().unwrap_or_else(PoisonError::into_inner).pair == pair {
            return Ok(false);
        }
        let config = pair.config(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { pair, config };
        Ok(true)
    }
}

impl Handshake for Tls {
    /// With the certificate of the moment.
    fn shake(&self, stream: TcpStream) -> Shaken {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        shake(&current.config, stream)
    }
}

/// TLS with a pair that is in no file and stays what it is.
pub struct FixedTls(Arc<ServerConfig>);

impl FixedTls {
    /// A certificate, with none between it and its root, and its private key (PKCS #8), both as
    /// DER.
    pub fn new(certificate: Vec<u8>, key: Vec<u8>) -> Result<Self, rustls::Error> {
        let key = PrivateKeyDer::Pkcs8(key.into());
        Ok(Self(config(vec![certificate.into()], key)?))
    }
}

impl Handshake for FixedTls {
    fn shake(&self, stream: TcpStream) -> Shaken {
        shake(&self.0, stream)
    }
}

fn shake(config: &Arc<ServerConfig>, stream: TcpStream) -> Shaken {
    Box::pin(TlsAcceptor::from(Arc::clone(config)).accept(stream))
}

impl Pair {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |error| TlsError::File { path, error }
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&files.certificate)
            .map_err(fail(&files.certificate))?
            .collect();
        let chain = chain.map_err(fail(&files.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(fail(&files.key))?;
        Ok(Self { chain, key })
    }

    fn config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let config = config(self.chain.clone(), self.key.clone_key());
        config.map_err(|error| TlsError::Pair {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            error,
        })
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");

    /// A folder whose pair can be replaced.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with(pair: &str) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.put(&format!("{pair}.crt"), "tls.crt");
            folder.put(&format!("{pair}.key"), "tls.key");
            folder
        }

        fn put(&self, from: &str, to: &str) {
            fs::copy(Path::new(CERTIFICATES).join(from), self.0.path().join(to)).unwrap();
        }

        fn files(&self) -> TlsFiles {
            let path = |name| self.0.path().join(name);
            TlsFiles { certificate: path("tls.crt"), key: path("tls.key") }
        }
    }

    fn in_use(tls: &Tls) -> Vec<u8> {
        tls.current.read().unwrap().pair.chain[0].to_vec()
    }

    #[test]
    fn a_renewed_pair_is_taken_into_use_once() {
        let folder = Folder::with("first");
        let tls = Tls::load(folder.files()).unwrap();
        let first = in_use(&tls);
        assert!(!tls.reload().unwrap());
        folder.put("second.crt", "tls.crt");
        folder.put("second.key", "tls.key");
        assert!(tls.reload().unwrap());
        assert_ne!(in_use(&tls), first);
        assert!(!tls.reload().unwrap());
    }

    /// The two are written one after the other.
    #[test]
    fn a_pair_that_does_not_fit_leaves_the_old_one_in_use() {
        let folder = Folder::with("first");
        let tls = Tls::load(folder.files()).unwrap();
        let first = in_use(&tls);
        folder.put("second.crt", "tls.crt");
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains("are of no use together"), "{error}");
        fs::write(folder.files().certificate, "not a certificate").unwrap();
        assert!(tls.reload().is_err());
        fs::remove_file(folder.files().key).unwrap();
        assert!(tls.reload().is_err());
        assert_eq!(in_use(&tls), first);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file_it_is_in() {
        let folder = Folder::with("first");
        fs::write(folder.files().key, "").unwrap();
        let error = Tls::load(folder.files()).err().unwrap().to_string();
        assert!(error.contains("tls.key: "), "{error}");
        fs::remove_file(folder.files().certificate).unwrap();
        let error = Tls::load(folder.files()).err().unwrap().to_string();
        assert!(error.contains("tls.crt: "), "{error}");
    }
}
