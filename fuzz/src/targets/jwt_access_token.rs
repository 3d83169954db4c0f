//! `secret::jwt` and `core::jwt_access_token`: opened exactly when it is what we write, signed by
//! our key.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_core::{
    TokenKeys,
    credentials::Key,
    jwt_access_token::{named, open},
};
use tokenry_protocol::{
    oauth::jwt_access_token::JwtAccessTokenClaims,
    secret::{
        Credential, Kind,
        examination::Examination,
        jwt::{self, UncheckedJwt},
        redacted,
    },
};

const KEY: [u8; 32] = [7; 32];
const PURPOSE: &[u8] = b"tokenry jwt access token";

static KEYS: LazyLock<TokenKeys> = LazyLock::new(|| TokenKeys::new((1, Key::new(KEY)), []));
static CREDENTIAL: LazyLock<Credential> =
    LazyLock::new(|| KEYS.mint(Kind::AccessToken, 7, 1, [7; 16]));

pub(super) fn run(data: &[u8]) {
    change(data);
    let Some(text) = super::text(data) else { return };
    read(text);
    // What is behind a right header is not come upon by chance.
    read(&format!("{}.{text}", jwt::HEADER));
    let claims = URL_SAFE_NO_PAD.encode(text);
    read(&signed(&format!("{}.{claims}", jwt::HEADER)));
    write(text);
}

/// A text is of our form exactly if it is signed by us when it is signed anew and opens then.
fn read(text: &str) {
    let unchecked = UncheckedJwt::parse(text);
    let is_jwt = matches!(Examination::of(text), Examination::JwtAccessToken { .. });
    assert_eq!(is_jwt, unchecked.is_ok(), "{text:?}");
    let opened = open(text, &KEYS);
    let Ok(unchecked) = unchecked else {
        assert!(opened.is_err(), "{text:?}");
        return;
    };
    let inside = unchecked.credential().reveal().to_owned();
    assert_eq!(named(text).map(|one| one.reveal().to_owned()).as_deref(), Some(&*inside));
    assert!(!redacted(text).contains(unchecked.signed()), "{text:?}");
    let is_ours = unchecked.credential().parts().key_number == 1;
    let resigned = signed(unchecked.signed());
    assert_eq!(opened.is_ok(), is_ours && text == resigned, "{text:?}");
    assert_eq!(open(&resigned, &KEYS).is_ok(), is_ours, "{text:?}");
}

/// A second signer.
fn signed(to_be_signed: &str) -> String {
    let key = Key::new(Key::new(KEY).mac(&[PURPOSE]));
    let signature = URL_SAFE_NO_PAD.encode(key.mac(&[to_be_signed.as_bytes()]));
    format!("{to_be_signed}.{signature}")
}

/// Whatever stands in the claims, they are read back as they were written.
fn write(text: &str) {
    let claims = claims(text);
    let to_be_signed = jwt::to_be_signed(&claims).unwrap();
    let whole = signed(&to_be_signed);
    assert_eq!(open(&whole, &KEYS).unwrap().reveal(), CREDENTIAL.reveal());
    let payload = whole.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let read: JwtAccessTokenClaims = serde_json::from_slice(&payload).unwrap();
    assert_eq!(read, claims);
}

fn claims(text: &str) -> JwtAccessTokenClaims {
    JwtAccessTokenClaims {
        credential: (&*CREDENTIAL).into(),
        iss: text.to_owned(),
        sub: "29".to_owned(),
        aud: text.to_owned(),
        client_id: text.to_owned(),
        scope: text.to_owned(),
        iat: 1_772_712_000,
        exp: (!text.is_empty()).then_some(1_772_713_800),
        jti: "7".to_owned(),
    }
}

/// One of ours with some of its bytes replaced: the first says where, the second by what.
fn change(data: &[u8]) {
    let whole = signed(&jwt::to_be_signed(&claims("read")).unwrap());
    let mut bytes = whole.clone().into_bytes();
    for pair in data.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % bytes.len();
        bytes[at] = pair[2];
    }
    if let Ok(text) = String::from_utf8(bytes) {
        assert_eq!(open(&text, &KEYS).is_ok(), text == whole, "{text:?}");
    }
}
