//! Lists of tokens, their counts, and what has been approved.

use std::sync::Arc;

use tokenry_core::user::User;
use tokenry_protocol::{ids::TokenId, time::Seconds};

use super::support::{Parties, START, World, after, assert_same, request, scope};
use crate::{PageRequest, Store, TokenFilter, TokenUse, Window};

/// A list gives whole records, with their last use.
pub async fn a_listed_token_has_every_field(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (id, first) = world.grant(&parties, START).await;
    let presented = first.refresh_token.unwrap().0;
    world.rotate(&parties, &presented, after(1)).await;
    let used = TokenUse { id, used_at: after(5), rotation: 2 };
    world.store.record_token_uses(vec![used]).await.unwrap();
    let request = PageRequest { window: Window::After(0), limit: 1 };
    let filter = TokenFilter::default();
    let page = world.store.list_tokens(filter, request, after(5)).await;
    assert_same(&page.unwrap().items[0], &world.token(id).await);
}

/// In the order of id, forwards and backwards.
pub async fn tokens_are_listed_in_pages(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let mut all = Vec::new();
    for number in 0..7 {
        // A code between two records is no record.
        world.code(&parties, START).await;
        let id = match number % 2 {
            0 => world.created(&parties, "read", START).await.id,
            _ => world.grant(&parties, START).await.0,
        };
        all.push(id.get());
    }
    let page = async |window, limit| {
        let request = PageRequest { window, limit };
        let filter = TokenFilter::default();
        let page = world.store.list_tokens(filter, request, START).await.unwrap();
        let ids: Vec<u64> = page.items.iter().map(|token| token.id.get()).collect();
        (ids, page.has_more)
    };
    assert_eq!(page(Window::After(0), 7).await, (all.clone(), false));
    assert_eq!(page(Window::After(0), 3).await, (all[..3].to_vec(), true));
    assert_eq!(page(Window::After(all[2]), 3).await, (all[3..6].to_vec(), true));
    assert_eq!(page(Window::After(all[5]), 3).await, (all[6..].to_vec(), false));
    assert_eq!(page(Window::After(all[6]), 3).await, (vec![], false));
    assert_eq!(page(Window::After(u64::MAX), 3).await, (vec![], false));
    assert_eq!(page(Window::Before(all[6]), 3).await, (all[3..6].to_vec(), true));
    assert_eq!(page(Window::Before(all[3]), 3).await, (all[..3].to_vec(), false));
    assert_eq!(page(Window::Before(all[0]), 3).await, (vec![], false));
    assert_eq!(page(Window::Before(u64::MAX), 2).await, (all[5..].to_vec(), true));
    assert_eq!(page(Window::Offset(0), 3).await, (all[..3].to_vec(), true));
    assert_eq!(page(Window::Offset(5), 2).await, (all[5..].to_vec(), false));
    assert_eq!(page(Window::Offset(99), 3).await, (vec![], false));
}

/// Everything given must hold.
pub async fn tokens_are_listed_by_user_and_by_client(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (one, two) = (world.parties().await, world.parties().await);
    let crossed = Parties { client: one.client.clone(), user: two.user.clone() };
    let mut ids = Vec::new();
    for parties in [&one, &two, &crossed] {
        ids.push(world.grant(parties, START).await.0);
    }
    let client = |parties: &Parties| Some(parties.client.client().id);
    let user = |parties: &Parties| Some(parties.user.id);
    for (user, client, expected) in [
        (None, None, vec![ids[0], ids[1], ids[2]]),
        (user(&one), None, vec![ids[0]]),
        (user(&two), None, vec![ids[1], ids[2]]),
        (None, client(&one), vec![ids[0], ids[2]]),
        (user(&two), client(&one), vec![ids[2]]),
        (user(&one), client(&two), vec![]),
    ] {
        let filter = TokenFilter { user, client, ..TokenFilter::default() };
        assert_eq!(world.listed(filter, START).await, expected, "{filter:?}");
        let counted = world.store.count_tokens(filter, 99, START).await.unwrap();
        assert_eq!(usize::try_from(counted).unwrap(), expected.len());
    }
}

/// A record lives while one of its tokens does, the refresh token above all.
pub async fn a_record_is_listed_until_both_its_tokens_have_expired(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (grant, _) = world.grant(&parties, START).await;
    let credentials = world.client_credentials(&parties.client, START).await.id;
    let created = world.created(&parties, "read", START).await.id;
    for (seconds, expected) in [
        (1_799, vec![grant, credentials, created]),
        (1_800, vec![grant, created]),
        (2_591_999, vec![grant, created]),
        (2_592_000, vec![created]),
        (u32::MAX, vec![created]),
    ] {
        let now = after(seconds);
        let listed = world.listed(TokenFilter::default(), now).await;
        assert_eq!(listed, expected, "{seconds}");
        let counted = world.store.count_tokens(TokenFilter::default(), 99, now).await;
        assert_eq!(usize::try_from(counted.unwrap()).unwrap(), expected.len());
    }
}

/// For as long as the filter says; other records go at once, and so do all whose client or user is
/// gone.
pub async fn an_expired_grant_is_listed_as_long_as_it_is_asked_for(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (parties, orphans) = (world.parties().await, world.parties().await);
    let (grant, _) = world.grant(&parties, START).await;
    world.grant(&orphans, START).await;
    world.client_credentials(&parties.client, START).await;
    let created = world.created(&parties, "read", START).await.id;
    world.code(&parties, START).await;
    let orphan = orphans.client.client().id;
    world.store.delete_client(orphan, START).await.unwrap();

    let (user, client) = (Some(parties.user.id), Some(parties.client.client().id));
    for (kept, expired_for, is_listed) in [
        (0, 0, false),
        (1_000, 0, true),
        (1_000, 999, true),
        (1_000, 1_000, false),
        (u32::MAX, 86_400, true),
    ] {
        let expected = if is_listed { vec![grant, created] } else { vec![created] };
        for (user, client) in [(None, None), (user, None), (None, client), (user, client)] {
            let filter = TokenFilter { user, client, grants_kept: Seconds(kept) };
            let now = after(2_592_000 + expired_for);
            assert_eq!(world.listed(filter, now).await, expected, "{filter:?} {expired_for}");
            let counted = world.store.count_tokens(filter, 99, now).await.unwrap();
            assert_eq!(usize::try_from(counted).unwrap(), expected.len());
        }
    }
}

/// Whatever became of its refresh token. What was approved is approved as long as it is listed.
pub async fn a_grant_whose_access_token_does_not_expire_is_listed_for_ever(store: Arc<dyn Store>) {
    let world = World::with(store, None);
    let parties = world.parties().await;
    let (grant, _) = world.grant(&parties, START).await;
    let credentials = world.client_credentials(&parties.client, START).await.id;
    let (user, client) = (parties.user.id, parties.client.client().id);
    for seconds in [0, 1_800, 2_592_000, u32::MAX] {
        let now = after(seconds);
        for (user_asked, client_asked, expected) in [
            (None, None, vec![grant, credentials]),
            (Some(user), None, vec![grant]),
            (None, Some(client), vec![grant, credentials]),
            (Some(user), Some(client), vec![grant]),
        ] {
            for grants_kept in [Seconds(0), Seconds(1_000)] {
                let filter = TokenFilter { user: user_asked, client: client_asked, grants_kept };
                assert_eq!(world.listed(filter, now).await, expected, "{filter:?} {seconds}");
                let counted = world.store.count_tokens(filter, 99, now).await.unwrap();
                assert_eq!(usize::try_from(counted).unwrap(), expected.len());
            }
        }
        let approved = world.store.list_approved_scopes(user, client, now).await.unwrap();
        assert_eq!(approved, [scope("read write")], "{seconds}");
    }
}

/// So that nobody counts a million rows.
pub async fn a_count_of_tokens_stops_at_its_limit(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    for _ in 0..5 {
        world.created(&parties, "read", START).await;
    }
    for (limit, expected) in [(0, 0), (4, 4), (5, 5), (6, 5)] {
        let counted = world.store.count_tokens(TokenFilter::default(), limit, START);
        assert_eq!(counted.await.unwrap(), expected);
    }
}

/// The only memory of consent: live records of consent, whole, of this user and this client.
pub async fn approved_is_what_live_consented_grants_hold(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let other = Parties { client: parties.client.clone(), user: world.user().await };
    let approved = async |parties: &Parties, seconds| {
        let client = parties.client.client().id;
        let approved = world.store.list_approved_scopes(parties.user.id, client, after(seconds));
        approved.await.unwrap()
    };
    world.code(&parties, START).await;
    world.created(&parties, "tickets", START).await;
    let owner = world.store.find_user(parties.client.client().user_id).await;
    let owner: User = owner.unwrap().unwrap();
    world.client_credentials(&parties.client, START).await;
    let as_owner = Parties { client: parties.client.clone(), user: owner };
    for parties in [&parties, &as_owner] {
        assert_eq!(approved(parties, 0).await, []);
    }

    let (id, _) = world.grant(&parties, START).await;
    assert_eq!(approved(&parties, 0).await, [scope("read write")]);
    assert_eq!(approved(&parties, 2_000_000).await, [scope("read write")]);
    assert_eq!(approved(&parties, 2_592_000).await, []);
    assert_eq!(approved(&other, 0).await, []);
    let token = world.token(id).await;
    world.revoke(&token, START).await;
    assert_eq!(approved(&parties, 0).await, []);
}

/// The access token may carry less than what was approved; what was approved is what counts.
pub async fn approved_is_more_than_a_narrowed_access_token_shows(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let wide = tokenry_protocol::oauth::authorization::AuthorizationRequest {
        scope: Some("write tickets read".to_owned()),
        ..request()
    };
    let (token, code) = world.new_consent(&parties, wide, START).await;
    let id: TokenId = token.token().id;
    world.store.insert_token(token).await.unwrap();
    let code = super::support::Code { id, code };
    let (write, _) = world.redemption(&parties, &code, START).await;
    world.store.redeem_authorization_code(write).await.unwrap();
    let client = parties.client.client().id;
    let approved = world.store.list_approved_scopes(parties.user.id, client, START);
    assert_eq!(approved.await.unwrap(), [scope("write tickets read")]);
}
