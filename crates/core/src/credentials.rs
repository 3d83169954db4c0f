//! Minting credentials, knowing our own mint, and deriving the successor of a refresh token.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokenry_protocol::secret::{Credential, Kind, Parts};
use zeroize::ZeroizeOnDrop;

use crate::{
    jwt_access_token::{Unopened, open},
    rejection::Rejection,
};

/// Randomness from the operating system; a seeded one in tests.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bits.
    fn fill(&self, bytes: &mut [u8]);

    /// 128 random bits.
    fn secret(&self) -> [u8; 16] {
        let mut secret = [0; 16];
        self.fill(&mut secret);
        secret
    }
}

/// A key of 256 bits.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Key {
    bytes: [u8; 32],
    /// Ready for the first byte: half of what a short HMAC costs is done with the key alone. It
    /// clears itself.
    #[zeroize(skip)]
    keyed: Option<Hmac<Sha256>>,
}

impl Key {
    /// Takes 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        // HMAC takes a key of any length, so this cannot fail.
        Self { bytes, keyed: Hmac::new_from_slice(&bytes).ok() }
    }

    /// Draws a new key.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self::new(bytes)
    }

    /// The bytes, to be sealed.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// HMAC-SHA-256 over `parts`, one after the other. Callers give parts of fixed length, or put a
    /// label and lengths before what varies.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Some(mut mac) = self.keyed.clone() else {
            return [0; 32];
        };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// What the tag of a credential says about its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mint {
    /// We minted it. It may be old, and acceptance still rests on the stored hash.
    Ours,
    /// We never minted it.
    Forged,
    /// The key that would tell was lost: the hash decides, and nothing else follows from it.
    Unknown,
}

/// The numbered keys that make tags and derive successors.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    current: u8,
    /// `None` for a number whose key was lost.
    keys: BTreeMap<u8, Option<Key>>,
}

impl TokenKeys {
    /// Takes the key that mints from now on and the retired ones; `None` for a lost one.
    pub fn new(current: (u8, Key), retired: impl IntoIterator<Item = (u8, Option<Key>)>) -> Self {
        let mut keys: BTreeMap<_, _> = retired.into_iter().collect();
        keys.insert(current.0, Some(current.1));
        Self { current: current.0, keys }
    }

    /// The number of the key that mints.
    pub const fn current_number(&self) -> u8 {
        self.current
    }

    fn key(&self, number: u8) -> Option<&Key> {
        self.keys.get(&number)?.as_ref()
    }

    /// A key for another purpose, from the numbered one; `None` when that was lost.
    pub(crate) fn derive_key(&self, number: u8, purpose: &[u8]) -> Option<Key> {
        Some(Key::new(self.key(number)?.mac(&[purpose])))
    }

    /// Mints a credential under the current key.
    pub fn mint(&self, kind: Kind, id: u64, rotation: u32, secret: [u8; 16]) -> Credential {
        let key_number = self.current;
        let mut parts = Parts { kind, id, rotation, key_number, secret, tag: [0; 9] };
        if let Some(key) = self.key(key_number) {
            parts.tag = tag(key, &parts);
        }
        Credential::assemble(parts)
    }

    /// Reads a credential of one of these kinds, or a JWT of ours around one. Form, tag and
    /// signature refuse what was made up, without asking the store.
    pub fn read(&self, text: &str, kinds: &[Kind]) -> Result<Credential, Rejection> {
        let credential = match Credential::parse(text) {
            Ok(credential) => credential,
            Err(_) => open(text, self).map_err(|unopened| match unopened {
                Unopened::Malformed => Rejection::CredentialUnknown,
                Unopened::SignatureWrong => Rejection::CredentialForged,
            })?,
        };
        if !kinds.contains(&credential.parts().kind) {
            return Err(Rejection::CredentialUnknown);
        }
        match self.recognise(&credential) {
            Mint::Forged => Err(Rejection::CredentialForged),
            Mint::Ours | Mint::Unknown => Ok(credential),
        }
    }

    /// Whether we minted `credential`.
    pub fn recognise(&self, credential: &Credential) -> Mint {
        let parts = credential.parts();
        match self.keys.get(&parts.key_number) {
            Some(Some(key)) if bool::from(tag(key, parts).ct_eq(&parts.tag)) => Mint::Ours,
            Some(None) => Mint::Unknown,
            _ => Mint::Forged,
        }
    }

    /// Derives the secret of a successor: HMAC(token key, old secret ‖ id ‖ rotation ‖ kind ‖
    /// salt).
    /// Neither the database (old secret and key are missing) nor the key alone (old secret and salt
    /// are missing) yields it. `None` when the key was lost.
    pub fn derive(&self, successor: &Successor, kind: Kind) -> Option<Credential> {
        let key = self.key(successor.key_number)?;
        let derived = key.mac(&[
            b"tokenry successor",
            &successor.old_secret,
            &successor.id.to_be_bytes(),
            &successor.rotation.to_be_bytes(),
            &[kind.letter()],
            &successor.salt,
        ]);
        let mut parts = Parts {
            kind,
            id: successor.id,
            rotation: successor.rotation,
            key_number: successor.key_number,
            secret: [0; 16],
            tag: [0; 9],
        };
        for (slot, byte) in parts.secret.iter_mut().zip(derived) {
            *slot = byte;
        }
        parts.tag = tag(key, &parts);
        Some(Credential::assemble(parts))
    }
}

/// All that a successor pair is derived from, besides the key itself.
pub struct Successor {
    /// The secret of the refresh token that was presented.
    pub old_secret: [u8; 16],
    /// The record.
    pub id: u64,
    /// The rotation that the pair gets.
    pub rotation: u32,
    /// Drawn at the rotation, kept in the record.
    pub salt: [u8; 16],
    /// The key at the rotation, kept in the record.
    pub key_number: u8,
}

fn tag(key: &Key, parts: &Parts) -> [u8; 9] {
    let mac = key.mac(&[
        b"tokenry tag",
        &[parts.kind.letter()],
        &parts.id.to_be_bytes(),
        &parts.rotation.to_be_bytes(),
        &[parts.key_number],
        &parts.secret,
    ]);
    let mut tag = [0; 9];
    for (slot, byte) in tag.iter_mut().zip(mac) {
        *slot = byte;
    }
    tag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(byte: u8) -> TokenKeys {
        TokenKeys::new((1, Key::new([byte; 32])), [])
    }

    proptest! {
        #[test]
        fn our_mint_is_known_by_our_key_only(
            id in 1..1_u64 << 53,
            rotation in 0..1_u32 << 24,
            secret in any::<[u8; 16]>(),
        ) {
            let credential = keys(1).mint(Kind::RefreshToken, id, rotation, secret);
            prop_assert_eq!(keys(1).recognise(&credential), Mint::Ours);
            prop_assert_eq!(keys(2).recognise(&credential), Mint::Forged);
            let elsewhere = TokenKeys::new((2, Key::new([1; 32])), []);
            prop_assert_eq!(elsewhere.recognise(&credential), Mint::Forged);
            let lost = TokenKeys::new((2, Key::new([1; 32])), [(1, None)]);
            prop_assert_eq!(lost.recognise(&credential), Mint::Unknown);
        }

        #[test]
        fn any_change_of_what_a_tag_covers_makes_a_forgery(
            secret in any::<[u8; 16]>(),
            other_id in 2..1000_u64,
            other_rotation in 2..1000_u32,
        ) {
            let keys = keys(1);
            let minted = *keys.mint(Kind::AccessToken, 1, 1, secret).parts();
            for forged in [
                Parts { id: other_id, ..minted },
                Parts { rotation: other_rotation, ..minted },
                Parts { kind: Kind::RefreshToken, ..minted },
                Parts { secret: secret.map(|byte| byte ^ 1), ..minted },
            ] {
                prop_assert_eq!(keys.recognise(&Credential::assemble(forged)), Mint::Forged);
            }
        }
    }

    #[test]
    fn what_is_read_has_the_form_the_kind_and_a_tag_that_may_be_ours() {
        let minted = |kind| keys(1).mint(kind, 1, 1, [1; 16]);
        let (access, refresh) = (minted(Kind::AccessToken), minted(Kind::RefreshToken));
        let lost = TokenKeys::new((2, Key::new([1; 32])), [(1, None)]);
        for (keys, text, expected) in [
            (keys(1), refresh.reveal(), Ok(refresh.reveal())),
            (lost, refresh.reveal(), Ok(refresh.reveal())),
            (keys(2), refresh.reveal(), Err("credential_forged")),
            (keys(1), access.reveal(), Err("credential_unknown")),
            (keys(2), access.reveal(), Err("credential_unknown")),
            (keys(1), "garbage", Err("credential_unknown")),
        ] {
            let read = keys.read(text, &[Kind::AuthorizationCode, Kind::RefreshToken]);
            let told = read.as_ref().map(Credential::reveal).map_err(Rejection::as_str);
            assert_eq!(told, expected);
        }
    }

    /// RFC 4231 §4.3 has no key of 256 bits, so this one was computed apart from this code.
    #[test]
    fn a_key_makes_hmac_sha_256_over_the_parts_in_their_order() {
        let key = Key::new([11; 32]);
        let whole = key.mac(&[b"Hi There"]);
        assert_eq!(&whole[..4], [0x19, 0x8a, 0x60, 0x7e]);
        assert_eq!(key.mac(&[b"Hi", b" ", b"There"]), whole);
        assert_ne!(key.mac(&[b"There", b" ", b"Hi"]), whole);
    }

    #[test]
    fn what_a_key_keeps_ready_is_cleared_like_the_key() {
        const fn clears_itself<T: ZeroizeOnDrop>() {}
        clears_itself::<Key>();
        // It has nothing else to do when it goes.
        assert!(std::mem::needs_drop::<Hmac<Sha256>>());
    }

    #[test]
    fn a_key_is_drawn_whole_and_shown_to_nobody_but_who_seals_it() {
        struct Counting;
        impl Entropy for Counting {
            fn fill(&self, bytes: &mut [u8]) {
                for (slot, byte) in bytes.iter_mut().zip(1..) {
                    *slot = byte;
                }
            }
        }
        let key = Key::draw(&Counting);
        let expected: [u8; 32] = std::array::from_fn(|at| u8::try_from(at + 1).unwrap());
        assert_eq!(key.expose(), &expected);
        assert_eq!(format!("{key:?}"), "Key(…)");
    }

    #[test]
    fn the_key_that_mints_is_the_current_one_whatever_others_there_are() {
        let keys =
            TokenKeys::new((7, Key::new([7; 32])), [(1, Some(Key::new([1; 32]))), (9, None)]);
        assert_eq!(keys.current_number(), 7);
        let minted = keys.mint(Kind::ApiToken, 1, 0, [1; 16]);
        assert_eq!(minted.parts().key_number, 7);
        assert_eq!(keys.recognise(&minted), Mint::Ours);
    }

    #[test]
    fn a_successor_is_the_same_for_the_same_inputs_and_differs_by_each() {
        let keys = keys(1);
        let base =
            || Successor { old_secret: [1; 16], id: 7, rotation: 2, salt: [3; 16], key_number: 1 };
        let derive = |successor: Successor, kind| {
            keys.derive(&successor, kind).map(|credential| credential.reveal().to_owned())
        };
        let refresh = derive(base(), Kind::RefreshToken).unwrap();
        assert_eq!(derive(base(), Kind::RefreshToken).unwrap(), refresh);
        for other in [
            derive(base(), Kind::AccessToken),
            derive(Successor { old_secret: [2; 16], ..base() }, Kind::RefreshToken),
            derive(Successor { salt: [4; 16], ..base() }, Kind::RefreshToken),
            derive(Successor { id: 8, ..base() }, Kind::RefreshToken),
        ] {
            assert_ne!(other.unwrap()[19..], refresh[19..]);
        }
        assert_eq!(derive(Successor { key_number: 9, ..base() }, Kind::RefreshToken), None);
    }
}
