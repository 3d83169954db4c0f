//! TLS on the server's own listener.

use std::path::PathBuf;

use super::{
    kinds::{FilePath, Optional},
    section::section,
};

section! {
    /// TLS on the address the server listens on. With both files it is https and nothing else. They
    /// are read again within ten seconds of a change; what cannot be used then is told to the log,
    /// and what was in use stays.
    Tls "tls." {
        /// The server's certificate, followed by those between it and a root (PEM).
        certificate: Option<PathBuf> = None, Optional(FilePath("/etc/tokenry/tls.crt"));
        /// The private key of the certificate (PEM).
        key: Option<PathBuf> = None, Optional(FilePath("/etc/tokenry/tls.key"));
    }
}

impl Tls {
    /// Certificate and key, if there are both.
    pub fn files(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.certificate.as_ref().zip(self.key.as_ref())
    }
}
