//! Who gets in, and how: the record API's forms of credentials, API tokens, sign-in.

use std::time::Duration;

use super::{
    kinds::{Switch, count, duration, size, small_count},
    section::section,
};

section! {
    /// Forms of credentials on the record API (`/api/v2`) besides the bearer token in the header.
    /// They are convenient for old clients and weaker than tokens.
    RecordApi "record_api." {
        /// Whether `Authorization: Basic` with an email address and the user's own password opens
        /// the record API, with the user's full rights.
        password_access: bool = false, Switch;
        /// Whether `?access_token=…` in the address is accepted. Addresses end up in the logs of
        /// proxies and in browser histories (RFC 6750 §5.3).
        token_in_query: bool = false, Switch;
        /// Whether `GET /api/v2/users/me` without credentials is answered with an anonymous user
        /// (`id` is `null`) instead of 401. A program that signs users in by it may take nobody
        /// for somebody.
        anonymous_me: bool = false, Switch;
    }
}

section! {
    /// API tokens: long-lived credentials of one user for `Authorization: Basic`.
    ApiTokens "api_tokens." {
        /// Whether API tokens open the record API. Off, every one is refused and none is lost.
        enabled: bool = true, Switch;
        /// Whether new API tokens can be made through the record API.
        creation: bool = true, Switch;
        /// The most API tokens there can be.
        count_max: usize = 256, count(1, 100_000);
    }
}

section! {
    /// Signing in with a browser, and how passwords are hashed (Argon2id, RFC 9106). A stored
    /// password keeps the parameters it was hashed with.
    SignIn "sign_in." {
        /// How long a browser stays signed in.
        session_lifetime: Duration = Duration::from_secs(43_200), duration(300, 2_592_000);
        /// Memory of one password hash. The default is OWASP's recommendation for two iterations
        /// and one lane.
        password_hash_memory: usize = 19 << 20, size(7 << 20, 1 << 30);
        /// Passes over that memory.
        password_hash_iterations: u32 = 2, small_count(1, 100);
        /// Lanes of one hash.
        password_hash_parallelism: u32 = 1, small_count(1, 16);
        /// How many passwords are hashed at the same time. The others wait, so that many sign-ins
        /// take neither all the memory nor all the processors from token traffic.
        password_hashes_concurrent_max: usize = 2, count(1, 256);
    }
}
