//! Users' passwords: Argon2id on a bounded pool, so that a storm of sign-ins cannot starve tokens.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{PasswordHasher, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use subtle::ConstantTimeEq;
use tokenry_core::Entropy;
use tokio::sync::Semaphore;

use crate::config;

/// The fewest characters of a password (NIST SP 800-63B §3.1.1.2 asks for 8 at the least).
pub const LENGTH_MIN: usize = 8;
/// The most bytes of a password; more is work for us and no strength for anybody.
pub const LENGTH_MAX: usize = 1_024;
/// From this size on, the system's allocator always asks the kernel for memory and gives it back
/// as soon as it is free. Below it, what a hash took stays with the process, once for each thread
/// that ever hashed: sign-ins would cost hundreds of megabytes for good.
const MEMORY_MIN: usize = 33 << 20;

/// Hashes and checks passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A hash that was drawn instead of computed, so that nothing answers it: unknown users cost
    /// the same time as known ones.
    nobody: String,
    permits: Arc<Semaphore>,
}

/// The parameters cannot be used, or hashing failed.
#[derive(Debug, thiserror::Error)]
#[error("passwords cannot be hashed with these parameters: {0}")]
pub struct PasswordError(String);

impl Passwords {
    /// Takes the cost from the configuration.
    pub fn new(settings: &config::SignIn, entropy: &dyn Entropy) -> Result<Self, PasswordError> {
        let fail = |error: &dyn std::fmt::Display| PasswordError(error.to_string());
        let kibibytes =
            u32::try_from(settings.password_hash_memory / 1_024).map_err(|e| fail(&e))?;
        let (iterations, lanes) =
            (settings.password_hash_iterations, settings.password_hash_parallelism);
        let params = Params::new(kibibytes, iterations, lanes, None).map_err(|e| fail(&e))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        entropy.fill(&mut output);
        let salt = STANDARD_NO_PAD.encode(entropy.secret());
        let output = STANDARD_NO_PAD.encode(output);
        let nobody =
            format!("$argon2id$v=19$m={kibibytes},t={iterations},p={lanes}${salt}${output}");
        PasswordHash::new(&nobody).map_err(|error| fail(&error))?;
        let permits = Arc::new(Semaphore::new(settings.password_hashes_concurrent_max));
        Ok(Self { argon2, nobody, permits })
    }

    /// Hashes a new password, in PHC form.
    pub fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<String, PasswordError> {
        hash(&self.argon2, password, entropy)
    }

    /// Whether `password` is the one that was hashed. Without a hash the answer is no, after the
    /// same time.
    pub async fn verify(&self, password: String, stored: Option<&str>) -> bool {
        let expected = stored.unwrap_or(&self.nobody).to_owned();
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return false;
        };
        let judged = tokio::task::spawn_blocking(move || {
            // Work goes on when whoever asked has hung up, and so must the count of it.
            let _permit = permit;
            password.len() <= LENGTH_MAX && matches(password.as_bytes(), &expected) == Some(true)
        });
        judged.await.unwrap_or(false) && stored.is_some()
    }
}

fn hash(
    argon2: &Argon2<'_>,
    password: &str,
    entropy: &dyn Entropy,
) -> Result<String, PasswordError> {
    let salt = entropy.secret();
    let hashed = argon2.hash_password_with_salt(password.as_bytes(), &salt);
    let hashed: PasswordHash = hashed.map_err(|error| PasswordError(error.to_string()))?;
    Ok(hashed.to_string())
}

/// Whether a password is the one that was hashed; `None` when the hash cannot be read. The cost is
/// the stored one.
fn matches(password: &[u8], stored: &str) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let params = Params::try_from(&stored).ok()?;
    let (salt, expected) = (stored.salt?, stored.hash?);
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(MEMORY_MIN / Block::SIZE));
    memory.resize(blocks, Block::new());
    let mut computed = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    argon2.hash_password_into_with_memory(password, &salt, &mut computed, memory).ok()?;
    Some(computed.ct_eq(expected.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::environment::Environment;

    #[tokio::test]
    async fn a_password_is_its_own_hash_and_nothing_elses() {
        let entropy = Environment::system().entropy;
        let passwords = Passwords::new(&config::SignIn::default(), entropy.as_ref()).unwrap();
        let stored = passwords.hash("correct horse", entropy.as_ref()).unwrap();
        let is = async |password: &str, stored: Option<&str>| {
            passwords.verify(password.to_owned(), stored).await
        };
        assert!(is("correct horse", Some(&stored)).await);
        for wrong in ["", "correct horsf", "correct horse ", "Correct horse"] {
            assert!(!is(wrong, Some(&stored)).await, "{wrong:?}");
        }
        assert!(!is("correct horse", None).await);
        assert!(!is("nobody has this password", None).await);
        for broken in ["", "x", "$argon2id$v=19$m=19456,t=2,p=1", "$5$rounds=1$x$y"] {
            assert!(!is("", Some(broken)).await, "{broken:?}");
        }
    }

    #[tokio::test]
    async fn a_password_hashed_at_another_cost_still_holds() {
        let entropy = Environment::system().entropy;
        let of = |password_hash_memory, password_hash_iterations| {
            let settings = config::SignIn {
                password_hash_memory,
                password_hash_iterations,
                ..config::SignIn::default()
            };
            Passwords::new(&settings, entropy.as_ref()).unwrap()
        };
        let stored = of(7 << 20, 1).hash("correct horse", entropy.as_ref()).unwrap();
        assert!(of(8 << 20, 3).verify("correct horse".to_owned(), Some(&stored)).await);
        assert!(!of(8 << 20, 3).verify("wrong horse".to_owned(), Some(&stored)).await);
    }

    #[tokio::test]
    async fn hashes_for_those_who_hung_up_count_until_they_are_done() {
        let entropy = Environment::system().entropy;
        let settings = config::SignIn {
            password_hash_iterations: 60,
            password_hashes_concurrent_max: 1,
            ..config::SignIn::default()
        };
        let passwords = Passwords::new(&settings, entropy.as_ref()).unwrap();
        let hung_up = passwords.verify("x".to_owned(), None).now_or_never();
        assert_eq!(hung_up, None);
        assert_eq!(passwords.permits.available_permits(), 0, "a second one would begin at once");
        drop(passwords.permits.acquire().await.unwrap());
    }
}
