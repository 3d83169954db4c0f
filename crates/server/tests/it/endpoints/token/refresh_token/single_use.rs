//! `tokens.rotation = "single-use"`: a refresh token is good for one refresh, and nothing more
//! happens when it comes again.

use tokenry_core::policy::Rotation;

use super::*;

async fn world() -> World {
    World::of(TestApp::with(|config| config.tokens.rotation = Rotation::SingleUse).await, "read")
        .await
}

#[tokio::test]
async fn both_old_tokens_are_dead_at_once_and_the_grant_lives_on() {
    for door in Door::BOTH {
        let world = world().await;
        assert!(world.app.is_alive(&world.grant.access).await);
        let first = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
        assert!(!world.app.is_alive(&world.grant.access).await);
        for after in [0, 31, 86_400] {
            world.app.clock.advance(after);
            let refused = world.refresh(door, &world.grant.refresh, &[]).await;
            refuse(&refused);
            let said = refused.json();
            assert_eq!(said["error_description"], "The grant is invalid, expired or used.");
        }
        let second = world.refresh(door, &first.refresh, &[]).await.tokens();
        // Two generations behind it is no replay either.
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
        assert!(world.app.is_alive(&second.access).await);
        assert_eq!(world.events().await, []);
    }
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_wins_and_the_others_are_refused() {
    for door in Door::BOTH {
        // Once with everybody deciding before anybody writes, once as it comes.
        for held in [24, 0] {
            let world = world().await;
            let hold = (held > 0).then(|| world.app.store.hold_find_token(held));
            let refresh = &world.grant.refresh;
            let call = |_| door.refresh(&world.app, &world.client, refresh, &[]).into_future();
            let release = async {
                if let Some(hold) = &hold {
                    hold.reached().await;
                    hold.release();
                }
            };
            let (answers, ()) =
                futures_util::future::join(join_all((0..24).map(call)), release).await;
            let (won, lost): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| answer.status == door.success());
            assert_eq!((won.len(), lost.len()), (1, 23));
            for answer in lost {
                refuse(answer);
            }
            let tokens = won[0].tokens();
            assert!(world.app.is_alive(&tokens.access).await);
            world.refresh(door, &tokens.refresh, &[]).await.expect(door.success());
            assert_eq!(world.events().await, []);
        }
    }
}

/// A code is another matter: somebody else has it (RFC 6749 §4.1.2).
#[tokio::test]
async fn a_code_that_comes_twice_still_ends_its_grant() {
    let world = world().await;
    let code = world.app.code(&world.ada, &world.client, "read").await;
    let tokens = Door::Standard.redeem(&world.app, &world.client, &code, &[]).await.tokens();
    assert!(world.app.is_alive(&tokens.access).await);
    refuse(&Door::Standard.redeem(&world.app, &world.client, &code, &[]).await);
    assert!(!world.app.is_alive(&tokens.access).await);
}

#[tokio::test]
async fn why_it_was_refused_is_remembered() {
    let world = world().await;
    world.refresh(Door::Standard, &world.grant.refresh, &[]).await.expect(200);
    refuse(&world.refresh(Door::Standard, &world.grant.refresh, &[]).await);
    let store: std::sync::Arc<dyn tokenry_store::Store> = world.app.store.clone();
    world.app.state.refusals.flush(&store).await.unwrap();
    let refusals = world.app.store.list_refusals(world.grant.id.get()).await.unwrap();
    let reasons: Vec<_> = refusals.iter().map(|refusal| &*refusal.reason).collect();
    assert_eq!(reasons, ["rotated_away"]);
}
