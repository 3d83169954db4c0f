//! The numbered keys, sealed in the store under the root key.

use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use tokenry_core::{Entropy, TokenKeys, credentials::Key};
use tokenry_protocol::time::Timestamp;
use tokenry_store::{Insertion, KeyPurpose, SealedKey, Store, StoreError};

const NONCE_LENGTH: usize = 12;

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The root key is not the one that the store's keys were sealed under.
    #[error(
        "the server key does not open this store: put back the key that the store was made with \
         (its backup names it), or, if it is lost for good, run `tokenry key replace --lost`"
    )]
    OtherRootKey,
    /// Every number is taken.
    #[error("the 255 key numbers of {0:?} keys are spent")]
    NumbersSpent(KeyPurpose),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys in the clear.
#[derive(Debug)]
pub struct Keys {
    /// Tags and successors.
    pub token: TokenKeys,
    /// Pagination cursors, the current key first. Cursors do not expire, so none is dropped.
    pub cursor: Vec<Key>,
    /// Forms and cookies of pages, the current key first.
    pub page: Vec<Key>,
}

/// The keys that are in use, replaced as a whole when the store's keys change.
pub struct Keyring(RwLock<Arc<Keys>>);

impl Keyring {
    /// Opens the keys of a store; makes the first ones where there are none.
    pub async fn open(
        store: &dyn Store,
        root: &Key,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, KeyringError> {
        let sealed = store.list_keys().await?;
        for purpose in PURPOSES {
            if !sealed.iter().any(|key| key.purpose == purpose) {
                // Another process may have been faster: then its key is the one.
                let _: Insertion =
                    store.insert_key(seal_new(root, purpose, 1, entropy, now)).await?;
            }
        }
        Ok(Self(RwLock::new(Arc::new(unseal_all(&store.list_keys().await?, root)?))))
    }

    /// Reads the keys again, after they were rotated.
    pub async fn reload(&self, store: &dyn Store, root: &Key) -> Result<(), KeyringError> {
        let keys = Arc::new(unseal_all(&store.list_keys().await?, root)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The keys at this moment.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether these keys are sealed under this root key.
pub fn check(sealed: &[SealedKey], root: &Key) -> Result<(), KeyringError> {
    unseal_all(sealed, root).map(drop)
}

/// Adds a new key of every purpose, which is the current one from then on.
pub async fn rotate(
    store: &dyn Store,
    root: &Key,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(), KeyringError> {
    let sealed = store.list_keys().await?;
    unseal_all(&sealed, root)?;
    for purpose in PURPOSES {
        let number = next_number(&sealed, purpose)?;
        let _: Insertion = store.insert_key(seal_new(root, purpose, number, entropy, now)).await?;
    }
    Ok(())
}

/// Gives up every key of a store whose root key is lost, and makes new ones under a new root key.
pub async fn replace_lost(
    store: &dyn Store,
    new_root: &Key,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(), KeyringError> {
    let sealed = store.list_keys().await?;
    let replacements = PURPOSES.map(|purpose| {
        let number = next_number(&sealed, purpose)?;
        Ok::<_, KeyringError>(seal_new(new_root, purpose, number, entropy, now))
    });
    let replacements = replacements.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(store.replace_lost_keys(replacements).await?)
}

const PURPOSES: [KeyPurpose; 3] = [KeyPurpose::Token, KeyPurpose::Cursor, KeyPurpose::Page];

fn next_number(sealed: &[SealedKey], purpose: KeyPurpose) -> Result<u8, KeyringError> {
    let numbers = sealed.iter().filter(|key| key.purpose == purpose).map(|key| key.number);
    numbers.max().unwrap_or(0).checked_add(1).ok_or(KeyringError::NumbersSpent(purpose))
}

fn seal_new(
    root: &Key,
    purpose: KeyPurpose,
    number: u8,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> SealedKey {
    let key = Key::draw(entropy);
    let mut nonce = [0; NONCE_LENGTH];
    entropy.fill(&mut nonce);
    let aad = associated_data(purpose, number);
    let payload = Payload { msg: key.expose(), aad: &aad };
    let encrypted = ChaCha20Poly1305::new(root.expose().into()).encrypt(&nonce.into(), payload);
    let sealed = encrypted.ok().map(|encrypted| [&nonce[..], &encrypted].concat());
    SealedKey { purpose, number, sealed, created_at: now }
}

fn unseal(sealed: &[u8], purpose: KeyPurpose, number: u8, root: &Key) -> Option<Key> {
    let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let aad = associated_data(purpose, number);
    let payload = Payload { msg: encrypted, aad: &aad };
    let key = ChaCha20Poly1305::new(root.expose().into()).decrypt(nonce.into(), payload).ok()?;
    Some(Key::new(key.try_into().ok()?))
}

/// A sealed key opens as what it was sealed as, and as nothing else.
fn associated_data(purpose: KeyPurpose, number: u8) -> [u8; 2] {
    let purpose = match purpose {
        KeyPurpose::Token => b't',
        KeyPurpose::Cursor => b'c',
        KeyPurpose::Page => b'p',
    };
    [purpose, number]
}

fn unseal_all(sealed: &[SealedKey], root: &Key) -> Result<Keys, KeyringError> {
    let open = |purpose| -> Result<Vec<(u8, Option<Key>)>, KeyringError> {
        let mut keys = Vec::new();
        for key in sealed.iter().filter(|key| key.purpose == purpose) {
            let opened = match &key.sealed {
                None => None,
                Some(sealed) => {
                    let opened = unseal(sealed, purpose, key.number, root);
                    Some(opened.ok_or(KeyringError::OtherRootKey)?)
                }
            };
            keys.push((key.number, opened));
        }
        keys.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(keys)
    };
    let token = open(KeyPurpose::Token)?;
    let held = |keys: Vec<(u8, Option<Key>)>| keys.into_iter().filter_map(|(_, key)| key).collect();
    let (cursor, page) = (held(open(KeyPurpose::Cursor)?), held(open(KeyPurpose::Page)?));
    let current = token.iter().find_map(|(number, key)| Some((*number, key.clone()?)));
    let current = current.ok_or(KeyringError::OtherRootKey)?;
    Ok(Keys { token: TokenKeys::new(current, token), cursor, page })
}
