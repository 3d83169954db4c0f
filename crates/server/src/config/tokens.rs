//! Lifetimes of what the server issues, and the rules of refresh.

use std::{ops::RangeInclusive, time::Duration};

use tokenry_core::{
    client_registration::RETRY_WINDOW,
    policy::{AccessTokenFormat, RedemptionProof, Rotation, UnknownScopes},
};
use tokenry_protocol::oauth::token::{ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME};

use super::{
    kinds::{Choice, Optional, Quantity, Switch, duration},
    section::section,
};

const UNKNOWN_SCOPES: Choice<UnknownScopes> =
    Choice(&[("refuse", UnknownScopes::Refuse), ("accept", UnknownScopes::Accept)]);
const ROTATION: Choice<Rotation> =
    Choice(&[("forgiving", Rotation::Forgiving), ("single-use", Rotation::SingleUse)]);
const ACCESS_TOKEN_FORMAT: Choice<AccessTokenFormat> =
    Choice(&[("opaque", AccessTokenFormat::Opaque), ("jwt", AccessTokenFormat::Jwt)]);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a client may ask for or have, the server may have by default.
fn seconds(bounds: RangeInclusive<u32>) -> Quantity<Duration> {
    let (least, most) = bounds.into_inner();
    duration(least.into(), most.into())
}

section! {
    /// How long tokens live, and how a refresh that lost its answer is treated. An authorization
    /// code always lives 120 s. A client can ask for other lifetimes within the bounds named here
    /// (`expires_in`, `refresh_token_expires_in`), and a client's own policy can lower them.
    Tokens "tokens." {
        /// How long an access token lives when nobody asks for a lifetime. The bounds are those of
        /// `expires_in`. With `"none"` it does not expire, unless the client's own policy says so
        /// or the grant has an end (`grant_lifetime_max`): it then outlives its refresh token, and
        /// one that leaks works until it is revoked.
        access_token_lifetime: Option<Duration> = Some(Duration::from_secs(30 * MINUTE)),
            Optional(seconds(ACCESS_TOKEN_LIFETIME));
        /// How long a refresh token lives when nobody asks for a lifetime; each refresh starts it
        /// anew. The bounds are those of `refresh_token_expires_in`.
        refresh_token_lifetime: Duration = Duration::from_secs(30 * DAY),
            seconds(REFRESH_TOKEN_LIFETIME);
        /// The longest life of a token that an administrator creates through the record API. Unset,
        /// such tokens do not expire.
        created_token_lifetime_max: Option<Duration> = None,
            Optional(duration(300, 3_650 * DAY));
        /// The longest life of a grant, counted from the user's consent, however often it is
        /// refreshed. Unset, a grant lives as long as it is refreshed in time.
        grant_lifetime_max: Option<Duration> = None,
            Optional(duration(HOUR, 3_650 * DAY));
        /// For how long after a refresh the previous refresh token of a confidential client gets
        /// the same tokens again, whatever was done with them (two processes that refresh at once).
        /// Past it the same tokens are given only while none of them was used. A client can have
        /// its own value.
        retry_window_confidential: Duration = Duration::from_secs(30),
            seconds(RETRY_WINDOW);
        /// The same for public clients, whose refresh tokens are easier to steal.
        retry_window_public: Duration = Duration::from_secs(5),
            seconds(RETRY_WINDOW);
        /// What the authorization page and the token endpoint do with scope names that
        /// `scopes.resources` does not know: refuse them (`invalid_scope`), or accept them, so that
        /// they are granted and allow nothing.
        unknown_scopes: UnknownScopes = UnknownScopes::Refuse, UNKNOWN_SCOPES;
        /// Whether `POST /oauth/tokens` reads from the query what the body lacks, as old
        /// integrations send it. Secrets in addresses end up in the logs of proxies (RFC 6749
        /// §2.3.1). Off, and at `POST /oauth/token` always, a query with a secret is refused.
        parameters_in_query: bool = false, Switch;
        /// Whether a confidential client may redeem a code without its secret, if it sent a code
        /// challenge with the authorization request and the code verifier answers it. It then
        /// proves no more than a public client does: users are asked about each request of it that
        /// has a challenge, and a code that comes twice without the secret ends no grant. A refresh
        /// asks for the secret all the same.
        pkce_without_secret: bool = false, Switch;
        /// What becomes of a refresh token once it was used. `forgiving`: the same tokens again
        /// after a lost answer (`retry_window_confidential` and what is said there), and any other
        /// return of it ends the grant, since somebody else may have it. `single-use`: it is
        /// refused, whatever became of the answer, as Zendesk does it; a replay is refused and does
        /// not end the grant, so a theft goes unnoticed.
        rotation: Rotation = Rotation::Forgiving, ROTATION;
        /// How both token doors write access tokens. `opaque`: 64 characters that say nothing.
        /// `jwt`: a JWT (RFC 9068) around those 64, as Zendesk gives clients whose tokens must
        /// expire. It is checked as ever, so it is dead as soon as it is revoked; but whoever sees
        /// it reads user, client and scope. Tokens of the record API are opaque in any case, and
        /// both forms are taken whatever this says.
        access_token_format: AccessTokenFormat = AccessTokenFormat::Opaque, ACCESS_TOKEN_FORMAT;
    }
}

impl Tokens {
    pub(super) const fn redemption_proof(&self) -> RedemptionProof {
        if self.pkce_without_secret {
            RedemptionProof::SecretOrVerifier
        } else {
            RedemptionProof::Secret
        }
    }
}
