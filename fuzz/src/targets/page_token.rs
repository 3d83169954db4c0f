//! `extract::page_token`: a token holds where it was made for and until it is over, and no other
//! text holds at all.

use tokenry_core::{credentials::Key, sign_in_session::SignInSession};
use tokenry_protocol::{
    ids::{SignInSessionId, UserId},
    secret::SecretHash,
    time::Timestamp,
};
use tokenry_server::extract::page_token::{Binding, BrowserId, LIFETIME, holds, mint};

/// The first two bytes change one byte of a token of ours; the rest is a token of another's making,
/// and what the consent form is about.
pub(super) fn run(data: &[u8]) {
    let Some(([at, change], rest)) = data.split_first_chunk::<2>() else { return };
    let Some(text) = super::text(rest) else { return };
    if let Some(browser) = BrowserId::parse(text) {
        assert_eq!(browser.to_string(), text, "one browser, one spelling");
    }
    let keys = [Key::new([1; 32]), Key::new([2; 32])];
    let now = Timestamp::from_seconds(1_700_000_000);
    let session = session();
    let bindings = [
        Binding::Session(&session),
        Binding::Consent(&session, text),
        Binding::Notice(&session, text),
        Binding::SignIn(BrowserId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap()),
    ];
    let minted = usize::from(*at) % bindings.len();
    let token = mint(&keys[usize::from(change & 1)..], bindings[minted], now);
    for (index, binding) in bindings.into_iter().enumerate() {
        // The fuzzer sees what is compared, and presents our own tokens as well.
        let is_ours = (0..keys.len()).any(|key| mint(&keys[key..], binding, now) == text);
        assert_eq!(holds(&keys, binding, text, now), is_ours);
        assert_eq!(holds(&keys, binding, &token, now), index == minted);
        assert!(!holds(&keys, binding, &token, now.plus(LIFETIME)));
    }
    assert!(!holds(&keys, Binding::Consent(&session, &format!("{text}x")), &token, now));

    let mut changed = token.clone().into_bytes();
    let at = usize::from(*at) % changed.len();
    changed[at] ^= change;
    if let Ok(changed) = String::from_utf8(changed) {
        assert_eq!(holds(&keys, bindings[minted], &changed, now), changed == token, "{changed}");
    }
}

fn session() -> SignInSession {
    SignInSession {
        id: SignInSessionId::new(1).unwrap(),
        hash: SecretHash::from_bytes([1; 32]),
        user_id: UserId::new(1).unwrap(),
        password_epoch: 0,
        created_at: Timestamp::from_millis(0),
        expires_at: Timestamp::from_millis(0),
    }
}
