//! How much the server takes: failed authentications, sizes, times, connections.

use std::time::Duration;

use super::{
    kinds::{Optional, count, duration, size, small_count},
    section::section,
};

/// The limits that `rate_limits = false` switches off.
pub(super) const RATE_LIMIT_KEYS: [&str; 4] = [
    "limits.failed_authentications_per_account",
    "limits.failed_authentications_per_address",
    "limits.failed_bearers_per_address",
    "limits.requests_per_caller",
];

section! {
    /// How much the server takes before it refuses. Rates of failures count a minute from its first
    /// failure and are answered with 429 and `Retry-After`; calls that authenticate do not count.
    /// `rate_limits = false` switches all rates off at once; sizes, times and connections stay.
    Limits "limits." {
        /// Failed sign-ins, API tokens and client secrets in a minute for one account, from any
        /// address. Over it the right credential is refused too until the minute is over; a browser
        /// that signed in to the account before keeps a way in of its own.
        failed_authentications_per_account: Option<u32> = Some(20),
            Optional(small_count(1, 1_000_000));
        /// The same from one address (of IPv6, from one /64 network), for any account.
        failed_authentications_per_address: Option<u32> = Some(60),
            Optional(small_count(1, 1_000_000));
        /// Refused bearer tokens in a minute from one address. Unset by default: a gateway's
        /// expired tokens share one address.
        failed_bearers_per_address: Option<u32> = None,
            Optional(small_count(1, 1_000_000));
        /// The longest request body; above it 413.
        body_max: usize = 64 << 10, size(1 << 10, 16 << 20);
        /// The longest request head (request line and headers); above it 431.
        head_max: usize = 16 << 10, size(8 << 10, 1 << 20);
        /// The longest request target (path and query); above it 414. Less than
        /// `limits.head_max`.
        url_max: usize = 8 << 10, size(1 << 10, 60 << 10);
        /// How long a client may take to send a request's head. Then the connection is closed.
        head_timeout: Duration = Duration::from_secs(10), duration(1, 600);
        /// How long a request's body may take to arrive, then 408; and how long a client may take
        /// nothing of its answer, then the connection is closed.
        request_timeout: Duration = Duration::from_secs(30), duration(1, 3_600);
        /// How long a connection may stay open between requests.
        idle_timeout: Duration = Duration::from_secs(75), duration(1, 3_600);
        /// The most connections at the same time; further ones wait to be accepted. Keep it below
        /// the limit of open files.
        connections_max: usize = 10_240, count(1, 1_000_000);
        /// The most requests at the same time on one HTTP/2 connection (RFC 9113 §6.5.2).
        http2_streams_max: u32 = 100, small_count(1, 10_000);
        /// How many requests that an HTTP/2 peer opened and reset may wait on a connection before
        /// it is closed (CVE-2023-44487, "rapid reset").
        http2_pending_resets_max: usize = 20, count(1, 10_000);
        /// How many HTTP/2 streams of one connection the server may have to reset for the peer's
        /// errors before the connection is closed (RUSTSEC-2024-0003).
        http2_local_resets_max: usize = 1_024, count(1, 100_000);
        /// How long a stopping server waits for what is in flight. Then it closes the connections.
        stop_timeout: Duration = Duration::from_secs(30), duration(0, 3_600);
        /// Requests of one caller in a sliding minute, then 429 with `Retry-After`: of a user on
        /// the record API, where answers then say what is left (`X-Rate-Limit`, `ratelimit-limit`
        /// and so on), and of a client at the token endpoint; of a client that shows no secret
        /// there, each address by itself. Where a token looks at itself and introspection are not
        /// limited. Each node counts by itself. Unset by default; 700 is what one plan of
        /// Zendesk's allows.
        requests_per_caller: Option<u32> = None,
            Optional(small_count(1, 1_000_000));
    }
}
