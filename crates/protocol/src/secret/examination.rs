//! A closer look at text that may be a credential, for its owner: what it says of itself, and what
//! is wrong with it.
//!
//! A server asks [`Credential::parse`](super::Credential::parse), which tells a stranger nothing
//! but no. Nothing here tells whether a credential works, and nothing repeats its secret part.

use super::{
    CHECKSUM_AT, Kind, LENGTH, MARK, PUBLIC_LENGTH, Parts, jwt::UncheckedJwt, read_digits,
    read_secret, unpack,
};
use crate::ids::ID_MAX;

/// Where the mark begins and where it ends.
const MARK_AT: std::ops::Range<usize> = PUBLIC_LENGTH..PUBLIC_LENGTH + MARK.len();

/// What the first 10 characters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicPart {
    /// What the credential is for.
    pub kind: Kind,
    /// The record that it names, 1 to 2^53 − 1.
    pub id: u64,
}

/// What text turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examination {
    /// A credential of our form whose checksum holds.
    Whole {
        /// Its first 10 characters.
        public: PublicPart,
        /// How many times its record had been rotated when it was minted.
        rotation: u32,
        /// The key that made its tag.
        key_number: u8,
    },
    /// The first 10 characters of a credential: there is no checksum to judge.
    PublicPart(PublicPart),
    /// It may have been one of ours.
    Damaged {
        /// What its first 10 characters say, if they are in order.
        public: Option<PublicPart>,
        /// Whether the last six characters are those of what is before them; `None` of a text of
        /// another length.
        checksum_holds: Option<bool>,
        /// Everything that is wrong with it; at least one.
        faults: Vec<Fault>,
    },
    /// A JWT of our form around a credential. Whether its signature holds only the server knows.
    JwtAccessToken {
        /// The first 10 characters of the credential.
        public: PublicPart,
        /// How many times its record had been rotated when it was minted.
        rotation: u32,
        /// The key that made its tag, and from which the signature's comes.
        key_number: u8,
    },
    /// A JSON Web Token (RFC 7519) of somebody else.
    JsonWebToken,
    /// Nothing that looks like one of ours.
    Foreign,
}

/// Something that keeps text from being a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is too long or too short.
    #[error("it has {0} characters, and a credential has {LENGTH}")]
    Length(usize),
    /// Whitespace counts: nothing trims it.
    #[error("there is a space or a line break in it")]
    Space,
    /// The first character is no kind's.
    #[error("its first character is none of a, b, c, d, p, r, s, which say what it is for")]
    Kind,
    /// The id is not in base 62.
    #[error("its characters 2 to 10, the id, are not all of 0-9 A-Z a-z")]
    IdAlphabet,
    /// No record has this id.
    #[error("its characters 2 to 10 are no id: those go from 1 to {ID_MAX}")]
    IdRange,
    /// What secret scanners look for is not there.
    #[error("its characters 11 to 19 are not `_tokenry_`")]
    Mark,
    /// The secret part is not in base 62.
    #[error("its characters from the 20th on are not all of 0-9 A-Z a-z")]
    SecretAlphabet,
    /// The digits of the secret part stand for a number that is too large.
    #[error("its characters 20 to 58 stand for no secret part that can be")]
    SecretRange,
    /// The last six characters are not those of what is before them.
    #[error("its checksum, the last six characters, does not hold: some character was changed")]
    Checksum,
}

impl Examination {
    /// Looks at `text` as it is: nothing is trimmed.
    pub fn of(text: &str) -> Self {
        if is_json_web_token(text) {
            return Self::of_jwt(text);
        }
        let bytes = text.as_bytes();
        let is_marked = bytes.windows(MARK.len()).any(|part| part == MARK);
        if !is_marked && ![LENGTH, PUBLIC_LENGTH].contains(&bytes.len()) {
            return Self::Foreign;
        }
        let checksum_holds = bytes.split_at_checked(CHECKSUM_AT).and_then(|(body, checksum)| {
            let is_whole = bytes.len() == LENGTH;
            is_whole.then(|| read_digits(checksum) == Some(u64::from(crc32fast::hash(body))))
        });
        let faults = faults(text, checksum_holds);
        match (public_part(bytes), secret_part(bytes)) {
            (Some(public), Some(packed)) if faults.is_empty() => {
                let Parts { rotation, key_number, .. } = unpack(public.kind, public.id, &packed);
                Self::Whole { public, rotation, key_number }
            }
            (Some(public), _) if faults.is_empty() => Self::PublicPart(public),
            (public, _) => Self::Damaged { public, checksum_holds, faults },
        }
    }

    fn of_jwt(text: &str) -> Self {
        UncheckedJwt::parse(text).map_or(Self::JsonWebToken, |jwt| {
            let Parts { kind, id, rotation, key_number, .. } = *jwt.credential().parts();
            Self::JwtAccessToken { public: PublicPart { kind, id }, rotation, key_number }
        })
    }

    /// What the first 10 characters say, if they are in order.
    pub const fn public(&self) -> Option<PublicPart> {
        match self {
            Self::Whole { public, .. }
            | Self::JwtAccessToken { public, .. }
            | Self::PublicPart(public) => Some(*public),
            Self::Damaged { public, .. } => *public,
            Self::JsonWebToken | Self::Foreign => None,
        }
    }

    /// Whether the checksum holds; `None` where there is none to judge.
    pub const fn checksum_holds(&self) -> Option<bool> {
        match self {
            Self::Whole { .. } => Some(true),
            Self::Damaged { checksum_holds, .. } => *checksum_holds,
            Self::PublicPart(_)
            | Self::JwtAccessToken { .. }
            | Self::JsonWebToken
            | Self::Foreign => None,
        }
    }
}

/// Three parts (RFC 7515 §7.1) or five (RFC 7516 §7.1), of which the first is a JSON object.
fn is_json_web_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    // `{"` in base64.
    text.starts_with("eyJ")
        && text.bytes().all(is_allowed)
        && matches!(text.split('.').count(), 3 | 5)
}

fn public_part(bytes: &[u8]) -> Option<PublicPart> {
    let (letter, id) = bytes.get(..PUBLIC_LENGTH)?.split_first()?;
    let id = read_digits(id).filter(|id| (1..=ID_MAX).contains(id))?;
    Some(PublicPart { kind: Kind::of_letter(*letter)?, id })
}

fn secret_part(bytes: &[u8]) -> Option<[u8; 29]> {
    let is_whole = bytes.len() == LENGTH;
    read_secret(bytes.get(MARK_AT.end..CHECKSUM_AT).filter(|_| is_whole)?)
}

/// Everything that is wrong, from the front to the end.
fn faults(text: &str, checksum_holds: Option<bool>) -> Vec<Fault> {
    let bytes = text.as_bytes();
    let characters = text.chars().count();
    let is_public_part = bytes.len() == PUBLIC_LENGTH;
    let part = |range: std::ops::Range<usize>| {
        bytes.get(range.start..range.end.min(bytes.len())).unwrap_or_default()
    };
    let (letter, id) = (part(0..1), part(1..PUBLIC_LENGTH));
    let secret = bytes.get(MARK_AT.end..).unwrap_or_default();
    let id_read = read_digits(id).map(|id| (1..=ID_MAX).contains(&id));
    let is_secret_read = secret.iter().all(u8::is_ascii_alphanumeric);
    let is_kind = |letter: &u8| Kind::of_letter(*letter).is_some();
    let found = [
        (!is_public_part && characters != LENGTH, Fault::Length(characters)),
        (text.contains(char::is_whitespace), Fault::Space),
        (!letter.iter().all(is_kind), Fault::Kind),
        (id_read.is_none(), Fault::IdAlphabet),
        (id_read == Some(false), Fault::IdRange),
        (!is_public_part && part(MARK_AT) != MARK, Fault::Mark),
        (!is_secret_read, Fault::SecretAlphabet),
        (
            is_secret_read && bytes.len() == LENGTH && secret_part(bytes).is_none(),
            Fault::SecretRange,
        ),
        (checksum_holds == Some(false), Fault::Checksum),
    ];
    found.into_iter().filter_map(|(is_found, fault)| is_found.then_some(fault)).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;
    use crate::secret::{Credential, jwt};

    const ID: u64 = 1001;

    fn minted() -> String {
        let parts = Parts {
            kind: Kind::AccessToken,
            id: ID,
            rotation: 3,
            key_number: 2,
            secret: [7; 16],
            tag: [9; 9],
        };
        Credential::assemble(parts).reveal().to_owned()
    }

    /// The same text with another piece in it.
    fn with(at: usize, piece: &str) -> String {
        let mut text = minted();
        text.replace_range(at..at + piece.len(), piece);
        text
    }

    fn faults_of(text: &str) -> Vec<Fault> {
        match Examination::of(text) {
            Examination::Damaged { faults, .. } => faults,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_whole_credential_says_what_it_is() {
        let public = PublicPart { kind: Kind::AccessToken, id: ID };
        let whole = Examination::of(&minted());
        assert_eq!(whole, Examination::Whole { public, rotation: 3, key_number: 2 });
        assert_eq!(whole.checksum_holds(), Some(true));
        let part = Examination::of(&minted()[..10]);
        assert_eq!(part, Examination::PublicPart(public));
        assert_eq!(part.checksum_holds(), None);
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        use Fault as F;
        let whole = minted();
        for (text, expected) in [
            (whole[..63].to_owned(), vec![F::Length(63)]),
            (format!("{whole}0"), vec![F::Length(65)]),
            (format!("{whole}\n"), vec![F::Length(65), F::Space, F::SecretAlphabet]),
            (with(0, "z"), vec![F::Kind, F::Checksum]),
            (with(9, "-"), vec![F::IdAlphabet, F::Checksum]),
            (with(1, "000000000"), vec![F::IdRange, F::Checksum]),
            (with(1, "zzzzzzzzz"), vec![F::IdRange, F::Checksum]),
            (with(10, "_tokenri_"), vec![F::Mark, F::Checksum]),
            (with(30, "-"), vec![F::SecretAlphabet, F::Checksum]),
            (with(19, "zzz"), vec![F::SecretRange, F::Checksum]),
            (with(40, "00"), vec![F::Checksum]),
            (with(62, "00"), vec![F::Checksum]),
            ("z0000000G9".to_owned(), vec![F::Kind]),
            ("a0000000-9".to_owned(), vec![F::IdAlphabet]),
            ("a000000000".to_owned(), vec![F::IdRange]),
            ("a_tokenry_".to_owned(), vec![F::IdAlphabet]),
            ("_tokenry_".to_owned(), vec![F::Length(9), F::Kind, F::IdAlphabet, F::Mark]),
        ] {
            assert_eq!(faults_of(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_checksum_is_judged_apart_from_everything_else() {
        // A checksum over an id that no record has.
        let body = with(1, "000000000")[..58].to_owned();
        let mut checksum = [b'0'; 6];
        super::super::write_digits(u64::from(crc32fast::hash(body.as_bytes())), &mut checksum);
        let text = body + str::from_utf8(&checksum).unwrap();
        assert_eq!(faults_of(&text), [Fault::IdRange]);
        assert_eq!(Examination::of(&text).checksum_holds(), Some(true));
        assert_eq!(Examination::of(&with(40, "00")).checksum_holds(), Some(false));
        assert_eq!(Examination::of(&minted()[..63]).checksum_holds(), None);
    }

    #[test]
    fn what_others_mint_is_none_of_ours() {
        let signed = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.";
        assert_eq!(Examination::of(signed), Examination::JsonWebToken);
        for foreign in ["", "a", "ghp_0123456789", "eyJhbGciOi", "not a token", "a0000000G9_toke"] {
            let found = Examination::of(foreign);
            let is_foreign = match foreign.len() {
                10 => matches!(found, Examination::Damaged { .. }),
                _ => found == Examination::Foreign,
            };
            assert!(is_foreign, "{foreign}: {found:?}");
        }
    }

    #[test]
    fn a_jwt_of_our_form_says_which_credential_is_in_it() {
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"credential":"{}"}}"#, minted()));
        let text = format!("{}.{claims}.{}", jwt::HEADER, URL_SAFE_NO_PAD.encode([0; 32]));
        let public = PublicPart { kind: Kind::AccessToken, id: ID };
        let examined = Examination::of(&text);
        let expected = Examination::JwtAccessToken { public, rotation: 3, key_number: 2 };
        assert_eq!(examined, expected);
        assert_eq!((examined.public(), examined.checksum_holds()), (Some(public), None));
        assert_eq!(Examination::of(&text[..text.len() - 1]), Examination::JsonWebToken);
    }

    proptest! {
        #[test]
        fn whole_is_what_the_parser_reads_and_nothing_else(
            at in 0..LENGTH,
            other in any::<char>(),
        ) {
            let mut text: Vec<char> = minted().chars().collect();
            text[at] = other;
            let text: String = text.into_iter().collect();
            let is_whole = matches!(Examination::of(&text), Examination::Whole { .. });
            prop_assert_eq!(is_whole, Credential::parse(&text).is_ok());
        }

        #[test]
        fn no_text_makes_it_panic_and_what_is_damaged_has_a_fault(text in "\\PC{0,80}") {
            if let Examination::Damaged { faults, .. } = Examination::of(&text) {
                prop_assert!(!faults.is_empty());
            }
        }

        #[test]
        fn no_fault_repeats_what_is_secret(at in 19..58_usize, other in "[!-/]") {
            let text = with(at, &other);
            for fault in faults_of(&text) {
                let words = fault.to_string();
                let repeats = |at: usize| words.contains(&text[at..at + 8]);
                prop_assert!(!(19..LENGTH - 8).any(repeats));
            }
        }
    }
}
