//! Access tokens as a JWT around the credential (RFC 7519, RFC 9068).

use proptest::prelude::*;
use tokenry_core::{
    issue::IssuedTokens,
    jwt_access_token::{Unopened, named, open, write},
    rejection::Rejection,
};
use tokenry_protocol::{
    oauth::{jwt_access_token::JwtAccessTokenClaims, token::Wishes},
    secret::{
        Credential, Kind,
        jwt::{self, UncheckedJwt},
    },
    time::Seconds,
};

use crate::support::{Grant, KeyFate, Redeeming, World, same_text, scope, seconds, want_scope};

const ISSUER: &str = "https://auth.test";

fn written(world: &World, tokens: &IssuedTokens) -> String {
    write(tokens, &world.client, ISSUER, &world.keys).unwrap().reveal().to_owned()
}

/// What a redeemed code is answered with, and the same as a JWT.
fn redeemed(scope: &str) -> (Redeeming, IssuedTokens, String) {
    let mut redeeming = Redeeming::of(World::confidential(), scope);
    let tokens = redeeming.spend();
    let text = written(&redeeming.world, &tokens);
    (redeeming, tokens, text)
}

/// What whoever holds the token can read, without the key: its header and its claims.
fn shown(text: &str) -> [String; 2] {
    let mut parts = text.split('.');
    [parts.next(), parts.next()].map(|part| base64url(part.unwrap()))
}

/// What `tokens` should say of themselves.
fn claims(world: &World, tokens: &IssuedTokens) -> JwtAccessTokenClaims {
    let issued_at = world.now.as_seconds();
    let lifetime = tokens.access_token_lifetime.map(|lifetime| i64::from(lifetime.0));
    JwtAccessTokenClaims {
        credential: (&tokens.access_token).into(),
        iss: ISSUER.to_owned(),
        sub: "29".to_owned(),
        aud: ISSUER.to_owned(),
        client_id: world.client.identifier.to_string(),
        scope: tokens.scope.to_string(),
        iat: issued_at,
        exp: lifetime.map(|lifetime| issued_at + lifetime),
        jti: tokens.access_token.parts().id.to_string(),
    }
}

/// A second decoder, bit by bit.
fn base64url(text: &str) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes() {
        let worth = digits.iter().position(|digit| *digit == byte).unwrap();
        bits = bits << 6 | u32::try_from(worth).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_claims_are_those_of_the_record() {
    let (_, tokens, text) = redeemed("read tickets:write");
    let [header, said] = shown(&text);
    assert_eq!(header, r#"{"typ":"at+jwt","alg":"HS256"}"#);
    let expected = format!(
        r#"{{"credential":"{}","iss":"{ISSUER}","sub":"29","aud":"{ISSUER}","#,
        tokens.access_token.reveal(),
    ) + r#""client_id":"acme_reports","scope":"read tickets:write","iat":1772712000,"#
        + r#""exp":1772713800,"jti":"2001"}"#;
    assert_eq!(said, expected);
}

#[test]
fn one_that_does_not_expire_says_no_expiry() {
    let mut redeeming = Redeeming::of(World::confidential(), "read");
    redeeming.world.policy.access_token_lifetime = None;
    let tokens = redeeming.spend();
    let [_, said] = shown(&written(&redeeming.world, &tokens));
    assert!(said.ends_with(r#""scope":"read","iat":1772712000,"jti":"2001"}"#), "{said}");
}

/// The signature was computed apart from this code (HMAC-SHA-256 under a key that is HMAC-SHA-256
/// of a label under the key of 32 ones): were it another tomorrow, tokens would die with an
/// upgrade.
#[test]
fn a_token_that_was_written_once_is_opened_for_ever() {
    let keys = World::confidential().keys;
    let opened = open(WRITTEN_ONCE, &keys).unwrap();
    let expected = "a0000000WH_tokenry_0000lM0IPpRkleH34nXJhs4T6FXfksvGMCr2mV90ndhC0";
    assert_eq!(opened.reveal(), expected);
}

const WRITTEN_ONCE: &str = "\
    eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJjcmVkZW50aWFsIjoiYTAwMDAwMDBXSF90b2tlbnJ5XzA\
    wMDBsTTBJUHBSa2xlSDM0blhKaHM0VDZGWGZrc3ZHTUNyMm1WOTBuZGhDMCIsImlzcyI6Imh0dHBzOi8vYXV0aC5\
    0ZXN0Iiwic3ViIjoiMjkiLCJhdWQiOiJodHRwczovL2F1dGgudGVzdCIsImNsaWVudF9pZCI6ImFjbWVfcmVwb3J\
    0cyIsInNjb3BlIjoicmVhZCIsImlhdCI6MTc3MjcxMjAwMCwiZXhwIjoxNzcyNzEzODAwLCJqdGkiOiIyMDAxIn0\
    .WzDhEA34U9aox5IprVk4PTQv4yJFqK5HC4Ai0egzezY";

#[test]
fn an_answer_that_is_given_again_is_the_same_byte_for_byte() {
    let mut grant = Grant::new();
    let before = grant.pair.clone();
    let first = grant.send(&before.refresh, &want_scope("read"));
    let text = written(&grant.world, &first);
    let [_, said_at_first] = shown(&text);
    grant.wait(seconds(10));
    let again = grant.send(&before.refresh, &Wishes::NONE);
    assert_eq!(written(&grant.world, &again), text);

    // Past half the window its lifetimes begin anew, and it says so.
    grant.wait(seconds(10));
    let renewed = grant.send(&before.refresh, &Wishes::NONE);
    assert!(same_text(&renewed.access_token, &first.access_token));
    let [_, said] = shown(&written(&grant.world, &renewed));
    let expected = said_at_first.replace("1772712000", "1772712020");
    assert_eq!(said, expected.replace("1772713800", "1772713820"));
}

/// Retired keys know what they signed; without its key a JWT proves nothing.
#[test]
fn a_jwt_holds_as_long_as_the_key_of_its_credential_is_there() {
    let (mut redeeming, tokens, text) = redeemed("read");
    redeeming.world.replace_key(KeyFate::Retired);
    assert!(open(&text, &redeeming.world.keys).is_ok());
    assert_eq!(written(&redeeming.world, &tokens), text);
    redeeming.world.replace_key(KeyFate::Lost);
    assert_eq!(open(&text, &redeeming.world.keys).unwrap_err(), Unopened::SignatureWrong);
    let keys = &redeeming.world.keys;
    assert!(write(&tokens, &redeeming.world.client, ISSUER, keys).is_none());
}

#[test]
fn it_is_read_wherever_an_access_token_is_and_nowhere_else() {
    let (redeeming, tokens, text) = redeemed("read");
    let keys = &redeeming.world.keys;
    let read = keys.read(&text, &[Kind::AccessToken, Kind::RefreshToken]).unwrap();
    assert!(same_text(&read, &tokens.access_token));
    let other = keys.read(&text, &[Kind::RefreshToken]).unwrap_err();
    assert_eq!(other, Rejection::CredentialUnknown);
    let changed = text.replacen(jwt::HEADER, "e30", 1);
    let kinds = [Kind::AccessToken];
    assert_eq!(keys.read(&changed, &kinds).unwrap_err(), Rejection::CredentialUnknown);
    let resigned = signed_by_another(&text);
    assert_eq!(keys.read(&resigned, &kinds).unwrap_err(), Rejection::CredentialForged);
}

/// Whoever tells about a refused token may say which one was meant.
#[test]
fn what_it_names_is_known_without_a_key() {
    let (_, tokens, text) = redeemed("read");
    for named in
        [named(&text), named(&signed_by_another(&text)), named(tokens.access_token.reveal())]
    {
        assert!(same_text(&named.unwrap(), &tokens.access_token));
    }
    assert!(named("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.").is_none());
}

fn signed_by_another(text: &str) -> String {
    let (to_be_signed, _) = text.rsplit_once('.').unwrap();
    jwt::signed(to_be_signed, &[7; 32]).reveal().to_owned()
}

struct Drawn {
    world: World,
    tokens: IssuedTokens,
}

impl std::fmt::Debug for Drawn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.tokens.fmt(formatter)
    }
}

fn any_tokens() -> impl Strategy<Value = Drawn> {
    let scopes = prop::sample::select(vec!["read", "read write", "tickets:read users", "write"]);
    (scopes, any::<bool>(), 0..10_000_000_u64).prop_map(|(approved, expires, wait)| {
        let mut world = World::confidential();
        world.policy.access_token_lifetime = expires.then_some(Seconds(1_800));
        world.wait(seconds(wait));
        let mut redeeming = Redeeming::of(world, approved);
        assert_eq!(redeeming.token.granted, scope(approved));
        let tokens = redeeming.spend();
        Drawn { world: redeeming.world, tokens }
    })
}

proptest! {
    #[test]
    fn what_was_written_opens_as_its_credential(Drawn { world, tokens } in any_tokens()) {
        let text = written(&world, &tokens);
        let opened = open(&text, &world.keys).unwrap();
        prop_assert!(same_text(&opened, &tokens.access_token));
        prop_assert_eq!(&text, &written(&world, &tokens));
        let to_be_signed = jwt::to_be_signed(&claims(&world, &tokens)).unwrap();
        prop_assert_eq!(UncheckedJwt::parse(&text).unwrap().signed(), to_be_signed);
    }

    #[test]
    fn every_change_of_one_character_is_refused(
        Drawn { world, tokens } in any_tokens(),
        at in any::<prop::sample::Index>(),
        other in any::<char>(),
    ) {
        let mut text: Vec<char> = written(&world, &tokens).chars().collect();
        let at = at.index(text.len());
        prop_assume!(text[at] != other);
        text[at] = other;
        let text: String = text.into_iter().collect();
        prop_assert!(open(&text, &world.keys).is_err());
    }

    /// Other claims under the old signature, whatever they are.
    #[test]
    fn other_claims_are_refused(
        Drawn { world, tokens } in any_tokens(),
        sub in "[0-9]{1,9}",
        scope in "[a-z:]{0,20}",
        exp in any::<Option<i64>>(),
    ) {
        let text = written(&world, &tokens);
        let read = UncheckedJwt::parse(&text).unwrap();
        let claims = JwtAccessTokenClaims { sub, scope, exp, ..claims(&world, &tokens) };
        let to_be_signed = jwt::to_be_signed(&claims).unwrap();
        prop_assume!(to_be_signed != read.signed());
        let forged = jwt::signed(&to_be_signed, read.signature());
        prop_assert_eq!(open(forged.reveal(), &world.keys).unwrap_err(), Unopened::SignatureWrong);
    }

    /// A credential of ours that is known does not help to sign.
    #[test]
    fn no_text_makes_it_panic_and_none_is_taken(
        text in "\\PC{0,200}",
        rest in "[A-Za-z0-9._-]{0,200}",
    ) {
        let world = World::confidential();
        prop_assert!(open(&text, &world.keys).is_err());
        let behind = format!("{}.{rest}", jwt::HEADER);
        prop_assert!(open(&behind, &world.keys).is_err());
        let minted: Credential = world.keys.mint(Kind::AccessToken, 7, 1, [7; 16]);
        let around = format!("{}.{}.{rest}", jwt::HEADER, minted.reveal());
        prop_assert!(open(&around, &world.keys).is_err());
    }
}
