//! Purging: what is over goes, in bounded steps, and nothing that lives is ever touched.

use std::{collections::BTreeSet, sync::Arc};

use tokenry_core::{
    event::{Actor, Event, EventKind},
    grant::{Origin, Stage, Token},
    grant_types::refresh_token::Refresh,
    refusal::Refusal,
    sign_in_session::SignInSession,
};
use tokenry_protocol::{
    ids::{ClientId, TokenId, UserId},
    secret::Kind,
    time::{Seconds, Timestamp},
};

use super::support::{Parties, START, Seeded, World, after};
use crate::{Conditional, PurgeRequest, PurgeStep, PurgeSubject, Store, TokenFilter, UserDeletion};

const DAY: u32 = 86_400;
/// Consented grants stay for 30 days.
const KEPT: Seconds = Seconds(30 * DAY);
const TOKENS: PurgeSubject = PurgeSubject::Tokens { grants_kept: KEPT };

/// Goes over everything in steps of `limit`, and says how many rows went.
async fn sweep(store: &dyn Store, subject: PurgeSubject, limit: u32, now: Timestamp) -> u32 {
    let mut removed = 0;
    let mut next = Some(0);
    while let Some(after) = next {
        let request = PurgeRequest { subject, after, limit, now };
        let step = store.purge(request).await.unwrap();
        assert!(step.removed <= limit);
        assert!(step.next.is_none_or(|next| next > after));
        removed += step.removed;
        next = step.next;
    }
    removed
}

async fn is_there(world: &World, id: TokenId) -> bool {
    world.store.find_token(id).await.unwrap().is_some()
}

/// Each kind of record at the last moment of its life, and at the first after.
pub async fn a_record_goes_when_it_is_over_and_not_before(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let code = world.code(&parties, START).await.id;
    let (grant, _) = world.grant(&parties, START).await;
    let credentials = world.client_credentials(&parties.client, START).await.id;
    let created = world.created(&parties, "read", START).await.id;
    let lifetime = 30 * DAY;
    for (seconds, removed, left) in [
        (119, 0, vec![code, grant, credentials, created]),
        (120, 1, vec![grant, credentials, created]),
        (1_799, 0, vec![grant, credentials, created]),
        (1_800, 1, vec![grant, created]),
        (lifetime, 0, vec![grant, created]),
        (lifetime + KEPT.0 - 1, 0, vec![grant, created]),
        (lifetime + KEPT.0, 1, vec![created]),
        (u32::MAX, 0, vec![created]),
    ] {
        let swept = sweep(&*world.store, TOKENS, 100, after(seconds)).await;
        assert_eq!(swept, removed, "{seconds}");
        for id in [code, grant, credentials, created] {
            assert_eq!(is_there(&world, id).await, left.contains(&id), "{seconds}");
        }
    }
}

/// The access token's expiry says nothing about the grant's life.
pub async fn a_record_lives_while_its_refresh_token_does(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, answer) = world.grant(&parties, START).await;
    let at_once = PurgeSubject::Tokens { grants_kept: Seconds(0) };
    let last_moment = after(30 * DAY - 1);
    assert_eq!(sweep(&*world.store, at_once, 9, last_moment).await, 0);
    let presented = answer.refresh_token.unwrap().0;
    world.rotate(&parties, &presented, last_moment).await;
    assert_eq!(sweep(&*world.store, at_once, 9, after(60 * DAY - 2)).await, 0);
    assert!(is_there(&world, id).await);
    assert_eq!(sweep(&*world.store, at_once, 9, after(60 * DAY - 1)).await, 1);
}

/// Its refresh token may be over for years: the access token works, so the record is there, until
/// a refresh in time gives it an end.
pub async fn a_grant_whose_access_token_does_not_expire_is_never_over(store: Arc<dyn Store>) {
    let world = World::with(Arc::clone(&store), None);
    let parties = world.parties().await;
    let (endless, _) = world.grant(&parties, START).await;
    let credentials = world.client_credentials(&parties.client, START).await.id;
    let (ending, answer) = world.grant(&parties, START).await;
    let at_once = PurgeSubject::Tokens { grants_kept: Seconds(0) };
    let now = after(u32::MAX);
    let request = PurgeRequest { subject: at_once, after: 0, limit: 9, now };
    let step = store.purge(request).await.unwrap();
    assert_eq!(step, PurgeStep { removed: 0, next: None, due: None });

    let presented = answer.refresh_token.unwrap().0;
    World::new(Arc::clone(&store)).rotate(&parties, &presented, START).await;
    assert_eq!(sweep(&*store, at_once, 9, after(30 * DAY - 1)).await, 0);
    assert_eq!(sweep(&*store, at_once, 9, after(30 * DAY)).await, 1);
    assert!(!is_there(&world, ending).await);
    for id in [endless, credentials] {
        let token = world.token(id).await;
        assert_eq!(token.issued().unwrap().access.lifetime, None);
        assert_eq!(world.revoke(&token, now).await, Conditional::Now);
    }
}

/// Their own state has ended them already; the rows follow.
pub async fn records_of_deleted_clients_and_users_go_at_once(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (one, two) = (world.parties().await, world.parties().await);
    let crossed = Parties { client: one.client.clone(), user: two.user.clone() };
    let third = world.parties().await;
    let mut ids = Vec::new();
    for parties in [&one, &two, &crossed, &third] {
        ids.push(world.grant(parties, START).await.0);
        ids.push(world.created(parties, "read", START).await.id);
        ids.push(world.code(parties, START).await.id);
    }
    let client = one.client.client().id;
    world.store.delete_client(client, START).await.unwrap();
    let deleted = world.store.delete_user(two.user.id, START).await.unwrap();
    assert_eq!(deleted, UserDeletion::Done);
    assert_eq!(sweep(&*world.store, TOKENS, 2, START).await, 9);
    for (at, id) in ids.into_iter().enumerate() {
        assert_eq!(is_there(&world, id).await, at >= 9);
    }
}

/// So that a step is as short with a million rows as with ten.
pub async fn a_step_looks_at_no_more_than_its_limit(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        // Two that live, then one that is over, and so on.
        ids.push(match number % 3 {
            2 => world.code(&parties, START).await.id.get(),
            _ => world.created(&parties, "read", START).await.id.get(),
        });
    }
    let mut at = 0;
    for (removed, next) in [(0, Some(ids[1])), (1, Some(ids[3])), (1, Some(ids[5])), (0, None)] {
        let request = PurgeRequest { subject: TOKENS, after: at, limit: 2, now: after(120) };
        let step = world.store.purge(request).await.unwrap();
        assert_eq!(step, PurgeStep { removed, next, due: None });
        at = next.unwrap_or(0);
    }
}

/// Until then a step over the same rows would find nothing.
pub async fn a_step_tells_when_the_first_of_what_it_left_is_over(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let step = async |seconds| {
        let now = after(seconds);
        let request = PurgeRequest { subject: TOKENS, after: 0, limit: 9, now };
        world.store.purge(request).await.unwrap().due
    };
    assert_eq!(step(0).await, None);
    world.created(&parties, "read", START).await;
    assert_eq!(step(0).await, None);
    let (grant, _) = world.grant(&parties, START).await;
    assert_eq!(step(0).await, Some(after(30 * DAY + KEPT.0)));
    world.client_credentials(&parties.client, START).await;
    assert_eq!(step(0).await, Some(after(1_800)));
    world.code(&parties, START).await;
    assert_eq!(step(0).await, Some(after(120)));
    assert_eq!(step(119).await, Some(after(120)));
    assert_eq!(step(120).await, Some(after(1_800)));
    assert_eq!(step(1_800).await, Some(after(30 * DAY + KEPT.0)));
    let token = world.token(grant).await;
    world.revoke(&token, START).await;
    assert_eq!(step(1_800).await, None);
}

/// A rotation between the look and the removal saves the record; a removal defeats the rotation.
pub async fn a_rotation_and_a_purge_of_one_record_never_both_succeed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let at_once = PurgeSubject::Tokens { grants_kept: Seconds(0) };
    for _ in 0..16 {
        let (id, answer) = world.grant(&parties, START).await;
        let presented = answer.refresh_token.unwrap().0;
        let late = after(30 * DAY - 1);
        let Refresh::Rotate { write, .. } = world.decide_refresh(&parties, &presented, late).await
        else {
            panic!("this is the present refresh token");
        };
        let (rotated, removed) = tokio::join!(
            world.store.rotate_refresh_token(write),
            sweep(&*world.store, at_once, 9, after(30 * DAY))
        );
        let is_rotated = rotated.unwrap() == Conditional::Now;
        assert_eq!(removed, u32::from(!is_rotated));
        assert_eq!(is_there(&world, id).await, is_rotated);
        if is_rotated {
            let token = world.token(id).await;
            world.revoke(&token, START).await;
        }
    }
}

/// Expired ones and those of deleted users.
pub async fn sessions_go_when_they_are_over(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (user, gone) = (world.user().await, world.user().await);
    let session: SignInSession = world.session(&user).await;
    world.session(&gone).await;
    let subject = PurgeSubject::SignInSessions;
    assert_eq!(sweep(&*world.store, subject, 1, after(3_599)).await, 0);
    world.store.delete_user(gone.id, START).await.unwrap();
    assert_eq!(sweep(&*world.store, subject, 1, after(3_599)).await, 1);
    let found = world.store.find_sign_in_session(session.id).await.unwrap();
    assert!(found.is_some());
    assert_eq!(sweep(&*world.store, subject, 1, after(3_600)).await, 1);
    let found = world.store.find_sign_in_session(session.id).await.unwrap();
    assert!(found.is_none());
}

/// The latest ones stay, however old they are.
pub async fn of_events_the_latest_are_kept(store: Arc<dyn Store>) {
    let token_id = TokenId::new(1).unwrap();
    for second in 0..10 {
        let event = Event {
            at: after(second),
            kind: EventKind::Revoked,
            token_id,
            client_id: ClientId::new(1).unwrap(),
            user_id: UserId::new(1).unwrap(),
            actor: Actor::Server,
        };
        store.record_event(event).await.unwrap();
    }
    let keep = |kept| PurgeSubject::Events { kept };
    assert_eq!(sweep(&*store, keep(10), 4, after(u32::MAX)).await, 0);
    assert_eq!(sweep(&*store, keep(3), 2, START).await, 7);
    let left = store.list_events(token_id).await.unwrap();
    let left: Vec<_> = left.iter().map(|event| event.at).collect();
    assert_eq!(left, [after(7), after(8), after(9)]);
}

/// Being refused again keeps a place and takes none: few that are refused all the time do not push
/// out others.
pub async fn of_refusals_the_credentials_refused_first_go_first(store: Arc<dyn Store>) {
    let refuse = async |id, second| {
        let (reason, place) = ("expired".into(), "GET /".into());
        let refusal = Refusal { kind: Kind::AccessToken, id, at: after(second), reason, place };
        store.record_refusals(vec![refusal]).await.unwrap();
    };
    for second in 0..10 {
        refuse(u64::from(second) + 1, second).await;
    }
    for second in 10..100 {
        refuse(10, second).await;
    }
    let keep = |kept| PurgeSubject::Refusals { kept };
    assert_eq!(sweep(&*store, keep(10), 4, after(u32::MAX)).await, 0);
    assert_eq!(sweep(&*store, keep(3), 2, START).await, 7);
    for id in 1..=10 {
        assert_eq!(store.list_refusals(id).await.unwrap().len(), usize::from(id > 7), "{id}");
    }
}

/// And numbers rise for ever, or a process would take a new change for one it has seen.
pub async fn of_changes_the_last_one_always_stays(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut user = world.user().await;
    for _ in 0..5 {
        world.rewrite(&mut user).await;
    }
    let keep = |kept| PurgeSubject::Changes { kept };
    assert_eq!(sweep(&*world.store, keep(3), 2, START).await, 2);
    let numbers =
        async || world.changes().await.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(numbers().await, [3, 4, 5]);
    assert_eq!(sweep(&*world.store, keep(0), 2, START).await, 2);
    assert_eq!(world.last_number().await, 5);
    world.rewrite(&mut user).await;
    assert_eq!(numbers().await, [5, 6]);
}

/// No search for its tokens holds it up: a client that is not there ends them as a deleted one.
pub async fn a_deleted_client_goes_and_its_tokens_are_over_without_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let client = parties.client.client().clone();
    let (id, _) = world.grant(&parties, START).await;
    let subject = PurgeSubject::Clients;
    assert_eq!(sweep(&*world.store, subject, 9, START).await, 0);
    world.store.delete_client(client.id, START).await.unwrap();
    assert_eq!(sweep(&*world.store, subject, 9, START).await, 1);
    assert!(world.store.find_client(client.id).await.unwrap().is_none());
    let filter = TokenFilter { client: Some(client.id), ..TokenFilter::default() };
    assert_eq!(world.listed(filter, START).await, []);
    assert!(is_there(&world, id).await);
    assert_eq!(sweep(&*world.store, TOKENS, 9, START).await, 1);
    assert!(!is_there(&world, id).await);
}

/// Sessions, clients, API tokens that they made for others. Tokens are over without their user.
pub async fn a_deleted_user_goes_when_nothing_but_tokens_is_left_of_theirs(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (user, other) = (world.user().await, world.user().await);
    let client = world.client(user.id).await;
    world.session(&user).await;
    world.client_credentials(&client, START).await;
    let made = world.new_api_token(user.id, other.id).await;
    world.store.insert_api_token(made.clone(), 9).await.unwrap();
    let id = client.client().id;
    world.store.delete_client(id, START).await.unwrap();
    let deleted = world.store.delete_user(user.id, START).await.unwrap();
    assert_eq!(deleted, UserDeletion::Done);

    for subject in [PurgeSubject::SignInSessions, PurgeSubject::Clients] {
        assert_eq!(sweep(&*world.store, PurgeSubject::Users, 9, START).await, 0);
        assert_eq!(sweep(&*world.store, subject, 9, START).await, 1);
    }
    assert_eq!(sweep(&*world.store, PurgeSubject::Users, 9, START).await, 0);
    world.store.delete_api_token(made.id).await.unwrap();
    assert_eq!(sweep(&*world.store, PurgeSubject::Users, 9, START).await, 1);
    assert_eq!(sweep(&*world.store, TOKENS, 9, START).await, 1);
    assert!(world.store.find_user(other.id).await.unwrap().is_some());
}

/// Whatever was done to records before, in any order: those that are over go, all of them, and no
/// other.
pub async fn a_sweep_removes_what_is_over_and_nothing_else(store: Arc<dyn Store>) {
    let expiring = World::new(Arc::clone(&store));
    let endless = World::with(store, None);
    let world = &expiring;
    let choice = Seeded::new(20_261_123);
    let mut parties = Vec::new();
    for _ in 0..4 {
        parties.push(world.parties().await);
    }
    let mut ids = Vec::new();
    for round in 0..4 {
        for _ in 0..30 {
            let parties = &parties[usize::try_from(choice.below(4)).unwrap()];
            let now = after(choice.below(100 * DAY));
            let world = if choice.below(4) == 0 { &endless } else { &expiring };
            ids.push(random_record(world, parties, &choice, now).await);
        }
        match round {
            1 => drop(world.store.delete_client(parties[0].client.client().id, START).await),
            2 => drop(world.store.delete_user(parties[1].user.id, START).await),
            _ => {}
        }
        let now = after(choice.below(200 * DAY));
        let (mut over, mut left) = (BTreeSet::new(), BTreeSet::new());
        for id in &ids {
            if let Some(token) = world.store.find_token(*id).await.unwrap() {
                let is_over = is_over(world, &token, now).await;
                if is_over { &mut over } else { &mut left }.insert(*id);
            }
        }
        let with_expired = TokenFilter { grants_kept: KEPT, ..TokenFilter::default() };
        let listed = async || {
            let filters = [TokenFilter::default(), with_expired];
            [world.listed(filters[0], now).await, world.listed(filters[1], now).await]
        };
        let before = listed().await;
        let swept = sweep(&*world.store, TOKENS, 1 + choice.below(50), now).await;
        assert_eq!(usize::try_from(swept).unwrap(), over.len());
        for id in over {
            assert!(!is_there(world, id).await, "{id} is over");
        }
        for id in left {
            assert!(is_there(world, id).await, "{id} lives");
        }
        assert_eq!(listed().await, before);
    }
}

async fn random_record(
    world: &World,
    parties: &Parties,
    choice: &Seeded,
    now: Timestamp,
) -> TokenId {
    let client_is_there = world.store.find_client(parties.client.client().id).await;
    match choice.below(5) {
        0 => world.code(parties, now).await.id,
        1 if client_is_there.unwrap().is_some() => {
            world.client_credentials(&parties.client, now).await.id
        }
        2 => world.created(parties, "tickets", now).await.id,
        _ => {
            let (id, answer) = world.grant(parties, now).await;
            let mut presented = answer.refresh_token.unwrap().0;
            for step in 0..choice.below(4) {
                let later = now.plus(Seconds((step + 1) * choice.below(10 * DAY)));
                let answer = world.rotate(parties, &presented, later).await;
                presented = answer.refresh_token.unwrap().0;
            }
            id
        }
    }
}

/// The rule, told by the records themselves.
async fn is_over(world: &World, token: &Token, now: Timestamp) -> bool {
    let client = world.store.find_client(token.client_id).await.unwrap();
    let user = world.store.find_user(token.user_id).await.unwrap();
    let is_expired = match (&token.stage, token.origin) {
        (Stage::Consented(consented), _) => consented.expires_at <= now,
        (Stage::Issued(issued), Origin::Consent) => issued.is_expired(now.minus(KEPT)),
        (Stage::Issued(issued), _) => issued.is_expired(now),
    };
    client.is_none() || user.is_none() || is_expired
}
