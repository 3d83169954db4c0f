//! Proof Key for Code Exchange, method S256 only (RFC 7636; `plain` is refused, RFC 9700 §2.1.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// `code_challenge`: the base64url form of a SHA-256, 43 characters (RFC 7636 §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge(String);

/// `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
pub struct CodeVerifier(String);

/// Text that is no challenge or no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPkce {
    /// The challenge does not encode a SHA-256.
    #[error("code_challenge must be 43 characters of base64url, the SHA-256 of the verifier")]
    Challenge,
    /// The verifier breaks the grammar.
    #[error("code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
    Verifier,
}

impl CodeChallenge {
    /// Takes exactly 43 characters that decode to 32 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidPkce> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(InvalidPkce::Challenge),
        }
    }

    /// Whether `verifier` is the one this challenge was made from (RFC 7636 §4.6).
    pub fn is_answered_by(&self, verifier: &CodeVerifier) -> bool {
        let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.0.as_bytes()));
        expected.as_bytes().ct_eq(self.0.as_bytes()).into()
    }

    /// The challenge as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CodeVerifier {
    /// Takes 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Result<Self, InvalidPkce> {
        let fits = (43..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidPkce::Verifier) }
    }

    /// The challenge that this verifier answers, by S256 (RFC 7636 §4.2).
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_example_of_the_standard_holds() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge =
            CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_answered_by(&verifier));
        assert_eq!(verifier.challenge(), challenge);
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_verifier_is_not_written_for_debugging() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(format!("{verifier:?}"), "CodeVerifier(…)");
    }

    proptest! {
        #[test]
        fn a_verifier_answers_its_own_challenge_and_no_other(
            one in "[A-Za-z0-9._~-]{43,128}",
            other in "[A-Za-z0-9._~-]{43,128}",
        ) {
            let (a, b) = (CodeVerifier::parse(&one).unwrap(), CodeVerifier::parse(&other).unwrap());
            prop_assert!(a.challenge().is_answered_by(&a));
            prop_assert_eq!(a.challenge().is_answered_by(&b), one == other);
        }

        #[test]
        fn other_lengths_and_letters_are_no_verifier(text in "\\PC{0,140}") {
            let fits = (43..=128).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
            prop_assert_eq!(CodeVerifier::parse(&text).is_ok(), fits);
        }
    }

    #[test]
    fn a_challenge_is_the_canonical_form_of_32_bytes() {
        for bad in ["", "short", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(42))]
        {
            assert_eq!(CodeChallenge::parse(bad), Err(InvalidPkce::Challenge), "{bad:?}");
        }
        // The last character carries four bits only: others would be a second spelling.
        assert_eq!(
            CodeChallenge::parse(&format!("{}B", "A".repeat(42))),
            Err(InvalidPkce::Challenge)
        );
    }
}
