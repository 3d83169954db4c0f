//! The contract's fixtures, each replayed against a world that stands as the fixture says.
//!
//! 1. [`given`] sets the world up, by the fixture's number.
//! 2. [`world`] gives the request the credentials and cursors of this world in place of the
//!    fixture's own, whose tags are made up.
//! 3. [`compare`] holds the answer against the fixture: status, listed headers, and the body,
//!    member by member.

mod compare;
mod fixture;
mod given;
mod world;

use tokenry_protocol::api::tokens::OAuthTokenResponse;
use tokenry_server::config::Mode;

use self::{fixture::Fixture, world::World};
use crate::support::TestApp;

#[test]
fn every_fixture_is_replayed_in_its_modes() {
    let all = Fixture::all();
    assert_eq!(all.len(), 178);
    let of = |mode| all.iter().filter(|fixture| modes(fixture).contains(&mode)).count();
    assert_eq!((of(Mode::Serve), of(Mode::Twin)), (171, 169));
}

/// The first record, and every other one, as the wire types read and write them.
#[test]
fn token_records_survive_reading_and_writing() {
    let fixtures = Fixture::all().into_iter().map(|fixture| fixture.response.body);
    let seed = [fixture::seed_record()];
    let records = fixtures.chain(seed).filter(|body| body["token"].is_object());
    let mut count = 0;
    for record in records {
        let read: OAuthTokenResponse = serde_json::from_value(record.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), record);
        count += 1;
    }
    assert_eq!(count, 10);
}

#[tokio::test]
async fn the_token_records_answer_as_the_contract_says() {
    replay(1..100).await;
}

#[tokio::test]
async fn clients_api_tokens_and_users_answer_as_the_contract_says() {
    replay(100..200).await;
}

#[tokio::test]
async fn the_authorization_page_answers_as_the_contract_says() {
    replay(200..300).await;
}

#[tokio::test]
async fn the_two_token_doors_answer_as_the_contract_says() {
    replay(300..400).await;
}

#[tokio::test]
async fn revocation_introspection_and_metadata_answer_as_the_contract_says() {
    replay(400..1_000).await;
}

/// The modes in which a fixture holds.
fn modes(fixture: &Fixture) -> Vec<Mode> {
    match fixture.mode.as_str() {
        "both" => vec![Mode::Serve, Mode::Twin],
        "serve" => vec![Mode::Serve],
        "twin" => vec![Mode::Twin],
        other => panic!("{}: there is no mode {other}", fixture.name),
    }
}

/// Replays every fixture of these numbers in each of its modes, and tells of all that differ, not
/// of the first only.
async fn replay(numbers: std::ops::Range<u32>) {
    let mut differences = Vec::new();
    for fixture in Fixture::all() {
        if !numbers.contains(&fixture.number) {
            continue;
        }
        for mode in modes(&fixture) {
            let app = TestApp::of(mode, |config| given::configure(fixture.number, config)).await;
            let mut world = World::new(&app, fixture.number).await;
            given::set_up(fixture.number, &mut world).await;
            for answer in given::ask(&fixture, &mut world).await {
                for difference in compare::differences(&fixture, &answer, &world) {
                    differences.push(format!("{} ({mode:?}): {difference}", fixture.name));
                }
            }
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
