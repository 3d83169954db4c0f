//! Browsers that signed in to an account before: they keep a way in of their own while somebody
//! else spends the account's failed attempts.
//!
//! A cookie names up to [`ACCOUNTS_MAX`] accounts, each with a number of this browser and an HMAC
//! under the page key. An entry ends with the password it was earned with, so that somebody who
//! once knew the password has no head start at the next one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;
use tokenry_core::{credentials::Key, user::User};
use tokenry_protocol::time::Seconds;

use crate::{
    extract::cookies::{self, CookieName, Kept},
    state::AppState,
};

/// The accounts that one browser is remembered for.
const ACCOUNTS_MAX: usize = 5;
/// A year.
const REMEMBERED: Seconds = Seconds(31_536_000);

/// What the cookie says about one account.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    user_id: [u8; 8],
    browser: [u8; 16],
    mac: [u8; 32],
}

/// The name under which a known browser's failed attempts are counted; `None` for a browser that
/// has not proved this user's password before.
pub fn recognise(headers: &HeaderMap, user: &User, state: &AppState) -> Option<String> {
    let entry = own(&read(headers, state), user, state)?;
    let browser = URL_SAFE_NO_PAD.encode(entry.browser);
    Some(format!("{} {browser}", user.id))
}

/// The cookie after this user signed in.
pub fn remember(headers: &HeaderMap, user: &User, state: &AppState) -> HeaderValue {
    let known = read(headers, state);
    let browser = own(&known, user, state)
        .map_or_else(|| state.environment.entropy.secret(), |entry| entry.browser);
    let user_id = user.id.get().to_be_bytes();
    let keys = state.keys();
    let mac = keys.page.first().map(|key| mac(key, user, browser));
    let newest = Entry { user_id, browser, mac: mac.unwrap_or_default() };
    let others = known.into_iter().filter(|entry| entry.user_id != user_id);
    let entries: Vec<String> =
        std::iter::once(newest).chain(others).take(ACCOUNTS_MAX).map(Entry::write).collect();
    cookies::set(CookieName::KnownBrowser, &entries.join("."), Kept::For(REMEMBERED), &state.base())
}

fn read(headers: &HeaderMap, state: &AppState) -> Vec<Entry> {
    let cookie = cookies::find(headers, CookieName::KnownBrowser, &state.base());
    let entries = cookie.unwrap_or_default().split('.').take(ACCOUNTS_MAX);
    entries.filter_map(Entry::read).collect()
}

fn own(known: &[Entry], user: &User, state: &AppState) -> Option<Entry> {
    let keys = state.keys();
    let user_id = user.id.get().to_be_bytes();
    let mut named = known.iter().filter(|entry| entry.user_id == user_id);
    let holds = |entry: &&Entry| {
        let mut macs = keys.page.iter().map(|key| mac(key, user, entry.browser));
        macs.any(|mac| mac.ct_eq(&entry.mac).into())
    };
    named.find(holds).copied()
}

fn mac(key: &Key, user: &User, browser: [u8; 16]) -> [u8; 32] {
    key.mac(&[
        b"tokenry known browser",
        &user.id.get().to_be_bytes(),
        &user.password_epoch.to_be_bytes(),
        &browser,
    ])
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (user_id, rest) = bytes.split_first_chunk()?;
        let (browser, mac) = rest.split_first_chunk()?;
        Some(Self { user_id: *user_id, browser: *browser, mac: mac.try_into().ok()? })
    }

    fn write(self) -> String {
        let Self { user_id, browser, mac } = self;
        URL_SAFE_NO_PAD.encode([&user_id[..], &browser, &mac].concat())
    }
}
