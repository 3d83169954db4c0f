//! How it stands with a credential, and that it stands as the server judges.

use proptest::prelude::*;
use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus, UnboundApiTokens},
    client::{Client, ClientStatus},
    event::{Actor, Event, EventKind},
    grant::Stage,
    introspection::{Subject, describe},
    revocation::revoke,
    sign_in_session::SignInSession,
    standing::{Party, Standing},
    user::User,
};
use tokenry_protocol::{
    ids::{ApiTokenId, SignInSessionId},
    secret::{Credential, Kind, SecretHash},
    time::{Seconds, Timestamp},
};

use crate::support::{Grant, NOON, Redeeming, World, client, issued, seconds, user};

const HASH: SecretHash = SecretHash::from_bytes([1; 32]);

fn of(grant: &Grant, presented: &Credential) -> Standing {
    let parts = presented.parts();
    let client = Party::There(grant.world.client.clone());
    let user = Party::There(grant.world.user.clone().unwrap());
    let asked = (parts.kind, Some(parts.rotation));
    Standing::of_grant(asked, &grant.token, (&client, &user), grant.world.now)
}

#[test]
fn a_code_works_until_it_is_redeemed_and_its_tokens_not_before() {
    let redeeming = Redeeming::of(World::confidential(), "read");
    let (client, user) = (Party::There(redeeming.world.client.clone()), Party::There(user()));
    let at = |kind, second| {
        let now = NOON.plus(Seconds(second));
        Standing::of_grant((kind, None), &redeeming.token, (&client, &user), now)
    };
    let end = NOON.plus(Seconds(120));
    assert_eq!(at(Kind::AuthorizationCode, 119), Standing::Works(Some(end)));
    assert_eq!(at(Kind::AuthorizationCode, 120), Standing::Expired(end));
    assert_eq!(at(Kind::AccessToken, 0), Standing::NotRedeemed);
    let code = redeeming.code.clone();
    assert_eq!(of(&Grant::after(redeeming), &code), Standing::Redeemed);
}

#[test]
fn of_a_record_without_a_refresh_token_there_is_none_to_work_or_to_be_replaced() {
    let mut grant = Grant::new();
    let refresh = grant.pair.refresh.clone();
    let mut alone = issued(&grant.token).clone();
    alone.refresh = None;
    grant.token.stage = Stage::Issued(alone);
    assert_eq!(of(&grant, &refresh), Standing::HasNone);
}

#[test]
fn of_a_refreshed_grant_the_present_pair_works_and_the_one_before_was_replaced() {
    let mut grant = Grant::new();
    let old = grant.rotate();
    assert_eq!(of(&grant, &old.access), Standing::Replaced);
    assert_eq!(of(&grant, &old.refresh), Standing::Replaced);
    let access_end = NOON.plus(Seconds(1_800));
    assert_eq!(of(&grant, &grant.pair.access), Standing::Works(Some(access_end)));
    grant.wait(seconds(1_800));
    assert_eq!(of(&grant, &grant.pair.access), Standing::Expired(access_end));
    assert!(matches!(of(&grant, &grant.pair.refresh), Standing::Works(Some(_))));
}

#[test]
fn whoever_is_stopped_or_deleted_takes_their_tokens_along() {
    let grant = Grant::new();
    let disabled = Client { status: ClientStatus::Disabled, ..grant.world.client.clone() };
    let suspended = User { suspended: true, ..user() };
    let (there, also_there) = (Party::There(grant.world.client.clone()), Party::There(user()));
    for (client, user, expected) in [
        (&Party::There(disabled), &also_there, Standing::ClientDisabled),
        (&Party::Deleted(NOON), &also_there, Standing::ClientDeleted(Some(NOON))),
        (&Party::Gone, &also_there, Standing::ClientDeleted(None)),
        (&there, &Party::There(suspended), Standing::UserSuspended),
        (&there, &Party::Deleted(NOON), Standing::UserDeleted(Some(NOON))),
        (&there, &Party::Gone, Standing::UserDeleted(None)),
    ] {
        let asked = (Kind::AccessToken, None);
        let found = Standing::of_grant(asked, &grant.token, (client, user), NOON);
        assert_eq!(found, expected);
    }
}

#[test]
fn a_record_that_is_gone_was_ended_by_its_last_end_or_is_not_kept_or_never_was() {
    let grant = Grant::new();
    let end = revoke(&grant.token, Actor::Server, NOON).event().clone();
    let leaked = Event { kind: EventKind::PresentedByForeignClient, ..end.clone() };
    let ended = Standing::of_ended_grant(7, 9, &[leaked.clone(), end.clone()]);
    assert_eq!(ended, Standing::Ended(end));
    let leaked = &[leaked];
    assert_eq!(Standing::of_ended_grant(9, 9, leaked), Standing::NoLongerKept);
    assert_eq!(Standing::of_ended_grant(10, 9, &[]), Standing::NeverIssued);
}

#[test]
fn a_client_secret_is_the_present_one_or_was_replaced() {
    let world = World::confidential();
    let there = Party::There(world.client.clone());
    assert_eq!(Standing::of_client_secret(None, &there), Standing::Works(None));
    assert_eq!(Standing::of_client_secret(Some(0), &there), Standing::Works(None));
    assert_eq!(Standing::of_client_secret(Some(1), &there), Standing::Replaced);
    let public = Party::There(client(43, "acme_mobile", None));
    assert_eq!(Standing::of_client_secret(None, &public), Standing::HasNone);
    let deleted = Standing::of_client_secret(None, &Party::Deleted(NOON));
    assert_eq!(deleted, Standing::ClientDeleted(Some(NOON)));
}

#[test]
fn an_api_token_and_a_session_stand_with_their_user() {
    let token = |status| ApiToken {
        id: ApiTokenId::new(1).unwrap(),
        hash: HASH,
        description: String::new(),
        status,
        user_id: user().id,
        assigned_user_id: Some(user().id),
        created_at: NOON,
        updated_at: NOON,
        last_used: None,
    };
    let there = Party::There(user());
    for unbound in [UnboundApiTokens::Refused, UnboundApiTokens::AccountWide] {
        let of = |status, user| Standing::of_api_token(&token(status), user, unbound);
        assert_eq!(of(ApiTokenStatus::Active, &there), Standing::Works(None));
        assert_eq!(of(ApiTokenStatus::Inactive, &there), Standing::SwitchedOff);
        assert_eq!(of(ApiTokenStatus::Active, &Party::Gone), Standing::UserDeleted(None));
    }
    for (status, unbound, standing) in [
        (ApiTokenStatus::Active, UnboundApiTokens::Refused, Standing::BoundToNobody),
        (ApiTokenStatus::Active, UnboundApiTokens::AccountWide, Standing::Works(None)),
        (ApiTokenStatus::Inactive, UnboundApiTokens::Refused, Standing::SwitchedOff),
        (ApiTokenStatus::Inactive, UnboundApiTokens::AccountWide, Standing::SwitchedOff),
    ] {
        let token = ApiToken { assigned_user_id: None, ..token(status) };
        assert_eq!(Standing::of_api_token(&token, &Party::Gone, unbound), standing);
    }

    let end = NOON.plus(Seconds(60));
    let session = SignInSession {
        id: SignInSessionId::new(5).unwrap(),
        hash: HASH,
        user_id: user().id,
        password_epoch: 0,
        created_at: NOON,
        expires_at: end,
    };
    let at = |user: &Party<User>, now| Standing::of_sign_in_session(&session, user, now);
    assert_eq!(at(&there, NOON), Standing::Works(Some(end)));
    assert_eq!(at(&there, end), Standing::Expired(end));
    let changed = Party::There(User { password_epoch: 1, ..user() });
    assert_eq!(at(&changed, NOON), Standing::PasswordChanged);
    let suspended = Party::There(User { suspended: true, ..user() });
    assert_eq!(at(&suspended, NOON), Standing::UserSuspended);
}

proptest! {
    /// Introspection knows the credential itself, and must come to the same.
    #[test]
    fn what_is_said_to_work_is_what_introspection_finds_active(
        rotations in 0..3_usize,
        second in 0..3_000_000_u32,
        is_disabled in any::<bool>(),
        is_suspended in any::<bool>(),
    ) {
        let mut grant = Grant::new();
        let mut held = vec![grant.pair.clone()];
        for _ in 0..rotations {
            grant.wait(seconds(60));
            grant.rotate();
            held.push(grant.pair.clone());
        }
        grant.world.now = NOON.plus(Seconds(second));
        if is_disabled {
            grant.world.client.status = ClientStatus::Disabled;
        }
        if is_suspended {
            grant.world.suspend_user();
        }
        for presented in held.iter().flat_map(|pair| [&pair.access, &pair.refresh]) {
            let user = grant.world.user.as_ref().unwrap();
            let subject = Subject { client: &grant.world.client, user, issuer: "https://a.test" };
            let described = describe(&grant.token, presented, &subject, grant.world.now);
            let is_active = described.active;
            let works = matches!(of(&grant, presented), Standing::Works(_));
            prop_assert_eq!(works, is_active, "{:?}", of(&grant, presented));
        }
    }
}

/// JSON has a word for each.
#[test]
fn every_standing_has_a_word_of_its_own() {
    let event = revoke(&Grant::new().token, Actor::Server, NOON).event().clone();
    let time = Some(Timestamp::from_seconds(0));
    let all = [
        Standing::Works(None),
        Standing::NotRedeemed,
        Standing::Redeemed,
        Standing::HasNone,
        Standing::Replaced,
        Standing::Expired(NOON),
        Standing::SwitchedOff,
        Standing::BoundToNobody,
        Standing::PasswordChanged,
        Standing::ClientDisabled,
        Standing::ClientDeleted(time),
        Standing::UserSuspended,
        Standing::UserDeleted(time),
        Standing::Ended(event),
        Standing::NoLongerKept,
        Standing::NeverIssued,
    ];
    let words: std::collections::BTreeSet<_> = all.iter().map(Standing::as_str).collect();
    assert_eq!(words.len(), all.len());
}
