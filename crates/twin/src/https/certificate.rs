//! The proxy's certificate, and who vouches for it. Each twin has its own, and the key that signed
//! is gone before the first call: whoever trusts this authority trusts one certificate, for the
//! names in it.

use std::time::{Duration, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use tokenry_protocol::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// As long as some clients take at most (Apple's: 398 days for what the public trusts, 825 for
/// others).
const LIFETIME: Duration = DAY.saturating_mul(397);
/// Clocks of containers may be behind.
const BEFORE: Duration = DAY;
/// By which this machine calls itself.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is made for one twin.
pub(super) struct Certificates {
    /// Whom to trust, as PEM.
    pub(super) authority: String,
    /// The proxy's own, as DER.
    pub(super) certificate: Vec<u8>,
    /// The proxy's private key, as DER of PKCS #8.
    pub(super) key: Vec<u8>,
}

impl Certificates {
    /// For these names and for this machine, from now on.
    pub(super) fn make(names: &[String], now: Timestamp) -> Result<Self, Error> {
        let mut authority = parameters(Vec::new(), "A double of Zendesk, for tests", now)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority_key = KeyPair::generate()?;
        let trusted = authority.self_signed(&authority_key)?;

        let this_machine = THIS_MACHINE.map(str::to_owned);
        let names = names.iter().cloned().chain(this_machine).collect();
        let mut own = parameters(names, "A double of Zendesk", now)?;
        own.use_authority_key_identifier_extension = true;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = own.signed_by(&key, &Issuer::new(authority, authority_key))?;
        Ok(Self {
            authority: trusted.pem(),
            certificate: certificate.der().to_vec(),
            key: key.serialize_der(),
        })
    }
}

fn parameters(
    names: Vec<String>,
    common_name: &str,
    now: Timestamp,
) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let now = UNIX_EPOCH + Duration::from_millis(now.as_millis().unsigned_abs());
    parameters.not_before = (now - BEFORE).into();
    parameters.not_after = (now + LIFETIME).into();
    Ok(parameters)
}
