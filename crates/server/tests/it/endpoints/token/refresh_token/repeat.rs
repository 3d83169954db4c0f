//! The previous refresh token again: the same answer where that harms nobody, a replay otherwise.

use std::pin::pin;

use futures_util::future::{join, select};

use super::*;

/// After a rotation: what was replaced, and what is current.
async fn rotated(door: Door) -> (World, IssuedGrant) {
    let world = World::new().await;
    let current = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
    (world, current)
}

#[tokio::test]
async fn within_the_window_the_answer_is_the_same_and_tells_what_is_left() {
    for door in Door::BOTH {
        let world = World::new().await;
        let asked = [("expires_in", "86400"), ("refresh_token_expires_in", "604800")];
        let first = world.refresh(door, &world.grant.refresh, &asked).await;
        // Whatever was done with the new access token.
        assert!(world.app.is_alive(&first.tokens().access).await);
        world.app.clock.advance(30);
        for more in [&asked[..], &asked[..1], &[]] {
            let again = world.refresh(door, &world.grant.refresh, more).await;
            assert_eq!(again.tokens(), first.tokens());
            let left =
                if more.is_empty() && door == Door::Record { json!(null) } else { json!(86_370) };
            assert_eq!(again.json()["expires_in"], left);
            assert_eq!(again.json()["refresh_token_expires_in"], 604_770);
        }
        assert!(world.app.is_alive(&first.tokens().access).await);
    }
}

#[tokio::test]
async fn either_door_repeats_what_the_other_gave() {
    let (world, current) = rotated(Door::Record).await;
    let again = world.refresh(Door::Standard, &world.grant.refresh, &[]).await;
    assert_eq!(again.tokens(), current);
}

#[tokio::test]
async fn past_the_window_a_used_access_token_makes_it_a_replay() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        // The use is known here and not yet to the store.
        assert!(world.app.is_alive(&current.access).await);
        world.app.clock.advance_millis(30_001);
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
        assert!(!world.app.is_alive(&current.access).await);
        refuse(&world.refresh(door, &current.refresh, &[]).await);
        assert_eq!(world.events().await, [EventKind::RefreshTokenReplayed]);
    }
}

#[tokio::test]
async fn an_answer_of_which_nothing_was_used_is_given_again_however_late() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        world.app.clock.advance(86_400);
        let again = world.refresh(door, &world.grant.refresh, &[]).await;
        assert_eq!(again.tokens(), current);
        // Both lifetimes start anew.
        assert_eq!(again.json()["refresh_token_expires_in"], 2_592_000);
        world.app.clock.advance(1_799);
        assert!(world.app.is_alive(&current.access).await);
        world.app.clock.advance(1);
        assert!(!world.app.is_alive(&current.access).await);
    }
}

#[tokio::test]
async fn a_lost_answer_that_is_given_again_starts_a_new_window() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        world.app.clock.advance(86_400);
        assert_eq!(world.refresh(door, &world.grant.refresh, &[]).await.tokens(), current);
        assert!(world.app.is_alive(&current.access).await);
        world.app.clock.advance(30);
        assert_eq!(world.refresh(door, &world.grant.refresh, &[]).await.tokens(), current);
        world.app.clock.advance(1);
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
    }
}

/// The request went in three copies: the first did its work and its answer was lost, the second was
/// answered late in the window and the client went on with that, and the third came when the window
/// of the rotation was over.
#[tokio::test]
async fn a_copy_that_was_under_way_while_another_was_answered_is_no_replay() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        let asked = [("expires_in", "1800")];
        world.app.clock.advance(29);
        let heard = world.refresh(door, &world.grant.refresh, &asked).await;
        assert_eq!(heard.tokens(), current);
        assert_eq!(heard.json()["expires_in"], 1_800);
        assert!(world.app.is_alive(&current.access).await);
        for (later, left) in [(2, 1_798), (28, 1_770)] {
            world.app.clock.advance(later);
            let again = world.refresh(door, &world.grant.refresh, &asked).await;
            assert_eq!(again.tokens(), current);
            assert_eq!(again.json()["expires_in"], left);
            assert!(world.app.is_alive(&current.access).await);
        }
        assert_eq!(world.events().await, []);
        world.app.clock.advance(1);
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
        assert_eq!(world.events().await, [EventKind::RefreshTokenReplayed]);
    }
}

/// Somebody used the pair between the look at the record and the write.
#[tokio::test]
async fn a_repeat_that_finds_the_pair_used_meanwhile_tells_what_is_left() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        world.app.clock.advance(20);
        let hold = world.app.store.hold_find_token(1);
        let asked = [("expires_in", "1800")];
        let call = world.refresh(door, &world.grant.refresh, &asked);
        let using = async {
            hold.reached().await;
            assert!(world.app.is_alive(&current.access).await);
            world.app.state.verifier.flush().await.unwrap();
            hold.release();
        };
        let (again, ()) = join(call, using).await;
        assert_eq!(again.tokens(), current);
        assert_eq!(again.json()["expires_in"], 1_780);
        world.app.clock.advance(11);
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
    }
}

#[tokio::test]
async fn once_the_new_refresh_token_is_used_the_old_one_is_a_replay() {
    for door in Door::BOTH {
        let (world, current) = rotated(door).await;
        let next = world.refresh(door, &current.refresh, &[]).await.tokens();
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
        assert!(!world.app.is_alive(&next.access).await);
    }
}

#[tokio::test]
async fn a_repeat_that_asks_for_something_else_is_refused_and_harms_nothing() {
    for door in Door::BOTH {
        let world = World::with_scope("read write").await;
        let asked = [("scope", "read"), ("expires_in", "3600")];
        let first = world.refresh(door, &world.grant.refresh, &asked).await.tokens();
        for other in [
            ("scope", "read write"),
            ("scope", "write"),
            ("expires_in", "3601"),
            ("refresh_token_expires_in", "604800"),
        ] {
            refuse(&world.refresh(door, &world.grant.refresh, &[other]).await);
        }
        let same = world.refresh(door, &world.grant.refresh, &asked).await.tokens();
        assert_eq!(same, first);
        assert_eq!(world.events().await, []);
    }
}

#[tokio::test]
async fn a_wish_that_the_clients_policy_lowers_matches_again() {
    let world = World::new().await;
    world
        .app
        .change_client(&world.client, |client| {
            client.access_token_lifetime_max = Some(tokenry_protocol::time::Seconds(600));
        })
        .await;
    let asked = [("expires_in", "3600")];
    let first = world.refresh(Door::Standard, &world.grant.refresh, &asked).await;
    let again = world.refresh(Door::Standard, &world.grant.refresh, &asked).await;
    assert_eq!(again.expect(200).json(), first.expect(200).json());
}

#[tokio::test]
async fn public_clients_have_five_seconds_and_each_client_can_have_its_own_window() {
    for (is_public, window, last) in [(true, None, 5), (false, Some(100), 100), (false, None, 30)] {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = if is_public {
            app.public_client("client", &ada).await
        } else {
            app.confidential_client("client", &ada).await
        };
        app.change_client(&client, |client| {
            client.retry_window = window.map(tokenry_protocol::time::Seconds);
        })
        .await;
        let grant = app.grant(&ada, &client, "read").await;
        let door = Door::Standard;
        let current = door.refresh(&app, &client, &grant.refresh, &[]).await.tokens();
        assert!(app.is_alive(&current.access).await);
        app.clock.advance(last);
        let again = door.refresh(&app, &client, &grant.refresh, &[]).await;
        assert_eq!(again.tokens(), current);
        app.clock.advance(1);
        refuse(&door.refresh(&app, &client, &grant.refresh, &[]).await);
    }
}

#[tokio::test]
async fn without_a_window_only_an_answer_that_was_lost_is_given_again() {
    let world = World::new().await;
    let close = |client: &mut tokenry_core::client::Client| {
        client.retry_window = Some(tokenry_protocol::time::Seconds(0));
    };
    world.app.change_client(&world.client, close).await;
    let door = Door::Standard;
    let current = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
    assert_eq!(world.refresh(door, &world.grant.refresh, &[]).await.tokens(), current);
    assert!(world.app.is_alive(&current.access).await);
    refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
}

/// Two laptops' tabs that wake up together, long after the answer was lost.
#[tokio::test]
async fn many_late_repeats_at_once_get_one_answer() {
    let (world, current) = rotated(Door::Standard).await;
    world.app.clock.advance(86_400);
    let refresh = &world.grant.refresh;
    let call = |_| Door::Standard.refresh(&world.app, &world.client, refresh, &[]).into_future();
    for answer in join_all((0..24).map(call)).await {
        assert_eq!(answer.tokens(), current);
        assert_eq!(answer.json()["expires_in"], 1_800);
    }
}

#[tokio::test]
async fn a_refresh_that_met_a_store_that_was_away_can_be_repeated() {
    for door in Door::BOTH {
        let world = World::new().await;
        assert!(world.app.is_alive(&world.grant.access).await);
        world.app.store.go_away();
        let answer = world.refresh(door, &world.grant.refresh, &[]).await;
        assert_eq!(answer.refusal(), "503 temporarily_unavailable");
        world.app.store.come_back();
        world.refresh(door, &world.grant.refresh, &[]).await.expect(door.success());
    }
}

/// The rotation happened, and nobody was told: the repeat gets its tokens, and the access token
/// that it replaced is dead although it was in the cache all the time.
#[tokio::test]
async fn a_refresh_whose_write_lost_its_answer_can_be_repeated() {
    for door in Door::BOTH {
        let world = World::new().await;
        assert!(world.app.is_alive(&world.grant.access).await);
        world.app.store.lose_the_next_write();
        let answer = world.refresh(door, &world.grant.refresh, &[]).await;
        assert_eq!(answer.refusal(), "503 temporarily_unavailable");
        let again = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
        assert!(!world.app.is_alive(&world.grant.access).await);
        assert!(world.app.is_alive(&again.access).await);
        let rotation = Credential::parse(&again.access).unwrap().parts().rotation;
        assert_eq!(rotation, 2);
    }
}

/// Whoever asked has hung up in the middle of the write.
#[tokio::test]
async fn a_refresh_that_nobody_waits_for_can_be_repeated() {
    for door in Door::BOTH {
        let world = World::new().await;
        assert!(world.app.is_alive(&world.grant.access).await);
        let hold = world.app.store.hold_write();
        let call = door.refresh(&world.app, &world.client, &world.grant.refresh, &[]);
        let reached = pin!(hold.reached());
        drop(select(call.into_future(), reached).await);
        hold.release();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!world.app.is_alive(&world.grant.access).await);
        let again = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
        assert!(world.app.is_alive(&again.access).await);
    }
}

#[tokio::test]
async fn a_server_that_was_restarted_repeats_what_it_gave_before() {
    let (world, current) = rotated(Door::Standard).await;
    let restarted = world.app.restarted().await;
    let door = Door::Standard;
    let again = door.refresh(&restarted, &world.client, &world.grant.refresh, &[]).await;
    assert_eq!(again.tokens(), current);
}
