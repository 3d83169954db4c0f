//! Short words: ids, times, client identifiers, challenges and addresses of users.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use tokenry_core::user::fold_email;
use tokenry_protocol::{
    ids::{ClientIdentifier, ID_MAX, TokenId},
    pkce::CodeChallenge,
    time::Timestamp,
};
use tokenry_server::accounts::check_email;

pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    check_id(text);
    check_time(text);
    check_challenge(text);
    check_address(text);
    if let Ok(identifier) = ClientIdentifier::parse(text) {
        assert_eq!(identifier.as_str(), text);
        assert!(ClientIdentifier::parse(&identifier.folded()).is_ok());
        assert!(identifier.folded().eq_ignore_ascii_case(text));
    }
}

/// One id, one spelling.
fn check_id(text: &str) {
    let number = text.parse::<u64>().ok().filter(|number| (1..=ID_MAX).contains(number));
    let expected = number.filter(|number| number.to_string() == text);
    assert_eq!(TokenId::parse(text).ok().map(TokenId::get), expected);
}

fn check_time(text: &str) {
    let Some(time) = Timestamp::parse(text) else { return };
    let printed = time.to_string();
    // RFC 3339 §1 speaks of the years 0000 to 9999.
    if (-62_167_219_200..=253_402_207_200).contains(&time.as_seconds()) {
        let again = Timestamp::parse(&printed).unwrap();
        assert_eq!(again.as_seconds(), time.as_seconds());
        assert_eq!(again.to_string(), printed);
    }
}

/// RFC 7636 §4.2: the base64url form of 32 bytes, in its one spelling.
fn check_challenge(text: &str) {
    let bytes = URL_SAFE.decode(format!("{text}="));
    let expected = bytes.is_ok_and(|bytes| bytes.len() == 32) && text.len() == 43;
    assert_eq!(CodeChallenge::parse(text).is_ok(), expected);
}

/// Every spelling of an address is one account, and Basic authentication can name it.
fn check_address(text: &str) {
    let folded = fold_email(text);
    assert_eq!(fold_email(&folded), folded);
    assert_eq!(fold_email(&format!(" {text}\t")), folded);
    let Ok(email) = check_email(text) else { return };
    assert_eq!(fold_email(&email), folded);
    assert_eq!(check_email(&email).ok().as_deref(), Some(&*email));
    let (name, host) = email.split_once('@').unwrap();
    assert!(!name.is_empty() && !host.is_empty() && !host.contains('@'));
    assert!(!email.contains([':', '/']) && !email.contains(char::is_whitespace));
    assert!(email.chars().count() <= 255 && !email.contains(char::is_control));
}
