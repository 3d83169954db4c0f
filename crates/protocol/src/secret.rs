//! Credentials that carry their own address.
//!
//! Every credential that Tokenry mints is 64 characters:
//!
//! ```text
//! a0000000G9_tokenry_0000…39 base62 digits…Zk3Wq1b
//! │└───┬───┘└───┬───┘└──────────┬──────────┘└─┬──┘
//! │    │        │               │             └ CRC-32 of the 58 before it, 6 base62 digits
//! │    │        │               └ 29 bytes: rotation (3), key number (1), secret (16), tag (9)
//! │    │        └ the literal that secret scanners look for
//! │    └ the record's id, 9 base62 digits
//! └ the kind
//! ```
//!
//! The first 10 characters are public. The checksum lets anybody refuse garbage offline and proves
//! nothing. The tag lets the server know its own mint without keeping a row. Acceptance rests on
//! neither: the stored [`SecretHash`] decides. The pattern is [`PATTERN`].

pub mod examination;
pub mod jwt;

use std::{
    borrow::Cow,
    fmt,
    sync::{LazyLock, OnceLock},
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::ID_MAX;

/// What secret scanners may look for.
pub const PATTERN: &str = "[abcdprs][0-9A-Za-z]{9}_tokenry_[0-9A-Za-z]{45}";
/// Characters in every credential.
pub const LENGTH: usize = 64;
/// Characters that are public: the kind and the id.
pub const PUBLIC_LENGTH: usize = 10;
/// The last rotation there is: three bytes of count.
pub const ROTATION_MAX: u32 = (1 << 24) - 1;

const MARK: &[u8; 9] = b"_tokenry_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM_AT: usize = LENGTH - 6;

/// What a credential is for; its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `a`
    AccessToken,
    /// `r`
    RefreshToken,
    /// `c`
    AuthorizationCode,
    /// `d`
    DeviceCode,
    /// `p`
    ApiToken,
    /// `s`
    ClientSecret,
    /// `b`: the cookie of a browser that is signed in.
    SignInSession,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::AuthorizationCode,
        Self::DeviceCode,
        Self::ApiToken,
        Self::ClientSecret,
        Self::SignInSession,
    ];

    /// The first character of the credential.
    pub const fn letter(self) -> u8 {
        match self {
            Self::AccessToken => b'a',
            Self::RefreshToken => b'r',
            Self::AuthorizationCode => b'c',
            Self::DeviceCode => b'd',
            Self::ApiToken => b'p',
            Self::ClientSecret => b's',
            Self::SignInSession => b'b',
        }
    }

    /// The word in tables and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::AuthorizationCode => "authorization_code",
            Self::DeviceCode => "device_code",
            Self::ApiToken => "api_token",
            Self::ClientSecret => "client_secret",
            Self::SignInSession => "sign_in_session",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
            Self::AuthorizationCode => "authorization code",
            Self::DeviceCode => "device code",
            Self::ApiToken => "API token",
            Self::ClientSecret => "client secret",
            Self::SignInSession => "sign-in session",
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }
}

/// What a credential says, before anybody has checked whether it is true.
#[derive(Clone, Copy, Zeroize)]
pub struct Parts {
    /// What it is for.
    #[zeroize(skip)]
    pub kind: Kind,
    /// The record that it names, 1 to 2^53 − 1.
    pub id: u64,
    /// How many times its record had been rotated when it was minted, up to [`ROTATION_MAX`].
    pub rotation: u32,
    /// The key that made its tag.
    pub key_number: u8,
    /// 128 bits, random or derived.
    pub secret: [u8; 16],
    /// Truncated HMAC over all of the above.
    pub tag: [u8; 9],
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} rotation {}", public_part(self.kind, self.id), self.rotation)
    }
}

/// A credential in full. It is shown once to whom it is given and is never stored.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Credential {
    text: [u8; LENGTH],
    parts: Parts,
    /// Of the text, once somebody has asked for it.
    #[zeroize(skip)]
    hash: OnceLock<SecretHash>,
}

/// Text that Tokenry cannot have minted. It says nothing about what was wrong, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential of Tokenry's form")]
pub struct Malformed;

impl Credential {
    /// Writes `parts` in full.
    pub fn assemble(parts: Parts) -> Self {
        let mut text = [b'0'; LENGTH];
        let (body, checksum) = text.split_at_mut(CHECKSUM_AT);
        let (public, rest) = body.split_at_mut(PUBLIC_LENGTH);
        let (mark, secret) = rest.split_at_mut(MARK.len());
        public.copy_from_slice(&public_bytes(parts.kind, parts.id));
        mark.copy_from_slice(MARK);
        write_secret(&pack(&parts), secret);
        write_digits(u64::from(crc32fast::hash(body)), checksum);
        Self { text, parts, hash: OnceLock::new() }
    }

    /// Reads exactly the form above: one length, no trimming, canonical digits, right checksum.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text: &[u8; LENGTH] = text.as_bytes().try_into().map_err(|_| Malformed)?;
        let (body, checksum) = text.split_at(CHECKSUM_AT);
        let (public, rest) = body.split_at(PUBLIC_LENGTH);
        let (mark, secret) = rest.split_at(MARK.len());
        let (letter, id) = public.split_first().ok_or(Malformed)?;
        let kind = Kind::of_letter(*letter).ok_or(Malformed)?;
        let id = read_digits(id).filter(|id| (1..=ID_MAX).contains(id)).ok_or(Malformed)?;
        if mark != MARK || read_digits(checksum) != Some(u64::from(crc32fast::hash(body))) {
            return Err(Malformed);
        }
        let parts = unpack(kind, id, &read_secret(secret).ok_or(Malformed)?);
        Ok(Self { text: *text, parts, hash: OnceLock::new() })
    }

    /// The whole text. For the one answer that gives it out, and for nothing else.
    pub fn reveal(&self) -> &str {
        // The text is digits and the mark by construction, so the empty string is never seen.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// What the text says; unchecked.
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The first 10 characters.
    pub fn public_part(&self) -> String {
        public_part(self.parts.kind, self.parts.id)
    }

    /// What may be stored of it.
    pub fn hash(&self) -> SecretHash {
        *self.hash.get_or_init(|| SecretHash(Sha256::digest(self.text).into()))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}…", self.public_part())
    }
}

/// `text` without the secret part of any credential that stands in it: for whatever repeats what a
/// stranger sent, in an answer or a log.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let is_in_jwt = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match cut_behind(text, jwt::HEADER, is_in_jwt) {
        Some(cut) => Cow::Owned(cut_behind(&cut, SHOWN, is_digit).unwrap_or(cut)),
        None => cut_behind(text, SHOWN, is_digit).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

const SHOWN: &str = "_tokenry_";

fn is_digit(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// `text` without the `secret` characters behind each `shown`; `None` if that is not in it.
fn cut_behind(text: &str, shown: &str, secret: impl Fn(char) -> bool) -> Option<String> {
    let mut parts = text.split(shown);
    let first = parts.next().unwrap_or_default();
    let is_there = first.len() < text.len();
    let rest = parts.map(|part| part.trim_start_matches(&secret));
    is_there.then(|| rest.fold(first.to_owned(), |cut, part| cut + shown + "..." + part))
}

/// The first 10 characters of a credential of this kind and record: what listings show.
pub fn public_part(kind: Kind, id: u64) -> String {
    str::from_utf8(&public_bytes(kind, id)).unwrap_or_default().to_owned()
}

fn public_bytes(kind: Kind, id: u64) -> [u8; PUBLIC_LENGTH] {
    let mut public = [kind.letter(); PUBLIC_LENGTH];
    if let Some((_, digits)) = public.split_first_mut() {
        write_digits(id, digits);
    }
    public
}

/// SHA-256 of a whole credential: the only form of it that a store accepts.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Takes the bytes that a store kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `presented` is the credential this was made from, in constant time.
    pub fn matches(&self, presented: &Self) -> bool {
        self.0.ct_eq(&presented.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretHash(…)")
    }
}

fn pack(parts: &Parts) -> [u8; 29] {
    let [_, high, middle, low] = parts.rotation.to_be_bytes();
    let mut packed = [0; 29];
    let head = [high, middle, low, parts.key_number];
    let bytes = head.iter().chain(&parts.secret).chain(&parts.tag);
    for (slot, byte) in packed.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    packed
}

fn unpack(kind: Kind, id: u64, packed: &[u8; 29]) -> Parts {
    let mut bytes = packed.iter().copied();
    let mut next = || bytes.next().unwrap_or_default();
    Parts {
        kind,
        id,
        rotation: u32::from_be_bytes([0, next(), next(), next()]),
        key_number: next(),
        secret: std::array::from_fn(|_| next()),
        tag: std::array::from_fn(|_| next()),
    }
}

/// Writes `value` right-aligned in base 62; what does not fit is cut, which no caller provokes.
fn write_digits(mut value: u64, into: &mut [u8]) {
    for slot in into.iter_mut().rev() {
        *slot =
            usize::try_from(value % 62).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'0');
        value /= 62;
    }
}

/// What each byte is worth as a digit; [`NO_DIGIT`] for those that are none.
static VALUES: LazyLock<[u8; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let worth = DIGITS.iter().position(|digit| usize::from(*digit) == byte);
        worth.and_then(|worth| u8::try_from(worth).ok()).unwrap_or(NO_DIGIT)
    })
});
const NO_DIGIT: u8 = 0xff;

/// Reads at most 10 base62 digits, so the value fits.
fn read_digits(digits: &[u8]) -> Option<u64> {
    // Whether all were digits is asked once and not at each: every request has a hundred of them.
    let (values, mut value, mut seen) = (&*VALUES, 0_u64, 0);
    for digit in digits {
        let worth = values.get(usize::from(*digit)).copied().unwrap_or(NO_DIGIT);
        value = value.wrapping_mul(62).wrapping_add(u64::from(worth));
        seen |= worth;
    }
    // A digit's worth takes six bits.
    (seen != NO_DIGIT).then_some(value)
}

/// 62^10, the most that one step can carry within 64 bits.
const STEP: u64 = 839_299_365_868_340_224;

/// 29 bytes as 39 digits. The number is held as four 64-bit limbs, lowest first.
fn write_secret(packed: &[u8; 29], into: &mut [u8]) {
    let mut limbs = [0_u64; 4];
    for byte in packed {
        let mut carry = u64::from(*byte);
        for limb in &mut limbs {
            let next = *limb >> 56;
            *limb = (*limb << 8) | carry;
            carry = next;
        }
    }
    for chunk in into.rchunks_mut(10) {
        let mut remainder = 0_u128;
        for limb in limbs.iter_mut().rev() {
            let dividend = (remainder << 64) | u128::from(*limb);
            *limb = low_half(dividend / u128::from(STEP));
            remainder = dividend % u128::from(STEP);
        }
        write_digits(low_half(remainder), chunk);
    }
}

fn low_half(value: u128) -> u64 {
    u64::try_from(value & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

/// 39 digits as 29 bytes; `None` for a digit that is none or a number past 29 bytes.
fn read_secret(digits: &[u8]) -> Option<[u8; 29]> {
    let mut limbs = [0_u64; 4];
    // The first chunk is the short one, so that every later step is a whole ten digits.
    let (head, tail) = digits.split_at_checked(digits.len() % 10)?;
    for chunk in std::iter::once(head).chain(tail.chunks(10)) {
        let mut carry = u128::from(read_digits(chunk)?);
        for limb in &mut limbs {
            let product = u128::from(*limb) * u128::from(STEP) + carry;
            *limb = low_half(product);
            carry = product >> 64;
        }
    }
    let [first, second, third, fourth] = limbs;
    let bytes = [fourth, third, second, first].map(u64::to_be_bytes);
    let (excess, packed) = bytes.as_flattened().split_at_checked(3)?;
    if excess.iter().any(|byte| *byte != 0) {
        return None;
    }
    packed.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_parts() -> impl Strategy<Value = Parts> {
        (
            prop::sample::select(Kind::ALL.to_vec()),
            1..=ID_MAX,
            0..=ROTATION_MAX,
            any::<u8>(),
            any::<[u8; 16]>(),
            any::<[u8; 9]>(),
        )
            .prop_map(|(kind, id, rotation, key_number, secret, tag)| Parts {
                kind,
                id,
                rotation,
                key_number,
                secret,
                tag,
            })
    }

    proptest! {
        #[test]
        fn a_credential_reads_back_as_what_was_written(parts in any_parts()) {
            let credential = Credential::assemble(parts);
            let read = Credential::parse(credential.reveal()).unwrap();
            prop_assert_eq!(read.reveal(), credential.reveal());
            prop_assert_eq!(read.parts.kind, parts.kind);
            prop_assert_eq!(read.parts.id, parts.id);
            prop_assert_eq!(read.parts.rotation, parts.rotation);
            prop_assert_eq!(read.parts.key_number, parts.key_number);
            prop_assert_eq!(read.parts.secret, parts.secret);
            prop_assert_eq!(read.parts.tag, parts.tag);
            prop_assert!(read.hash().matches(&credential.hash()));
            prop_assert_eq!(&credential.reveal()[..10], credential.public_part());
        }

        #[test]
        fn every_change_of_one_character_is_refused(
            parts in any_parts(),
            at in 0..LENGTH,
            other in any::<char>(),
        ) {
            let credential = Credential::assemble(parts);
            let mut text: Vec<char> = credential.reveal().chars().collect();
            prop_assume!(text[at] != other);
            text[at] = other;
            let text: String = text.into_iter().collect();
            prop_assert!(Credential::parse(&text).is_err());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = Credential::parse(&text);
        }
    }

    #[test]
    fn what_repeats_a_credential_shows_its_public_part_alone() {
        let text = "a0000000G9_tokenry_0000QBe7mSxkW2hYc5VtLz";
        assert_eq!(redacted(text), "a0000000G9_tokenry_...");
        let twice = format!("x={text}&y={text}");
        assert_eq!(redacted(&twice), "x=a0000000G9_tokenry_...&y=a0000000G9_tokenry_...");
        assert_eq!(redacted("tickets:reed"), "tickets:reed");
        let header = jwt::HEADER;
        let both = format!("Bearer {header}.eyJ-cmVk_.c2ln, then {text}.");
        let shown = format!("Bearer {header}..., then a0000000G9_tokenry_....");
        assert_eq!(redacted(&both), shown);
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let credential = Credential::assemble(Parts {
            kind: Kind::AccessToken,
            id: 1001,
            rotation: 1,
            key_number: 1,
            secret: [7; 16],
            tag: [9; 9],
        });
        let text = credential.reveal();
        assert_eq!(text.len(), LENGTH);
        assert!(text.starts_with("a0000000G9_tokenry_"));
        for bad in [
            format!(" {text}"),
            format!("{text} "),
            format!("{text}\n"),
            text[1..].to_owned(),
            text[..63].to_owned(),
            text.to_uppercase(),
            String::new(),
        ] {
            assert!(Credential::parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_number_with_anything_but_digits_in_it_is_none() {
        assert_eq!(read_digits(b"0000000G9"), Some(1_001));
        assert_eq!(read_digits(b"zzzzzzzzzz"), Some(STEP - 1));
        for bad in [b"0000000G-", b"-000000G9", b"0000_00G9", b"0000000G\xff"] {
            assert_eq!(read_digits(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_secret_past_29_bytes_is_refused_even_with_a_right_checksum() {
        let mut text = *b"a000000001_tokenry_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz000000";
        let (body, checksum) = text.split_at_mut(CHECKSUM_AT);
        write_digits(u64::from(crc32fast::hash(body)), checksum);
        assert!(Credential::parse(std::str::from_utf8(&text).unwrap()).is_err());
    }

    /// Whether a pattern of letters, classes and counts takes all of `text`.
    fn fits(mut pattern: &str, text: &str) -> bool {
        let mut text = text.chars();
        while let Some(first) = pattern.chars().next() {
            let (class, rest) = match pattern.strip_prefix('[') {
                Some(rest) => rest.split_once(']').unwrap(),
                None => pattern.split_at(first.len_utf8()),
            };
            let (count, rest) = match rest.strip_prefix('{') {
                Some(rest) => rest.split_once('}').unwrap(),
                None => ("1", rest),
            };
            let count: usize = count.parse().unwrap();
            if !(0..count).all(|_| text.next().is_some_and(|letter| is_in(class, letter))) {
                return false;
            }
            pattern = rest;
        }
        text.next().is_none()
    }

    fn is_in(class: &str, letter: char) -> bool {
        let mut class = class.chars().peekable();
        while let Some(from) = class.next() {
            let to = class.next_if_eq(&'-').and_then(|_| class.next()).unwrap_or(from);
            if (from..=to).contains(&letter) {
                return true;
            }
        }
        false
    }

    #[test]
    fn the_pattern_for_scanners_knows_every_kind_and_nothing_else() {
        let tail = "000000001_tokenry_0000000000000000000000000000000000000002wvT58";
        for letter in '!'..='~' {
            let is_kind = u8::try_from(letter).is_ok_and(|it| Kind::of_letter(it).is_some());
            assert_eq!(fits(PATTERN, &format!("{letter}{tail}")), is_kind, "{letter:?}");
        }
        let whole = format!("a{tail}");
        for other in [&whole[1..], &whole[..63], &format!("{whole}0"), &whole.replace('_', "-")] {
            assert!(!fits(PATTERN, other), "{other}");
        }
    }

    /// The vectors that are published for scanners and for other implementations. They were
    /// computed apart from this code.
    #[test]
    fn the_published_vectors_hold() {
        let counting = |from: u8| move |at| from + u8::try_from(at).unwrap();
        for (parts, text) in [
            (
                Parts {
                    kind: Kind::AccessToken,
                    id: 1,
                    rotation: 0,
                    key_number: 0,
                    secret: [0; 16],
                    tag: [0; 9],
                },
                "a000000001_tokenry_0000000000000000000000000000000000000002wvT58",
            ),
            (
                Parts {
                    kind: Kind::AuthorizationCode,
                    id: 1001,
                    rotation: 1,
                    key_number: 2,
                    secret: std::array::from_fn(counting(1)),
                    tag: std::array::from_fn(counting(17)),
                },
                "c0000000G9_tokenry_0000lSNxWa7pNXONbnNEaQWJ6CHfeEZLiUDMd2X3uYLLX",
            ),
            (
                Parts {
                    kind: Kind::RefreshToken,
                    id: ID_MAX,
                    rotation: ROTATION_MAX,
                    key_number: 255,
                    secret: [255; 16],
                    tag: [255; 9],
                },
                "rfFgnDxSe7_tokenry_rSrvjRk7GUa85u0ep5lKPeGALiSW14xkECMBiU32zs7LC",
            ),
        ] {
            assert_eq!(Credential::assemble(parts).reveal(), text);
            assert!(fits(PATTERN, text), "{text}");
            let read = *Credential::parse(text).unwrap().parts();
            assert_eq!((read.kind, read.id), (parts.kind, parts.id));
            assert_eq!((read.rotation, read.key_number), (parts.rotation, parts.key_number));
            assert_eq!((read.secret, read.tag), (parts.secret, parts.tag));
        }
    }

    #[test]
    fn a_hash_is_the_sha_256_of_the_whole_text_and_matches_no_other() {
        let hash = |text| Credential::parse(text).unwrap().hash();
        let zero = hash("a000000001_tokenry_0000000000000000000000000000000000000002wvT58");
        let other = hash("c0000000G9_tokenry_0000lSNxWa7pNXONbnNEaQWJ6CHfeEZLiUDMd2X3uYLLX");
        assert!(zero.matches(&SecretHash::from_bytes(*zero.as_bytes())));
        assert!(!zero.matches(&other));
        assert_eq!(&zero.as_bytes()[..4], [0xc2, 0xee, 0xb9, 0x85]);
    }

    #[test]
    fn no_secret_and_no_hash_is_written_for_debugging() {
        let text = "c0000000G9_tokenry_0000lSNxWa7pNXONbnNEaQWJ6CHfeEZLiUDMd2X3uYLLX";
        let credential = Credential::parse(text).unwrap();
        assert_eq!(format!("{credential:?}"), "c0000000G9…");
        assert_eq!(format!("{:?}", credential.parts()), "c0000000G9 rotation 1");
        assert_eq!(format!("{:?}", credential.hash()), "SecretHash(…)");
    }
}
