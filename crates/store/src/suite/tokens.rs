//! Tokens: from the code to the end of the record.

use std::sync::Arc;

use tokenry_core::{
    event::{Actor, EventKind},
    grant::{SentTo, Stage},
    grant_types::authorization_code::Redemption,
};
use tokenry_protocol::{ids::TokenId, oauth::authorization::AuthorizationRequest, time::Seconds};

use super::support::{START, World, after, assert_same, request, thirty_two, verifier};
use crate::{
    ChangedRecord, Conditional, PurgeRequest, PurgeSubject, Store, StoreError, TokenFilter,
    TokenUse, WrongVerifierCount,
};

/// With a named redirect address and with the only one, with a challenge and without.
pub async fn a_code_comes_back_with_all_it_is_bound_to(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let bare = AuthorizationRequest {
        redirect_uri: None,
        code_challenge: None,
        code_challenge_method: None,
        ..request()
    };
    for request in [request(), bare] {
        let is_bare = request.redirect_uri.is_none();
        let (token, _) = world.new_consent(&parties, request, after(1)).await;
        let expected = token.token().clone();
        world.store.insert_token(token).await.unwrap();
        let found = world.token(expected.id).await;
        assert_same(&found, &expected);
        let Stage::Consented(consented) = &found.stage else {
            panic!("nothing was redeemed");
        };
        let is_only = matches!(consented.redirect_uri, SentTo::Only(_));
        assert_eq!((is_only, consented.challenge.is_none()), (is_bare, is_bare));
    }
}

/// Those of client credentials and those that an administrator makes, which never expire.
pub async fn a_record_of_an_access_token_alone_comes_back(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let credentials = world.client_credentials(&parties.client, after(1)).await;
    let created = world.created(&parties, "tickets:read reed write", after(2)).await;
    for expected in [credentials, created] {
        assert_same(&world.token(expected.id).await, &expected);
    }
}

/// Not an error.
pub async fn a_record_that_is_not_there_is_none(store: Arc<dyn Store>) {
    let nothing = TokenId::new(9).unwrap();
    assert!(store.find_token(nothing).await.unwrap().is_none());
    assert!(store.list_events(nothing).await.unwrap().is_empty());
}

/// Its client or user was deleted and purged while the request was under way: it is as dead as the
/// records that they had before, and goes with them.
pub async fn a_record_of_nobody_is_over_from_the_start(store: Arc<dyn Store>) {
    let world = World::new(Arc::clone(&store));
    let parties = world.parties().await;
    let (token, _) = world.new_consent(&parties, request(), START).await;
    let id = token.token().id;
    let mut strangers = parties;
    strangers.user = world.new_user().await;
    let (stray, _) = world.new_consent(&strangers, request(), START).await;
    let stray_id = stray.token().id;
    store.insert_token(stray).await.unwrap();
    store.insert_token(token).await.unwrap();
    let created = world.created(&strangers, "read", START).await;
    let user = Some(strangers.user.id);
    for filter in [TokenFilter::default(), TokenFilter { user, ..TokenFilter::default() }] {
        assert_eq!(world.listed(filter, START).await, []);
    }
    let subject = PurgeSubject::Tokens { grants_kept: Seconds(9) };
    let request = PurgeRequest { subject, after: 0, limit: 9, now: START };
    assert_eq!(store.purge(request).await.unwrap().removed, 2);
    for over in [stray_id, created.id] {
        assert!(store.find_token(over).await.unwrap().is_none());
    }
    assert!(store.find_token(id).await.unwrap().is_some());
}

/// Ids come from leases, so this is a mistake of ours, and it must not go unnoticed.
pub async fn a_second_record_of_one_id_is_an_error(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (token, _) = world.new_consent(&parties, request(), START).await;
    let expected = token.token().clone();
    world.store.insert_token(token.clone()).await.unwrap();
    let again = world.store.insert_token(token).await;
    assert!(matches!(again, Err(StoreError::Corrupt(_))));
    assert_same(&world.token(expected.id).await, &expected);
}

/// In the same row, which keeps its id and its time.
pub async fn redeeming_a_code_makes_it_tokens(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let before = world.token(code.id).await;
    assert!(world.listed(TokenFilter::default(), START).await.is_empty());
    let (write, _) = world.redemption(&parties, &code, after(2)).await;
    let issued = write.issued().clone();
    let redeemed = world.store.redeem_authorization_code(write).await.unwrap();
    assert_eq!(redeemed, Conditional::Now);
    let mut expected = before;
    expected.stage = Stage::Issued(issued);
    assert_same(&world.token(code.id).await, &expected);
    let listed = world.listed(TokenFilter::default(), after(2)).await;
    assert_eq!(listed, [code.id]);
}

/// RFC 6749 §4.1.2, whatever happens at the same time.
pub async fn of_32_redemptions_of_one_code_one_wins(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let mut writes = Vec::new();
    for _ in 0..32 {
        writes.push(world.redemption(&parties, &code, START).await.0);
    }
    let redeemed = thirty_two(|number| {
        let store = Arc::clone(&world.store);
        let write = writes[usize::try_from(number).unwrap()].clone();
        async move {
            let hash = *write.issued().access.hash.as_bytes();
            (store.redeem_authorization_code(write).await.unwrap(), hash)
        }
    });
    let redeemed = redeemed.await;
    let winners: Vec<_> =
        redeemed.iter().filter(|(outcome, _)| *outcome == Conditional::Now).collect();
    assert_eq!(winners.len(), 1);
    let issued = world.issued(code.id).await;
    assert_eq!(issued.rotation, 1);
    assert_eq!(*issued.access.hash.as_bytes(), winners[0].1);
}

/// Whoever comes later finds nothing to turn into tokens.
pub async fn a_code_that_was_ended_is_not_redeemed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let (write, _) = world.redemption(&parties, &code, START).await;
    let token = world.token(code.id).await;
    assert_eq!(world.revoke(&token, START).await, Conditional::Now);
    let redeemed = world.store.redeem_authorization_code(write).await.unwrap();
    assert_eq!(redeemed, Conditional::Already);
    assert!(world.store.find_token(code.id).await.unwrap().is_none());
}

/// Four are counted, the fifth ends it and is remembered.
pub async fn the_fifth_wrong_verifier_ends_a_code(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let write = world.wrong_verifier(&parties, &code).await;
    for count in 1..=4 {
        let counted = world.store.count_wrong_verifier(write.clone()).await;
        assert_eq!(counted.unwrap(), WrongVerifierCount::Counted);
        let Stage::Consented(consented) = world.token(code.id).await.stage else {
            panic!("nothing was redeemed");
        };
        assert_eq!(consented.wrong_verifiers, count);
    }
    let right = world.decide_redemption(&parties, &code, &verifier(), START).await;
    assert!(matches!(right, Redemption::Issue { .. }));
    let ended = world.store.count_wrong_verifier(write.clone()).await.unwrap();
    assert_eq!(ended, WrongVerifierCount::Ended);
    assert!(world.store.find_token(code.id).await.unwrap().is_none());
    let events = world.store.list_events(code.id).await.unwrap();
    assert_eq!(events, [write.end().event().clone()]);
    assert_eq!(events[0].kind, EventKind::VerifiersSpent);
    let again = world.store.count_wrong_verifier(write).await.unwrap();
    assert_eq!(again, WrongVerifierCount::NotFound);
}

/// No guess is lost in the crowd.
pub async fn of_32_wrong_verifiers_four_are_counted_and_one_ends_the_code(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let write = world.wrong_verifier(&parties, &code).await;
    let counted = thirty_two(|_| {
        let (store, write) = (Arc::clone(&world.store), write.clone());
        async move { store.count_wrong_verifier(write).await.unwrap() }
    });
    let counted = counted.await;
    let of = |kind| counted.iter().filter(|one| **one == kind).count();
    assert_eq!(of(WrongVerifierCount::Counted), 4);
    assert_eq!(of(WrongVerifierCount::Ended), 1);
    assert_eq!(of(WrongVerifierCount::NotFound), 27);
    assert_eq!(world.store.list_events(code.id).await.unwrap().len(), 1);
}

/// A guess cannot reach the tokens that came of the code.
pub async fn a_wrong_verifier_after_redemption_harms_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let write = world.wrong_verifier(&parties, &code).await;
    let (redemption, _) = world.redemption(&parties, &code, START).await;
    world.store.redeem_authorization_code(redemption).await.unwrap();
    let counted = world.store.count_wrong_verifier(write).await.unwrap();
    assert_eq!(counted, WrongVerifierCount::NotFound);
    assert_eq!(world.issued(code.id).await.rotation, 1);
}

/// The row goes with both tokens and the code; the event stays, and others are told.
pub async fn ending_a_grant_leaves_an_event_and_a_change(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, _) = world.grant(&parties, START).await;
    let (other, _) = world.grant(&parties, START).await;
    let token = world.token(id).await;
    assert_eq!(world.revoke(&token, after(3)).await, Conditional::Now);
    assert!(world.store.find_token(id).await.unwrap().is_none());
    assert_eq!(world.listed(TokenFilter::default(), START).await, [other]);
    let events = world.store.list_events(id).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].at, after(3));
    assert_eq!(events[0].actor, Actor::User(parties.user.id));
    let record = ChangedRecord::Token(id);
    assert_eq!(world.changes().await, [(1, record)]);
}

/// One end, one event.
pub async fn of_32_ends_of_one_grant_one_is_remembered(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, _) = world.grant(&parties, START).await;
    let token = world.token(id).await;
    let ended = thirty_two(|_| {
        let (world, token) = (Arc::clone(&world), token.clone());
        async move { world.revoke(&token, START).await }
    });
    let ended = ended.await;
    let now = ended.iter().filter(|one| **one == Conditional::Now);
    assert_eq!(now.count(), 1);
    assert_eq!(world.store.list_events(id).await.unwrap().len(), 1);
    assert_eq!(world.last_number().await, 1);
}

/// Whatever the order in which uses arrive, and each by itself.
pub async fn the_last_use_of_a_token_never_goes_back(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, _) = world.grant(&parties, START).await;
    for (used_at, rotation, expected) in
        [(5, 1, (5, 1)), (9, 3, (9, 3)), (7, 2, (9, 3)), (8, 4, (9, 4)), (10, 1, (10, 4))]
    {
        let used = TokenUse { id, used_at: after(used_at), rotation };
        world.store.record_token_uses(vec![used]).await.unwrap();
        let issued = world.issued(id).await;
        let found = (issued.used_at, issued.used_rotation);
        assert_eq!(found, (Some(after(expected.0)), expected.1));
    }
    assert_eq!(world.last_number().await, 0);
}

/// A flush may be large, hold strangers, and name a record twice.
pub async fn uses_are_noted_in_batches_of_any_size(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await;
    let (first, _) = world.grant(&parties, START).await;
    let second = world.client_credentials(&parties.client, START).await.id;
    let used = |id, seconds| TokenUse { id, used_at: after(seconds), rotation: 1 };
    let strangers = (1_000..3_000).map(|id| used(TokenId::new(id).unwrap(), 1));
    let mut uses: Vec<_> = strangers.collect();
    uses.extend([used(second, 4), used(code.id, 9), used(first, 6), used(first, 5)]);
    world.store.record_token_uses(uses).await.unwrap();
    world.store.record_token_uses(Vec::new()).await.unwrap();
    assert_eq!(world.issued(first).await.used_at, Some(after(6)));
    assert_eq!(world.issued(second).await.used_at, Some(after(4)));
    assert!(world.token(code.id).await.issued().is_none());
}
