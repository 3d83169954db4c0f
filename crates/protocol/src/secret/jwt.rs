//! The form of access tokens that are a JWT (RFC 7519) around a credential: JWS compact (RFC 7515
//! §7.1), with one header for all of them.
//!
//! ```text
//! eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJjcmVkZW50aWFsIjoi….43 characters of base64url
//! └──────── {"typ":"at+jwt","alg":"HS256"}  └ {"credential":"…     └ HMAC-SHA-256
//! ```
//!
//! Any other header is none of ours, so there is no algorithm to choose and none to be talked into
//! (RFC 8725 §3.1). Whoever reads one learns which credential it speaks of, and nothing is proved
//! until the signature is checked, by who has the key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Credential, Kind, Malformed};
use crate::{api::secret_text::SecretText, oauth::jwt_access_token::JwtAccessTokenClaims};

/// `{"typ":"at+jwt","alg":"HS256"}` in base64url (RFC 9068 §2.1).
pub const HEADER: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9";
/// Bytes of an HMAC-SHA-256.
pub const SIGNATURE_LENGTH: usize = 32;

/// A JWT of our form, whose signature nobody has checked.
#[derive(Debug)]
pub struct UncheckedJwt<'a> {
    signed: &'a str,
    signature: [u8; SIGNATURE_LENGTH],
    credential: Credential,
}

impl<'a> UncheckedJwt<'a> {
    /// Reads exactly the form above. The claims other than the credential are not looked at: they
    /// are ours if the signature is.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed)?;
        let claims = signed.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.'));
        let claims = decoded(claims.ok_or(Malformed)?)?;
        let signature = decoded(signature)?.try_into().map_err(|_| Malformed)?;
        let held: Held = serde_json::from_slice(&claims).map_err(|_| Malformed)?;
        let credential = Credential::parse(held.credential.reveal())?;
        if credential.parts().kind != Kind::AccessToken {
            return Err(Malformed);
        }
        Ok(Self { signed, signature, credential })
    }

    /// What the signature is over.
    pub const fn signed(&self) -> &'a str {
        self.signed
    }

    /// The signature.
    pub const fn signature(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.signature
    }

    /// The credential that it names.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Takes the credential out.
    pub fn into_credential(self) -> Credential {
        self.credential
    }
}

/// The one claim that is needed to check the others.
#[derive(Deserialize)]
struct Held {
    credential: SecretText,
}

/// Base64url without padding, of which each value has one spelling.
fn decoded(text: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)
}

/// Header and claims, to be signed. `None` if the claims cannot be written, which no caller
/// provokes.
pub fn to_be_signed(claims: &JwtAccessTokenClaims) -> Option<String> {
    let claims = serde_json::to_vec(claims).ok()?;
    Some(format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims)))
}

/// The whole token.
pub fn signed(to_be_signed: &str, signature: &[u8; SIGNATURE_LENGTH]) -> SecretText {
    SecretText::new(format!("{to_be_signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Parts;

    fn credential(kind: Kind) -> Credential {
        let parts = Parts { kind, id: 7, rotation: 1, key_number: 1, secret: [7; 16], tag: [9; 9] };
        Credential::assemble(parts)
    }

    fn around(claims: &str) -> String {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        format!("{HEADER}.{claims}.{}", URL_SAFE_NO_PAD.encode([1; SIGNATURE_LENGTH]))
    }

    fn claims() -> JwtAccessTokenClaims {
        JwtAccessTokenClaims {
            credential: (&credential(Kind::AccessToken)).into(),
            iss: "https://auth.test".to_owned(),
            sub: "29".to_owned(),
            aud: "https://auth.test".to_owned(),
            client_id: "acme".to_owned(),
            scope: "read".to_owned(),
            iat: 1_772_712_000,
            exp: None,
            jti: "7".to_owned(),
        }
    }

    #[test]
    fn the_header_names_type_and_algorithm() {
        let header = URL_SAFE_NO_PAD.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"typ":"at+jwt","alg":"HS256"}"#);
    }

    #[test]
    fn what_is_written_is_read_and_begins_as_every_other() {
        let to_be_signed = to_be_signed(&claims()).unwrap();
        let text = signed(&to_be_signed, &[5; SIGNATURE_LENGTH]);
        let beginning = format!("{HEADER}.eyJjcmVkZW50aWFsIjoi");
        assert!(text.reveal().starts_with(&beginning), "scanners know it by its beginning");
        let read = UncheckedJwt::parse(text.reveal()).unwrap();
        assert_eq!(read.signed(), to_be_signed);
        assert_eq!(read.signature(), &[5; SIGNATURE_LENGTH]);
        assert_eq!(read.credential().reveal(), credential(Kind::AccessToken).reveal());
    }

    #[test]
    fn another_form_is_refused() {
        let ours = credential(Kind::AccessToken);
        let whole = around(&format!(r#"{{"credential":"{}"}}"#, ours.reveal()));
        assert!(UncheckedJwt::parse(&whole).is_ok());
        let unsigned = whole.rsplit_once('.').unwrap().0;
        let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#);
        for other in [
            String::new(),
            ours.reveal().to_owned(),
            unsigned.to_owned(),
            format!("{unsigned}."),
            format!("{whole}="),
            format!("{whole}A"),
            format!(" {whole}"),
            format!("{whole}."),
            format!("{whole}.{HEADER}"),
            whole.replacen(HEADER, &none, 1),
            whole.replacen(HEADER, "", 1),
            around("{}"),
            around(""),
            around(r#"{"credential":7}"#),
            around(r#"{"credential":"eyJ"}"#),
            around(&format!(r#"["{}"]"#, "x".repeat(200))),
            around(&format!(r#"{{"credential":"{0}","credential":"{0}"}}"#, ours.reveal())),
            around(&format!(r#"{{"credential":"{}"}}"#, credential(Kind::RefreshToken).reveal())),
            around(&"[".repeat(9_000)),
        ] {
            assert!(UncheckedJwt::parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn no_secret_is_written_for_debugging() {
        let text = signed(&to_be_signed(&claims()).unwrap(), &[5; SIGNATURE_LENGTH]);
        assert_eq!(format!("{text:?}"), "…");
        let shown = format!("{:?}", claims());
        assert!(shown.contains("a000000007…") && !shown.contains("_tokenry_"), "{shown}");
    }
}
