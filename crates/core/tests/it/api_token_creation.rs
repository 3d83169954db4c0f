//! Docs: records, "API token object".

use tokenry_core::{
    api_token::{
        ApiTokenStatus,
        UnboundApiTokens::{AccountWide, Refused},
    },
    api_token_creation::{DESCRIPTION_MAX, approve, missing_scopes, too_many, update},
    minting::Minting,
    user::User,
};
use tokenry_protocol::{
    api::{
        api_tokens::ApiTokenRequest,
        error::FieldErrorCode::{BlankValue, InvalidValue, TooLong, TooManyValues},
        request::Sent,
    },
    ids::{ApiTokenId, UserId},
    secret::Kind,
};

use crate::support::{World, scope, seconds, user};

fn minting(world: &World) -> Minting<'_> {
    Minting { now: world.now, keys: &world.keys, entropy: &world.entropy }
}

fn described(text: &str) -> ApiTokenRequest {
    ApiTokenRequest { description: Sent::Value(text.to_owned()), ..ApiTokenRequest::default() }
}

fn id() -> ApiTokenId {
    ApiTokenId::new(8).unwrap()
}

#[test]
fn an_api_token_works_for_its_maker_unless_for_somebody_else() {
    let (world, maker) = (World::confidential(), user());
    let approved = approve(described("backup"), &maker, None, Refused).unwrap();
    let (token, credential) = approved.issue(id(), &minting(&world));
    assert_eq!((token.user_id, token.assigned_user_id), (maker.id, Some(maker.id)));
    assert_eq!(token.description, "backup");
    assert_eq!(token.status, ApiTokenStatus::Active);
    assert_eq!(credential.parts().kind, Kind::ApiToken);
    assert_eq!(credential.parts().id, 8);
    assert!(token.hash.matches(&credential.hash()));

    let other = User { id: UserId::new(31).unwrap(), ..user() };
    let request = ApiTokenRequest {
        assigned_user_id: Sent::Value(Some(other.id)),
        ..ApiTokenRequest::default()
    };
    for unbound in [Refused, AccountWide] {
        let approved = approve(request.clone(), &maker, Some(&other), unbound).unwrap();
        let (token, _) = approved.issue(id(), &minting(&world));
        assert_eq!((token.user_id, token.assigned_user_id), (maker.id, Some(other.id)));
        assert_eq!(token.description, "");
    }
}

#[test]
fn where_tokens_are_account_wide_one_is_bound_to_nobody_unless_somebody_is_named() {
    let (world, maker) = (World::confidential(), user());
    for assigned_user_id in [Sent::Absent, Sent::Null] {
        let request = ApiTokenRequest { assigned_user_id, ..described("backup") };
        for (unbound, expected) in [(Refused, Some(maker.id)), (AccountWide, None)] {
            let approved = approve(request.clone(), &maker, None, unbound).unwrap();
            let (token, _) = approved.issue(id(), &minting(&world));
            assert_eq!((token.user_id, token.assigned_user_id), (maker.id, expected));
        }
    }
    let nobody = ApiTokenRequest {
        assigned_user_id: Sent::Value(UserId::new(31).ok()),
        ..described("backup")
    };
    approve(nobody, &maker, None, AccountWide).unwrap_err();
}

#[test]
fn it_is_bound_to_a_user_who_is_there_and_described_in_short() {
    let maker = user();
    let nobody = |assigned| ApiTokenRequest {
        assigned_user_id: Sent::Value(assigned),
        ..described(&"x".repeat(DESCRIPTION_MAX + 1))
    };
    for assigned in [None, Some(UserId::new(31).unwrap())] {
        let errors = approve(nobody(assigned), &maker, None, Refused).unwrap_err();
        assert_eq!(errors.of("assigned_user_id")[0].code(), Some(InvalidValue));
        assert_eq!(errors.of("description")[0].code(), Some(TooLong));
    }
    assert_eq!(too_many(256).of("api_token")[0].code(), Some(TooManyValues));
}

/// Whatever record a caller hands over, it speaks for the user of its own id only.
#[test]
fn a_user_who_is_not_the_one_named_is_nobody() {
    let maker = user();
    let request = ApiTokenRequest {
        assigned_user_id: Sent::Value(Some(UserId::new(31).unwrap())),
        ..described("backup")
    };
    let errors = approve(request, &maker, Some(&maker), Refused).unwrap_err();
    assert_eq!(errors.of("assigned_user_id")[0].description, "Assigned user id: no such user");
}

#[test]
fn description_and_status_can_change() {
    let (mut world, maker) = (World::confidential(), user());
    let approved = approve(described("nightly"), &maker, None, Refused).unwrap();
    let (before, _) = approved.issue(id(), &minting(&world));
    world.wait(seconds(60));
    let request = ApiTokenRequest { active: Sent::Value(false), ..ApiTokenRequest::default() };
    let after = update(&before, request, world.now).unwrap();
    assert_eq!(after.status, ApiTokenStatus::Inactive);
    assert_eq!(after.description, "nightly");
    assert_eq!(after.updated_at, world.now);
    assert_eq!(after.created_at, before.created_at);
    let request = ApiTokenRequest { description: Sent::Null, ..ApiTokenRequest::default() };
    let after = update(&after, request, world.now).unwrap();
    assert_eq!(after.status, ApiTokenStatus::Inactive, "what is left out stays");
    assert_eq!(after.description, "");
    let request = ApiTokenRequest { active: Sent::Null, ..ApiTokenRequest::default() };
    let errors = update(&before, request, world.now).unwrap_err();
    assert_eq!(errors.of("active")[0].code(), Some(BlankValue));
}

/// An API token has every right of its user, so minting one takes a scope for everything.
#[test]
fn minting_one_takes_the_scope_for_everything() {
    let catalog = World::confidential().policy.scopes;
    for (held, missing) in [
        ("read write impersonate", ""),
        ("unrestricted impersonate", ""),
        ("read write", "impersonate"),
        ("write", "read impersonate"),
        ("oauth:write", "read write impersonate"),
        ("oauth tickets users", "read write impersonate"),
    ] {
        let found: Vec<_> =
            missing_scopes(&scope(held), &catalog).iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), missing, "{held}");
    }
}
