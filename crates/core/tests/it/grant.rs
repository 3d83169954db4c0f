//! A record: when it is over, and how uses are laid over it.

use tokenry_core::{
    event::EventKind,
    grant::{AccessToken, Issued, RefreshToken},
};
use tokenry_protocol::{
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

use crate::support::{NOON, scope};

const HASH: SecretHash = SecretHash::from_bytes([1; 32]);

fn pair(access_lifetime: Option<u32>, refresh_lifetime: Option<u32>) -> Issued {
    Issued {
        rotation: 1,
        scope: scope("read"),
        access: AccessToken { hash: HASH, issued_at: NOON, lifetime: access_lifetime.map(Seconds) },
        refresh: refresh_lifetime.map(|lifetime| RefreshToken {
            hash: HASH,
            expires_at: NOON.plus(Seconds(lifetime)),
            lifetime: Seconds(lifetime),
            previous: None,
        }),
        used_at: None,
        used_rotation: 0,
    }
}

/// A record lives while its refresh token does, whatever became of its access token.
#[test]
fn a_record_is_over_when_both_its_tokens_are() {
    for (access, refresh, after, expected) in [
        (Some(60), Some(600), 59, false),
        (Some(60), Some(600), 60, false),
        (Some(60), Some(600), 599, false),
        (Some(60), Some(600), 600, true),
        (Some(60), None, 59, false),
        (Some(60), None, 60, true),
        (None, None, 1_000_000, false),
    ] {
        let now = NOON.plus(Seconds(after));
        let is_over = pair(access, refresh).is_expired(now);
        assert_eq!(is_over, expected, "{access:?} {refresh:?} after {after}");
    }
}

#[test]
fn an_access_token_ends_on_the_millisecond() {
    let access = pair(Some(60), None).access;
    let at = |millis| Timestamp::from_millis(NOON.as_millis() + millis);
    assert!(!access.is_expired(at(59_999)));
    assert!(access.is_expired(at(60_000)));
    assert!(!pair(None, None).access.is_expired(at(i64::MAX / 2)), "without a lifetime: never");
}

#[test]
fn a_use_moves_the_record_forward_and_never_back() {
    let mut issued = pair(Some(60), None);
    issued.overlay(NOON, 1);
    assert_eq!((issued.used_at, issued.used_rotation), (Some(NOON), 1));
    let later = NOON.plus(Seconds(5));
    issued.overlay(later, 2);
    issued.overlay(NOON, 1);
    assert_eq!((issued.used_at, issued.used_rotation), (Some(later), 2));
}

#[test]
fn the_kind_of_an_event_reads_back_from_its_word() {
    for (kind, word) in [
        (EventKind::Revoked, "revoked"),
        (EventKind::CodeReplayed, "code_replayed"),
        (EventKind::RefreshTokenReplayed, "refresh_token_replayed"),
        (EventKind::VerifiersSpent, "verifiers_spent"),
        (EventKind::PresentedByForeignClient, "presented_by_foreign_client"),
    ] {
        assert_eq!(kind.as_str(), word, "rows of the database hold it");
        assert_eq!(EventKind::parse(word), Some(kind));
    }
    assert_eq!(EventKind::parse("other"), None);
}
