//! The root key, when the environment gives it.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    error::Fault,
    kinds::{Kind, Raw, Reach, Shown},
};

const LENGTH: usize = 32;

/// The 32 bytes that seal every key in the store. Wiped from memory when dropped; `Debug` shows
/// nothing of it.
#[derive(Clone)]
pub struct ServerKey(Zeroizing<[u8; LENGTH]>);

impl ServerKey {
    /// The bytes.
    pub fn expose(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Reads 32 bytes of base64url, with or without padding, as `TOKENRY_SERVER_KEY` and a key
    /// file hold them. `None`: it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        // The engine sizes its output by the longest text that could be meant.
        let mut decoded = Zeroizing::new([0; LENGTH + 3]);
        let unpadded = text.trim().trim_end_matches('=');
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(unpadded, decoded.as_mut()).ok()?;
        bytes.copy_from_slice(decoded.get(..length).filter(|key| key.len() == LENGTH)?);
        Some(Self(bytes))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerKey(…)")
    }
}

impl PartialEq for ServerKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_ref()).into()
    }
}

pub(super) struct Key;

impl Kind for Key {
    type Value = ServerKey;

    fn parse(&self, raw: &Raw) -> Result<ServerKey, Fault> {
        raw.text().and_then(ServerKey::parse).ok_or_else(|| {
            Fault::new(
                "it is not 32 bytes in base64url",
                "make one with: head -c 32 /dev/urandom | base64 | tr +/ -_ | tr -d =",
            )
        })
    }

    fn show(&self, _: &ServerKey) -> Shown {
        Shown::Redacted
    }

    fn name(&self) -> String {
        "32 bytes in base64url".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::EnvironmentOnly
    }
}
