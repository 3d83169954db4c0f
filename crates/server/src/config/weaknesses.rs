//! Where a configuration is weaker than what is safe: what it takes on for old clients or for a
//! test, said at every start so that it is not forgotten.

use tokenry_core::policy::{Rotation, UnknownScopes};

use super::Config;

/// A setting whose value makes the server weaker than it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weakness {
    /// `record_api.token_in_query`
    pub key: &'static str,
    /// What follows from the value that it has, in one sentence.
    pub consequence: &'static str,
}

impl Config {
    /// Every setting in force that weakens the server, in the order of the reference. A server as
    /// it comes has none.
    pub fn weaknesses(&self) -> Vec<Weakness> {
        let all = self.of_server().into_iter().chain(self.of_tokens()).chain(self.of_access());
        all.filter(|(is_weak, ..)| *is_weak)
            .map(|(_, key, consequence)| Weakness { key, consequence })
            .collect()
    }

    const fn of_server(&self) -> [Judged; 3] {
        [
            (
                self.insecure_http,
                "insecure_http",
                "Passwords and tokens may cross the network in plain http.",
            ),
            (
                self.base_url_from_host,
                "base_url_from_host",
                "Whoever sends a request chooses the address that its links and the issuer have.",
            ),
            (
                !self.rate_limits,
                "rate_limits",
                "Passwords, API tokens and client secrets can be guessed without end.",
            ),
        ]
    }

    fn of_tokens(&self) -> [Judged; 5] {
        let tokens = &self.tokens;
        [
            (
                tokens.access_token_lifetime.is_none(),
                "tokens.access_token_lifetime",
                "An access token that leaked works until somebody revokes it.",
            ),
            (
                tokens.rotation == Rotation::SingleUse,
                "tokens.rotation",
                "A stolen refresh token is not noticed when it comes back.",
            ),
            (
                tokens.unknown_scopes == UnknownScopes::Accept,
                "tokens.unknown_scopes",
                "Mistakes in scope names are not noticed until a token is refused.",
            ),
            (
                tokens.parameters_in_query,
                "tokens.parameters_in_query",
                "Client secrets, codes and refresh tokens may stand in the logs of proxies.",
            ),
            (
                tokens.pkce_without_secret,
                "tokens.pkce_without_secret",
                "Codes of confidential clients can be redeemed without their secret, so for a \
                 request with a challenge no earlier consent counts.",
            ),
        ]
    }

    const fn of_access(&self) -> [Judged; 6] {
        let (api, limits) = (&self.record_api, &self.limits);
        let limits_count = self.rate_limits;
        [
            (
                api.password_access,
                "record_api.password_access",
                "A user's password opens the record API with the user's full rights.",
            ),
            (
                api.token_in_query,
                "record_api.token_in_query",
                "Access tokens may stand in the logs of proxies and in browser histories.",
            ),
            (
                api.anonymous_me,
                "record_api.anonymous_me",
                "A program that signs users in by users/me may take nobody for somebody.",
            ),
            (
                self.api_tokens.account_wide,
                "api_tokens.account_wide",
                "Whoever holds an API token that is bound to nobody is every administrator.",
            ),
            (
                limits_count && limits.failed_authentications_per_account.is_none(),
                "limits.failed_authentications_per_account",
                "The credentials of one account can be guessed from many addresses without end.",
            ),
            (
                limits_count && limits.failed_authentications_per_address.is_none(),
                "limits.failed_authentications_per_address",
                "One address can try the credentials of many accounts without end.",
            ),
        ]
    }
}

/// Whether the setting is weak, its key, and what follows.
type Judged = (bool, &'static str, &'static str);
