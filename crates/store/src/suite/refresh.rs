//! Rotation in place, and repeats.

use std::sync::Arc;

use tokenry_core::{
    early_expiry::{expire_access_token, expire_pair},
    grant::{Stage, Token},
    grant_types::refresh_token::{Refresh, RepeatRenewal, TokenRotation},
    issue::IssuedTokens,
};
use tokenry_protocol::secret::Credential;

use super::support::{Parties, START, World, after, assert_same, thirty_two};
use crate::{Conditional, Store, TokenFilter, TokenUse};

fn pair(answer: &IssuedTokens) -> (String, String) {
    let (refresh, _) = answer.refresh_token.as_ref().unwrap();
    (answer.access_token.reveal().to_owned(), refresh.reveal().to_owned())
}

fn refresh_token(answer: &IssuedTokens) -> Credential {
    answer.refresh_token.clone().unwrap().0
}

async fn rotation(world: &World, parties: &Parties, presented: &Credential) -> TokenRotation {
    match world.decide_refresh(parties, presented, after(1)).await {
        Refresh::Rotate { write, .. } => write,
        other => panic!("{other:?}"),
    }
}

/// A repeat long after the window, of which nothing was used.
async fn renewal(world: &World, parties: &Parties, presented: &Credential) -> RepeatRenewal {
    match world.decide_refresh(parties, presented, after(9_000)).await {
        Refresh::Renew { write, .. } => write,
        other => panic!("{other:?}"),
    }
}

/// Both hashes, both expiries, the hash before, salt and key; id and time of consent stay.
pub async fn a_rotation_replaces_both_tokens_in_the_same_record(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let mut presented = refresh_token(&first);
    for round in 2..=4 {
        let before = world.token(id).await;
        let write = rotation(&world, &parties, &presented).await;
        let issued = write.issued().clone();
        assert_eq!(issued.rotation, round);
        let rotated = world.store.rotate_refresh_token(write).await.unwrap();
        assert_eq!(rotated, Conditional::Now);
        let mut expected = before;
        expected.stage = Stage::Issued(issued);
        assert_same(&world.token(id).await, &expected);
        presented = match world.decide_refresh(&parties, &presented, after(1)).await {
            Refresh::Repeat(answer) => refresh_token(&answer),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(world.listed(TokenFilter::default(), START).await, [id]);
}

/// One write, and by its salt the same tokens for whoever lost the race.
pub async fn of_32_rotations_one_is_written_and_all_get_the_same_tokens(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = refresh_token(&first);
    let decided = Arc::new(tokio::sync::Barrier::new(32));
    let answers = thirty_two(|_| {
        let (world, parties) = (Arc::clone(&world), parties.clone());
        let (presented, decided) = (presented.clone(), Arc::clone(&decided));
        async move {
            let decision = world.decide_refresh(&parties, &presented, after(1)).await;
            // Everybody has read the record before anybody writes.
            decided.wait().await;
            let Refresh::Rotate { write, answer } = decision else {
                panic!("{decision:?}");
            };
            match world.store.rotate_refresh_token(write).await.unwrap() {
                Conditional::Now => (Conditional::Now, pair(&answer)),
                Conditional::Already => {
                    match world.decide_refresh(&parties, &presented, after(1)).await {
                        Refresh::Repeat(answer) => (Conditional::Already, pair(&answer)),
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    });
    let answers = answers.await;
    let written = answers.iter().filter(|(one, _)| *one == Conditional::Now);
    assert_eq!(written.count(), 1);
    let (_, tokens) = &answers[0];
    assert!(answers.iter().all(|(_, same)| same == tokens));
    let issued = world.issued(id).await;
    assert_eq!(issued.rotation, 2);
    let access = Credential::parse(&tokens.0).unwrap();
    assert!(issued.access.hash.matches(&access.hash()));
}

/// Nothing of it, however the record moved on.
pub async fn a_rotation_decided_on_an_older_record_writes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = refresh_token(&first);
    let late = rotation(&world, &parties, &presented).await;
    world.rotate(&parties, &presented, after(1)).await;
    let before = world.token(id).await;
    let rotated = world.store.rotate_refresh_token(late.clone()).await.unwrap();
    assert_eq!(rotated, Conditional::Already);
    assert_same(&world.token(id).await, &before);

    world.revoke(&before, after(2)).await;
    let rotated = world.store.rotate_refresh_token(late).await.unwrap();
    assert_eq!(rotated, Conditional::Already);
    assert!(world.store.find_token(id).await.unwrap().is_none());
}

/// A use that is on its way to the store is not undone by a rotation.
pub async fn a_rotation_leaves_uses_alone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let write = rotation(&world, &parties, &refresh_token(&first)).await;
    let used = TokenUse { id, used_at: after(8), rotation: 1 };
    world.store.record_token_uses(vec![used]).await.unwrap();
    world.store.rotate_refresh_token(write).await.unwrap();
    let issued = world.issued(id).await;
    assert_eq!((issued.used_at, issued.used_rotation), (Some(after(8)), 1));
}

/// The same tokens, with lifetimes and window anew.
pub async fn a_renewal_starts_lifetimes_and_window_anew(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = refresh_token(&first);
    let second = world.rotate(&parties, &presented, after(1)).await;
    let before = world.token(id).await;
    let write = renewal(&world, &parties, &presented).await;
    let issued = write.issued().clone();
    assert_eq!(world.store.renew_repeat(write).await.unwrap(), Conditional::Now);
    let mut expected = before;
    expected.stage = Stage::Issued(issued.clone());
    assert_same(&world.token(id).await, &expected);
    assert_eq!(issued.access.issued_at, after(9_000));
    match world.decide_refresh(&parties, &presented, after(9_001)).await {
        Refresh::Repeat(again) => assert_eq!(pair(&again), pair(&second)),
        other => panic!("{other:?}"),
    }
}

/// The lifetime that is not there stays so, and comes back as it was kept.
pub async fn a_pair_without_expiry_is_rotated_and_renewed_as_any_other(store: Arc<dyn Store>) {
    let world = World::with(store, None);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    assert_eq!(world.issued(id).await.access.lifetime, None);
    let presented = refresh_token(&first);
    let before = world.token(id).await;
    let write = rotation(&world, &parties, &presented).await;
    let after_write = write.after(&before);
    assert_eq!(world.store.rotate_refresh_token(write).await.unwrap(), Conditional::Now);
    assert_same(&world.token(id).await, &after_write);
    assert_eq!(world.issued(id).await.access.lifetime, None);

    let write = renewal(&world, &parties, &presented).await;
    let issued = write.issued().clone();
    assert_eq!(world.store.renew_repeat(write).await.unwrap(), Conditional::Now);
    let renewed = Token { stage: Stage::Issued(issued), ..after_write };
    assert_same(&world.token(id).await, &renewed);
    assert_eq!(world.issued(id).await.access.lifetime, None);
}

/// Then the old token is a replay, which the next decision will see.
pub async fn a_pair_that_was_used_or_rotated_meanwhile_is_not_renewed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = refresh_token(&first);
    let second = world.rotate(&parties, &presented, after(1)).await;
    let write = renewal(&world, &parties, &presented).await;
    let used = |rotation| TokenUse { id, used_at: after(8), rotation };
    world.store.record_token_uses(vec![used(2)]).await.unwrap();
    let before = world.token(id).await;
    let renewed = world.store.renew_repeat(write.clone()).await.unwrap();
    assert_eq!(renewed, Conditional::Already);
    assert_same(&world.token(id).await, &before);
    let decision = world.decide_refresh(&parties, &presented, after(9_000)).await;
    assert!(matches!(decision, Refresh::Replay(_)));

    world.rotate(&parties, &refresh_token(&second), after(2)).await;
    let before = world.token(id).await;
    let renewed = world.store.renew_repeat(write).await.unwrap();
    assert_eq!(renewed, Conditional::Already);
    assert_same(&world.token(id).await, &before);
}

/// A use that the decision knew from memory and the store does not know yet is no obstacle, or the
/// client would be put off until the next flush.
pub async fn a_use_that_the_decision_knew_does_not_stop_a_renewal(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = refresh_token(&first);
    let used = TokenUse { id, used_at: after(1), rotation: 1 };
    world.store.record_token_uses(vec![used]).await.unwrap();
    world.rotate(&parties, &presented, after(1)).await;
    let write = renewal(&world, &parties, &presented).await;
    assert_eq!(write.issued().used_rotation, 1);
    assert_eq!(world.store.renew_repeat(write).await.unwrap(), Conditional::Now);
}

/// A replay that races with a rotation ends the record either way.
pub async fn a_grant_that_is_ended_while_it_is_rotated_stays_ended(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    for _ in 0..8 {
        let (id, first) = world.grant(&parties, START).await;
        let write = rotation(&world, &parties, &refresh_token(&first)).await;
        let token = world.token(id).await;
        let (rotated, ended) =
            tokio::join!(world.store.rotate_refresh_token(write), world.revoke(&token, after(1)));
        rotated.unwrap();
        assert_eq!(ended, Conditional::Now);
        assert!(world.store.find_token(id).await.unwrap().is_none());
    }
}

/// It is written once, and not over a rotation that came first.
pub async fn an_access_token_is_over_early_and_its_refresh_token_is_not(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let before = world.token(id).await;
    let write = expire_access_token(&before, after(5)).unwrap();
    let late = write.clone();
    assert_eq!(world.store.expire_early(write).await.unwrap(), Conditional::Now);
    let token = world.token(id).await;
    assert!(expire_access_token(&token, after(5)).is_none(), "it is over already");
    let (was, is) = (before.issued().unwrap(), token.issued().unwrap());
    assert_eq!(is.access.expires_at(), Some(after(5)));
    assert_eq!(is.access.lifetime, was.access.lifetime);
    assert!(is.refresh.as_ref().unwrap().hash.matches(&refresh_token(&first).hash()));

    world.rotate(&parties, &refresh_token(&first), after(6)).await;
    let before = world.token(id).await;
    let pair = expire_pair(&before, after(7)).unwrap();
    assert_eq!(world.store.expire_early(late).await.unwrap(), Conditional::Already);
    assert_same(&world.token(id).await, &before);
    assert_eq!(world.store.expire_early(pair).await.unwrap(), Conditional::Now);
    assert!(world.issued(id).await.is_expired(after(7)));
}
