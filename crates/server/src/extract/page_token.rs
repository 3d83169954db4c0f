//! Page tokens: proof that a form was sent from a page that we gave to this very browser.
//!
//! A token is an HMAC under the page key over what it is for, when it is over, and whom and what it
//! is bound to. It does not rest on `Origin`, which `Referrer-Policy: no-referrer` makes `null`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use tokenry_core::{Entropy, credentials::Key, sign_in_session::SignInSession};
use tokenry_protocol::time::{Seconds, Timestamp};

/// How long a form may stay open.
pub const LIFETIME: Seconds = Seconds(3_600);

const EXPIRY_LENGTH: usize = 8;
const BROWSER_LENGTH: usize = 16;

/// Whom and what a page token is bound to.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// The sign-in form of a browser at which nobody is signed in yet.
    SignIn(BrowserId),
    /// Any form of a session that needs no closer binding.
    Session(&'a SignInSession),
    /// The consent form of a session, for this authorization request alone.
    Consent(&'a SignInSession, &'a str),
    /// What the next page of a session says about the last click.
    Notice(&'a SignInSession, &'a str),
}

/// Tells browsers apart in which nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserId([u8; BROWSER_LENGTH]);

impl BrowserId {
    /// A new one.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        Self(entropy.secret())
    }

    /// Reads the cookie's value.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl std::fmt::Display for BrowserId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// Makes a token under the current key, the first of `keys`.
pub fn mint(keys: &[Key], binding: Binding<'_>, now: Timestamp) -> String {
    let expiry = now.plus(LIFETIME).as_seconds().to_be_bytes();
    let mac = keys.first().map(|key| mac(key, binding, expiry));
    let token = [&expiry[..], &mac.unwrap_or_default()].concat();
    URL_SAFE_NO_PAD.encode(token)
}

/// Whether `presented` is a token of this binding that is not over, in constant time.
pub fn holds(keys: &[Key], binding: Binding<'_>, presented: &str, now: Timestamp) -> bool {
    let Ok(token) = URL_SAFE_NO_PAD.decode(presented) else {
        return false;
    };
    let Some((expiry, presented)) = token.split_first_chunk::<EXPIRY_LENGTH>() else {
        return false;
    };
    let is_ours = keys.iter().any(|key| mac(key, binding, *expiry).ct_eq(presented).into());
    is_ours && Timestamp::from_seconds(i64::from_be_bytes(*expiry)) > now
}

/// Every part but the last has a length that its purpose fixes, so no two bindings look alike.
fn mac(key: &Key, binding: Binding<'_>, expiry: [u8; EXPIRY_LENGTH]) -> [u8; 32] {
    let (purpose, session, subject) = match &binding {
        Binding::SignIn(browser) => {
            let label: &[u8] = b"tokenry page sign-in";
            return key.mac(&[label, &expiry, &browser.0]);
        }
        Binding::Session(session) => (&b"tokenry page session"[..], session, ""),
        Binding::Consent(session, request) => (&b"tokenry page consent"[..], session, *request),
        Binding::Notice(session, notice) => (&b"tokenry page notice"[..], session, *notice),
    };
    let id = session.id.get().to_be_bytes();
    let hash = session.hash.as_bytes();
    key.mac(&[purpose, &expiry, &id, hash, subject.as_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenry_protocol::{
        ids::{SignInSessionId, UserId},
        secret::SecretHash,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn session(id: u64) -> SignInSession {
        SignInSession {
            id: SignInSessionId::new(id).unwrap(),
            hash: SecretHash::from_bytes([7; 32]),
            user_id: UserId::new(1).unwrap(),
            password_epoch: 0,
            created_at: NOW,
            expires_at: NOW,
        }
    }

    fn keys(bytes: &[u8]) -> Vec<Key> {
        bytes.iter().map(|byte| Key::new([*byte; 32])).collect()
    }

    #[test]
    fn a_token_holds_for_its_binding_alone() {
        let (one, other) = (session(1), session(2));
        let browser = BrowserId([3; 16]);
        let bindings = [
            Binding::SignIn(browser),
            Binding::SignIn(BrowserId([4; 16])),
            Binding::Session(&one),
            Binding::Session(&other),
            Binding::Consent(&one, "a"),
            Binding::Consent(&one, "b"),
            Binding::Consent(&one, ""),
            Binding::Consent(&other, "a"),
            Binding::Notice(&one, "a"),
        ];
        let keys = keys(&[1]);
        for (at, minted) in bindings.into_iter().enumerate() {
            let token = mint(&keys, minted, NOW);
            for (asked_at, asked) in bindings.into_iter().enumerate() {
                assert_eq!(holds(&keys, asked, &token, NOW), at == asked_at, "{at} {asked_at}");
            }
        }
    }

    #[test]
    fn a_token_ends_with_its_hour_and_outlives_a_rotation_of_keys() {
        let session = session(1);
        let token = mint(&keys(&[1]), Binding::Session(&session), NOW);
        let holds = |keys: &[Key], now| holds(keys, Binding::Session(&session), &token, now);
        assert!(holds(&keys(&[1]), NOW.plus(Seconds(3_599))));
        assert!(!holds(&keys(&[1]), NOW.plus(LIFETIME)));
        assert!(holds(&keys(&[2, 1]), NOW));
        assert!(!holds(&keys(&[2]), NOW));
        assert!(!holds(&[], NOW));
    }

    #[test]
    fn without_a_key_nothing_holds() {
        let session = session(1);
        let token = mint(&[], Binding::Session(&session), NOW);
        assert!(!holds(&keys(&[1]), Binding::Session(&session), &token, NOW));
        assert!(!holds(&[], Binding::Session(&session), &token, NOW));
    }

    proptest! {
        #[test]
        fn no_other_text_holds(text in "[ -~]{0,80}") {
            let session = session(1);
            prop_assert!(!holds(&keys(&[1]), Binding::Session(&session), &text, NOW));
        }
    }
}
