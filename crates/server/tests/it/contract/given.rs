//! The state before each fixture, by its number.

use tokenry_protocol::{
    ids::{ClientId, TokenId},
    redirect_uri::ClientKind,
    scope::Scope,
};
use tokenry_server::config::Config;
use tokenry_store::IdSequence;

use super::{
    fixture::Fixture,
    world::{NextId, World},
};
use crate::support::{Answer, Form, GrantSpec, VERIFIER};

/// The fixtures' cursors: after token 1002, and before 1003.
const AFTER: &str = "v1.t.AAAAAAAAA-o.9Qm3xw";
const BEFORE: &str = "v1.t.AAAAAAAAA-s.kT0aVg";
const TAMPERED: &str = "v1.t.AAAAAAAAA-o.9Qm3xX";

/// The limit of fixture 62.
const REQUESTS_PER_CALLER: u32 = 700;

/// Settings that differ from the defaults.
pub fn configure(number: u32, config: &mut Config) {
    match number {
        62 => config.limits.requests_per_caller = Some(REQUESTS_PER_CALLER),
        120 => config.record_api.global_clients = vec![star_charts()],
        142 => config.api_tokens.creation = false,
        145 => config.api_tokens.enabled = false,
        440 => config.scopes.resources = ["tickets", "users"].map(str::to_owned).to_vec(),
        _ => {}
    }
}

/// The ids that the server gives next.
pub fn next_ids(number: u32) -> Vec<NextId> {
    match number {
        20..=23 => vec![(IdSequence::Tokens, 990 + number)],
        102 => vec![(IdSequence::Clients, 47)],
        103 => vec![(IdSequence::Clients, 49)],
        104 => vec![(IdSequence::Clients, 51)],
        141 | 146 => vec![(IdSequence::ApiTokens, 8)],
        202 => vec![(IdSequence::Tokens, 2001)],
        305 | 306 => vec![(IdSequence::Tokens, 2003)],
        _ => Vec::new(),
    }
}

/// Brings the world to where the fixture begins.
pub async fn set_up(number: u32, world: &mut World<'_>) {
    match number {
        1..100 => token_records(number, world).await,
        100..200 => clients_and_users(number, world).await,
        200..300 => pages(number, world).await,
        300..310 | 320..=327 | 352 | 353 | 355 | 358 | 360 => codes(number, world).await,
        310..400 => doors(number, world).await,
        _ => rest(number, world).await,
    }
}

/// Asks the fixture's question, as often as the fixture says.
pub async fn ask(fixture: &Fixture, world: &mut World<'_>) -> Vec<Answer> {
    match fixture.number {
        362 => world.send_at_once(fixture, 24).await,
        _ => vec![world.send(fixture).await],
    }
}

async fn token_records(number: u32, world: &mut World<'_>) {
    let clock = &world.app.clock;
    match number {
        3 | 4 => learn_cursors(world, "all=true&page[size]=2").await,
        12 | 13 => learn_cursors(world, "page[size]=1").await,
        21 => clock.set("2026-03-05T12:00:01Z"),
        22 => clock.set("2026-03-05T12:00:02Z"),
        23 => clock.set("2026-03-05T12:00:03Z"),
        31 | 56 => world.create_token(1014, "write", "2026-03-04T08:00:00Z").await,
        45 => clock.set("2026-03-02T10:12:41Z"),
        48 => {
            world.create_token(1012, "reed", "2026-03-05T12:00:02Z").await;
            world.app.clock.set("2026-03-05T12:05:00Z");
        }
        51 | 53 => drop(world.send(&Fixture::number(number - 1)).await.expect(204)),
        62 => {
            for _ in 0..REQUESTS_PER_CALLER {
                world.send(&Fixture::number(62)).await.expect(200);
            }
            world.app.clock.advance(43);
        }
        63 => world.app.store.go_away(),
        70 => world.create_token(1015, "impersonate read", "2026-03-04T08:00:00Z").await,
        _ => {}
    }
}

/// Walks two pages to learn what this world's cursors are.
async fn learn_cursors(world: &mut World<'_>, query: &str) {
    let list = async |query: &str| {
        let path = format!("/api/v2/oauth/tokens.json?{query}");
        world.app.get(&path).by(&world.ada).await.expect(200).json()
    };
    let first = list(query).await;
    let after = first["meta"]["after_cursor"].as_str().expect("a second page");
    let second = list(&format!("{query}&page[after]={after}")).await;
    let before = second["meta"]["before_cursor"].as_str().expect("a first page");
    let (beginning, end) = after.split_at(after.len() - 1);
    let tampered = format!("{beginning}{}", if end == "A" { "B" } else { "A" });
    world.keep_cursor(AFTER, after);
    world.keep_cursor(BEFORE, before);
    world.keep_cursor(TAMPERED, &tampered);
}

async fn clients_and_users(number: u32, world: &mut World<'_>) {
    let clock = &world.app.clock;
    match number {
        102..=104 => clock.set("2026-01-10T09:00:00Z"),
        112 | 113 => clock.set("2026-03-05T13:00:00Z"),
        114 => {
            clock.set("2026-03-05T13:00:00Z");
            world.send(&Fixture::number(112)).await.expect(200);
            world.app.clock.set("2026-03-05T13:05:00Z");
        }
        117 => drop(world.send(&Fixture::number(116)).await.expect(204)),
        120 => add_star_charts(world).await,
        140 => clock.set("2026-03-05T11:59:58Z"),
        141 | 146 => clock.set("2026-03-05T12:10:00Z"),
        143 => clock.set("2026-03-05T12:11:00Z"),
        161 => clock.set("2026-03-02T10:12:41Z"),
        164 => world.create_token(1016, "tickets:read", "2026-03-04T08:00:00Z").await,
        _ => {}
    }
}

/// The client that is everybody's.
fn star_charts() -> ClientId {
    ClientId::new(9_001).unwrap()
}

/// Ada has let it in.
async fn add_star_charts(world: &World<'_>) {
    let ada = world.ada.id;
    let client = world
        .app
        .add_client(star_charts(), "zdg-star-charts", ClientKind::Confidential, |client| {
            client.user_id = ada;
            "Star Charts".clone_into(&mut client.name);
            client.company = Some("Nebula GmbH".to_owned());
        })
        .await;
    let id = TokenId::new(1_017).unwrap();
    world.app.create_token(&world.ada, &client, id, "read").await;
}

/// Everybody but the visitor of 200 is Ada, signed in.
async fn pages(number: u32, world: &mut World<'_>) {
    if number == 200 {
        return;
    }
    let browser = world.app.browser();
    browser.sign_in(&world.ada).await;
    if matches!(number, 202 | 203) {
        let page = browser.get(&Fixture::number(201).request.path).await;
        let mut form = Form::find(&page.expect(200), "/oauth/authorizations");
        let names: Vec<_> = form.fields.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, ["request", "page_token"]);
        let decision = if number == 202 { "allow" } else { "deny" };
        form.fields.push(("decision".to_owned(), decision.to_owned()));
        let pairs =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        world.body = Some(pairs);
    }
    world.cookie = browser.cookie_header();
}

/// A fresh code, 2001 or 2004 of Ada for client 41, or 2002 of Ben for client 43.
async fn codes(number: u32, world: &mut World<'_>) {
    let (user, client, spec) = match number {
        303 | 326 | 327 => (
            world.ben.clone(),
            world.mobile.clone(),
            GrantSpec {
                id: TokenId::new(2002).ok(),
                verifier: Some(VERIFIER),
                ..GrantSpec::of("tickets:read users:read", &world.mobile)
            },
        ),
        358 => (
            world.ada.clone(),
            world.reports.clone(),
            GrantSpec {
                id: TokenId::new(2004).ok(),
                verifier: Some(VERIFIER),
                ..GrantSpec::of("read", &world.reports)
            },
        ),
        _ => (
            world.ada.clone(),
            world.reports.clone(),
            GrantSpec { id: TokenId::new(2001).ok(), ..GrantSpec::of("read", &world.reports) },
        ),
    };
    world.issue_code(&user, &client, spec).await;
    match number {
        320 | 321 => drop(world.send(&Fixture::number(300)).await.expect(201)),
        322 | 323 => world.app.clock.advance(121),
        355 => world.app.store.go_away(),
        _ => {}
    }
}

async fn doors(number: u32, world: &mut World<'_>) {
    match number {
        340 | 341 => add_night_export(world).await,
        366 => {
            world.app.clock.set("2026-03-05T09:00:00Z");
            world.issue_grant(2001, 1_800).await;
            world.note_use(2001, "2026-03-05T09:29:58Z").await;
            world.app.clock.set("2026-03-05T09:30:00Z");
            world.send(&Fixture::number(311)).await.expect(200);
        }
        _ => drop(world.issue_grant(2001, 1_800).await),
    }
    match number {
        312 => drop(world.send(&Fixture::number(310)).await.expect(201)),
        313 | 314 => {
            world.send(&Fixture::number(310)).await.expect(201);
            let used = Fixture::number(314);
            world.send(&used).await.expect(200);
            world.app.clock.advance(31);
            if number == 314 {
                world.send(&Fixture::number(313)).await.expect(400);
            }
        }
        359 => {
            for _ in 0..20 {
                world.send(&Fixture::number(328)).await.expect(401);
            }
            world.app.clock.advance(51);
        }
        363 | 365 => drop(world.send(&Fixture::number(311)).await.expect(200)),
        364 => {
            world.send(&Fixture::number(311)).await.expect(200);
            let mut again = Fixture::number(311);
            let body = again.request.body.as_str().unwrap_or_default();
            again.request.body = rotated_once(body).into();
            world.send(&again).await.expect(200);
            world.app.clock.advance(3);
        }
        _ => {}
    }
    if number == 363 {
        world.app.clock.advance(86_400);
    }
}

/// The form of 311 with the refresh token of its answer.
fn rotated_once(form: &str) -> String {
    let (_, presented) = form.split_once("refresh_token=r").expect("a refresh token");
    let answer = Fixture::number(311).response.body;
    let next = answer["refresh_token"].as_str().expect("a refresh token");
    form.replace(&format!("r{presented}"), next)
}

async fn add_night_export(world: &mut World<'_>) {
    let id = ClientId::new(47).unwrap();
    let ada = world.ada.id;
    let client = world
        .app
        .add_client(id, "night_export", ClientKind::Confidential, |client| {
            client.user_id = ada;
            client.allowed_scope = Some(Scope::read());
        })
        .await;
    world.keep(client.secret());
}

async fn rest(number: u32, world: &mut World<'_>) {
    match number {
        420 => {
            world.app.clock.set("2026-03-05T12:35:04Z");
            world.issue_grant(2001, 86_400).await;
        }
        400 | 403 | 406 | 423 => drop(world.issue_grant(2001, 1_800).await),
        422 => world.app.clock.set("2026-03-02T10:12:41Z"),
        _ => {}
    }
    if number == 406 {
        world.app.store.go_away();
    }
}
