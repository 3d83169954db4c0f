//! Access tokens as a JWT around the credential (RFC 7519, RFC 9068).
//!
//! The credential stays what is checked: a JWT that was signed by us names it, and then it goes the
//! way of every other, so that what was revoked is dead at once. The signature keeps the claims
//! true: who changes one has no token of ours.
//!
//! What is written is a function of the record, its client and the credential, so an answer that is
//! given again is the same byte for byte, as long as its lifetimes are.

use subtle::ConstantTimeEq;
use tokenry_protocol::{
    api::secret_text::SecretText,
    oauth::jwt_access_token::JwtAccessTokenClaims,
    secret::{
        Credential, Malformed,
        jwt::{self, UncheckedJwt},
    },
    time::Timestamp,
};

use crate::{
    client::Client,
    credentials::{Key, TokenKeys},
    issue::IssuedTokens,
};

/// Why a text is not taken for a JWT of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// It has another form.
    Malformed,
    /// It was changed, or signed with a key that is not there.
    SignatureWrong,
}

impl From<Malformed> for Unopened {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The access token of `tokens` as a JWT. `None` when the key of its credential was lost.
pub fn write(
    tokens: &IssuedTokens,
    client: &Client,
    issuer: &str,
    keys: &TokenKeys,
) -> Option<SecretText> {
    let credential = &tokens.access_token;
    let claims = JwtAccessTokenClaims {
        credential: credential.into(),
        iss: issuer.to_owned(),
        sub: tokens.user_id.to_string(),
        aud: issuer.to_owned(),
        client_id: client.identifier.to_string(),
        scope: tokens.scope.to_string(),
        iat: tokens.access.issued_at.as_seconds(),
        exp: tokens.access.expires_at().map(Timestamp::as_seconds),
        jti: credential.parts().id.to_string(),
    };
    let to_be_signed = jwt::to_be_signed(&claims)?;
    let signature = signing_key(keys, credential)?.mac(&[to_be_signed.as_bytes()]);
    Some(jwt::signed(&to_be_signed, &signature))
}

/// Takes the credential out of a JWT that we signed. Whether it works is another question; so is
/// who issued it: a server whose address has changed still knows what it signed before.
pub fn open(text: &str, keys: &TokenKeys) -> Result<Credential, Unopened> {
    let unchecked = UncheckedJwt::parse(text)?;
    let key = signing_key(keys, unchecked.credential()).ok_or(Unopened::SignatureWrong)?;
    let signature = key.mac(&[unchecked.signed().as_bytes()]);
    if bool::from(signature.ct_eq(unchecked.signature())) {
        Ok(unchecked.into_credential())
    } else {
        Err(Unopened::SignatureWrong)
    }
}

/// The credential that text speaks of, be it the credential itself or a JWT around it: for whoever
/// tells about it, since nothing is checked.
pub fn named(text: &str) -> Option<Credential> {
    let is_itself = Credential::parse(text).ok();
    is_itself.or_else(|| UncheckedJwt::parse(text).ok().map(UncheckedJwt::into_credential))
}

/// Of the key that minted the credential, so that retired keys go on knowing what they signed.
fn signing_key(keys: &TokenKeys, credential: &Credential) -> Option<Key> {
    keys.derive_key(credential.parts().key_number, b"tokenry jwt access token")
}
