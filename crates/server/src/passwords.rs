//! Users' passwords: Argon2id on a bounded pool, so that a storm of sign-ins cannot starve tokens.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokenry_core::Entropy;
use tokio::sync::Semaphore;

use crate::config;

/// The fewest characters of a password (NIST SP 800-63B §3.1.1.2 asks for 8 at the least).
pub const LENGTH_MIN: usize = 8;
/// The most bytes of a password; more is work for us and no strength for anybody.
pub const LENGTH_MAX: usize = 1_024;

/// Hashes and checks passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A hash that was drawn instead of computed, so that nothing answers it: unknown users cost
    /// the same time as known ones.
    nobody: String,
    permits: Semaphore,
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
        let permits = Semaphore::new(settings.password_hashes_concurrent_max);
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
        let Ok(_permit) = self.permits.acquire().await else {
            return false;
        };
        let argon2 = self.argon2.clone();
        let judged = tokio::task::spawn_blocking(move || {
            password.len() <= LENGTH_MAX
                && PasswordHash::new(&expected)
                    .is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok())
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
