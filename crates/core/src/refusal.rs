//! What is remembered of a refused credential: the last time, the reason and the place.
//!
//! Only of credentials whose tag says that we minted them. What somebody made up leaves nothing, or
//! anybody could fill the memory of it.

use std::borrow::Cow;

use tokenry_protocol::{
    secret::{Credential, Kind},
    time::Timestamp,
};

use crate::credentials::{Mint, TokenKeys};

/// The last time that a credential of one record was refused. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the credential was for.
    pub kind: Kind,
    /// The record that it names.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The word of the reason, as logs have it.
    pub reason: Cow<'static, str>,
    /// Method and path that it was presented at, without what the caller wrote into the path.
    pub place: Cow<'static, str>,
}

/// Whether a refusal of `presented` is to be remembered.
pub fn is_remembered(presented: &Credential, keys: &TokenKeys) -> bool {
    keys.recognise(presented) == Mint::Ours
}

/// Reasons in words for whoever runs the server: what it was, and what helps. A word that is not
/// known here, of a later version, stands for itself.
pub fn in_words(reason: &str) -> &str {
    WORDS.iter().find(|(word, _)| *word == reason).map_or(reason, |(_, words)| words)
}

const WORDS: [(&str, &str); 40] = [
    // Access tokens, and whatever else is checked by its record.
    ("unknown", "its record was not there: it had been ended, or removed after it was over"),
    ("not issued", "its code was not redeemed yet"),
    ("other secret", "it was replaced: a refresh or a new secret took its place"),
    (
        "signature wrong",
        "the JWT around it was changed, or was signed with a key that was lost since",
    ),
    ("wrong kind", "it is no access token, and was presented as one"),
    ("client disabled", "its client was stopped by an administrator"),
    ("client deleted", "its client was deleted"),
    ("user suspended", "its user was suspended"),
    ("user deleted", "its user was deleted"),
    ("expired", "its time was over"),
    ("missing scope", "its scope does not reach as far as the request"),
    ("may not impersonate", "it named somebody to act for, and its scope lacks `impersonate`"),
    ("impersonator no admin", "it named somebody to act for, and its user is no administrator"),
    ("impersonated unknown", "it named nobody to act for whom there is, or several"),
    ("impersonated not eligible", "it named somebody to act for who is no active end user"),
    // API tokens and sign-in sessions.
    ("switched off", "it was switched off by an administrator"),
    ("other address", "it came with the address of another user than its own"),
    (
        "bound to nobody",
        "it is bound to nobody, and this server takes only API tokens of one user \
         (api_tokens.account_wide)",
    ),
    ("user not verified", "it is bound to nobody, and the address is not known to be its user's"),
    ("API tokens are off", "API tokens are switched off for the whole server"),
    (
        "session over",
        "its time was over, its user was suspended, or the user's password was changed",
    ),
    // Client secrets.
    ("client_unknown", "it came with the identifier of no client"),
    (
        "client_secret_wrong",
        "it is not the client's present secret: a new one was made, or it is another client's",
    ),
    ("client_disabled", "its client was stopped by an administrator"),
    // Codes and refresh tokens.
    ("scope_unknown", "the request asked for a scope that means nothing here"),
    ("scope_not_allowed", "the request asked for more than its client may have"),
    ("scope_wider", "the request asked for more than was approved"),
    (
        "credential_unknown",
        "its record was not there: it had been ended, or removed after it was over",
    ),
    ("credential_forged", "it is not one that its record ever had"),
    ("foreign_client", "another client presented it"),
    ("credential_expired", "its time was over"),
    ("already_redeemed", "it was redeemed by another request a moment before"),
    ("replayed", "it had been used before, which ended its grant"),
    ("redirect_uri_different", "the request named another redirect address than the code's"),
    ("verifier_wrong", "the PKCE verifier was missing or wrong"),
    ("user_gone", "its user was suspended or deleted"),
    ("repeat_differs", "a repeated refresh asked for another scope or other lifetimes"),
    ("rotations_spent", "its record was refreshed as often as can be counted"),
    ("rotated_away", "it had been used before, and refresh tokens are for a single use here"),
    ("inactive", "introspection found it inactive: over, or of a client or user that is stopped"),
];
