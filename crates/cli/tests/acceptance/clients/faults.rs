//! What goes wrong, and on which call.

/// On a read: the call that a client makes most.
pub(super) const ON_A_READ: &[&str] = &[
    "lose-answer route=record-api",
    "cut-answer route=record-api",
    "delay=1s route=record-api",
    "rate-limited=1 route=record-api",
    "rate-limited=1 route=record-api times=4",
    "status=500 route=record-api",
    "status=502 route=record-api",
    "status=503 route=record-api",
    "status=504 route=record-api",
    "expire-token route=record-api",
    "revoke-token route=record-api",
    "rotate-token route=record-api",
    "clock-skew=31m route=record-api",
];

/// On a refresh, and on what the token is then used for.
pub(super) const ON_A_REFRESH: &[&str] = &[
    "lose-answer route=refresh",
    FORGIVING,
    "cut-answer route=refresh",
    "delay=1s route=refresh",
    "rate-limited=1 route=refresh",
    "rate-limited=1 route=refresh times=4",
    "status=500 route=refresh",
    "status=502 route=refresh",
    "status=503 route=refresh",
    "status=504 route=refresh",
    "status=504 applied route=refresh",
    "expires-in=missing route=refresh",
    "expires-in=172800 route=refresh",
    "clock-skew=31d route=refresh",
    "expire-token route=refresh",
    "revoke-token route=refresh",
    "rotate-token route=refresh",
    "expire-token route=record-api",
    "revoke-token route=record-api",
    "rotate-token route=record-api",
];

/// On the redemption of a code, which is a sign-in.
pub(super) const ON_A_CODE: &[&str] = &[
    "lose-answer route=code",
    "cut-answer route=code",
    "delay=1s route=code",
    "rate-limited=1 route=code",
    "rate-limited=1 route=code times=4",
    "status=500 route=code",
    "status=502 route=code",
    "status=503 route=code",
    "status=504 route=code",
    "status=504 applied route=code",
    "expires-in=missing route=code",
];

/// The first once more, at a twin that gives a lost answer again.
const FORGIVING: &str = "lose-answer route=refresh (--rotation forgiving)";

/// The rule of a row, and the rotation of the twin that it is put in force at.
pub(super) fn rule(row: &str) -> (&str, &'static str) {
    match row.strip_suffix(" (--rotation forgiving)") {
        Some(rule) => (rule, "forgiving"),
        None => (row, "single-use"),
    }
}
