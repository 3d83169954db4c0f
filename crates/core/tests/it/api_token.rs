//! Docs: rules, "Authentication to the record API".

use tokenry_core::{
    api_token::{
        ApiToken, ApiTokenStatus,
        UnboundApiTokens::{self, AccountWide, Refused},
        user_of,
    },
    refusal::in_words,
    user::User,
};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    secret::SecretHash,
};

use crate::support::{NOON, user};

const EMAIL: &str = "ada@acme.test";

fn ada() -> User {
    User { email: "Ada@Acme.test".to_owned(), ..user() }
}

fn token(assigned_user_id: Option<UserId>) -> ApiToken {
    ApiToken {
        id: ApiTokenId::new(7).unwrap(),
        hash: SecretHash::from_bytes([7; 32]),
        description: String::new(),
        status: ApiTokenStatus::Active,
        user_id: user().id,
        assigned_user_id,
        created_at: NOON,
        updated_at: NOON,
        last_used: None,
    }
}

/// Whose call it is; a refusal is in words that say more than one word does.
fn judged(
    token: &ApiToken,
    user: Option<&User>,
    email: &str,
    unbound: UnboundApiTokens,
) -> Result<UserId, &'static str> {
    match user_of(token, user, email, unbound) {
        Ok(user) => Ok(user.id),
        Err(reason) => {
            assert_ne!(in_words(reason), reason);
            Err(reason)
        }
    }
}

#[test]
fn a_token_is_of_whom_it_is_bound_to_or_else_of_its_maker() {
    let (maker, other) = (user().id, UserId::new(31).unwrap());
    for (assigned, of_maker, of_other) in
        [(None, true, false), (Some(maker), true, false), (Some(other), false, true)]
    {
        let token = token(assigned);
        assert_eq!((token.is_of(maker), token.is_of(other)), (of_maker, of_other), "{assigned:?}");
    }
}

#[test]
fn a_bound_token_works_for_its_user_and_with_that_address_alone() {
    let (ada, other) = (ada(), User { id: UserId::new(31).unwrap(), ..ada() });
    let bound = token(Some(ada.id));
    let suspended = User { suspended: true, ..ada.clone() };
    let unverified = User { verified: false, ..ada.clone() };
    let off = ApiToken { status: ApiTokenStatus::Inactive, ..bound.clone() };
    for unbound in [Refused, AccountWide] {
        let of =
            |token: &ApiToken, user: &User, email: &str| judged(token, Some(user), email, unbound);
        assert_eq!(of(&bound, &ada, EMAIL), Ok(ada.id));
        assert_eq!(of(&bound, &unverified, EMAIL), Ok(ada.id));
        assert_eq!(of(&bound, &ada, "ben@acme.test"), Err("other address"));
        assert_eq!(of(&bound, &other, EMAIL), Err("other address"));
        assert_eq!(of(&bound, &suspended, EMAIL), Err("user suspended"));
        assert_eq!(of(&off, &ada, EMAIL), Err("switched off"));
        assert_eq!(judged(&bound, None, EMAIL, unbound), Err("user deleted"));
    }
}

#[test]
fn a_token_that_is_bound_to_nobody_works_for_every_verified_user_where_such_tokens_work() {
    let ada = ada();
    let unbound = token(None);
    let other = User { id: UserId::new(31).unwrap(), email: "ben@acme.test".to_owned(), ..user() };
    let suspended = User { suspended: true, ..ada.clone() };
    let unverified = User { verified: false, ..ada.clone() };
    let off = ApiToken { status: ApiTokenStatus::Inactive, ..unbound.clone() };
    let of =
        |token: &ApiToken, user: &User, email: &str| judged(token, Some(user), email, AccountWide);
    assert_eq!(of(&unbound, &ada, EMAIL), Ok(ada.id));
    assert_eq!(of(&unbound, &other, "ben@acme.test"), Ok(other.id));
    assert_eq!(of(&unbound, &other, EMAIL), Err("other address"));
    assert_eq!(of(&unbound, &suspended, EMAIL), Err("user suspended"));
    assert_eq!(of(&unbound, &unverified, EMAIL), Err("user not verified"));
    assert_eq!(of(&off, &ada, EMAIL), Err("switched off"));
    assert_eq!(judged(&unbound, None, EMAIL, AccountWide), Err("other address"));
    for user in [Some(&ada), None] {
        assert_eq!(judged(&unbound, user, EMAIL, Refused), Err("bound to nobody"));
    }
}
