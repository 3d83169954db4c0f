//! Limits on requests. Docs: rules, "Rate limits and repetition", "Headers on answers".

use crate::support::{Answer, Door, TestApp, TestClient, TestUser, VERIFIER};

const TOKENS: &str = "/api/v2/oauth/tokens";
const CURRENT: &str = "/api/v2/oauth/tokens/current";
const HEADERS: [&str; 5] = [
    "x-rate-limit",
    "x-rate-limit-remaining",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
];

struct World {
    app: TestApp,
    ada: TestUser,
    ben: TestUser,
    reports: TestClient,
    mobile: TestClient,
}

impl World {
    async fn with(requests_per_caller: Option<u32>) -> Self {
        Self::of(TestApp::with(|config| config.limits.requests_per_caller = requests_per_caller))
            .await
    }

    async fn of(app: impl Future<Output = TestApp>) -> Self {
        let app = app.await;
        let ada = app.admin("Ada").await;
        let ben = app.agent("Ben").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        let mobile = app.public_client("acme_mobile", &ada).await;
        Self { app, ada, ben, reports, mobile }
    }

    async fn list(&self, user: &TestUser) -> Answer {
        self.app.get(TOKENS).by(user).await
    }
}

/// What the headers say is left, and when there is more.
fn told(answer: &Answer) -> Option<(u32, u32, u32)> {
    let numbers = HEADERS.map(|name| answer.header(name).map(|text| text.parse::<u32>().unwrap()));
    match numbers {
        [Some(limit), Some(remaining), Some(same_limit), Some(same), Some(reset)] => {
            assert_eq!((limit, remaining), (same_limit, same));
            Some((limit, remaining, reset))
        }
        [None, None, None, None, None] => None,
        numbers => panic!("{numbers:?}"),
    }
}

#[tokio::test]
async fn a_user_has_so_many_requests_in_a_sliding_minute() {
    let world = World::with(Some(3)).await;
    assert_eq!(told(&world.list(&world.ben).await.expect(200)), Some((3, 2, 60)));
    world.app.clock.advance(30);
    assert_eq!(told(&world.list(&world.ben).await.expect(200)), Some((3, 1, 30)));
    assert_eq!(told(&world.list(&world.ben).await.expect(200)), Some((3, 0, 30)));
    let refused = world.list(&world.ben).await.expect(429);
    assert_eq!(told(&refused), Some((3, 0, 30)));
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(
        refused.text(),
        r#"{"error":"APIRateLimitExceeded","description":"Too many requests in this minute."}"#
    );
    assert_eq!(told(&world.list(&world.ada).await.expect(200)), Some((3, 2, 60)));
    world.app.clock.advance(30);
    assert_eq!(told(&world.list(&world.ben).await.expect(200)), Some((3, 0, 30)));
    world.list(&world.ben).await.expect(429);
}

#[tokio::test]
async fn all_credentials_of_a_user_spend_the_same() {
    let world = World::with(Some(2)).await;
    let one = world.app.created_token(&world.ben, &world.reports, "read").await;
    let two = world.app.grant(&world.ben, &world.mobile, "read").await;
    world.app.get(TOKENS).bearer(&one.access).await.expect(200);
    world.app.get(TOKENS).bearer(&two.access).await.expect(200);
    world.list(&world.ben).await.expect(429);
    world.app.get(TOKENS).bearer(&one.access).await.expect(429);
}

/// Whoever could act for thousands would otherwise have as many limits.
#[tokio::test]
async fn whoever_acts_for_others_spends_their_own() {
    let world = World::with(Some(3)).await;
    let bearer = world.app.created_token(&world.ada, &world.reports, "read impersonate").await;
    let users = [world.app.end_user("Cleo").await, world.app.end_user("Dan").await];
    for user in &users {
        let call = world.app.get(TOKENS).bearer(&bearer.access);
        call.header("x-on-behalf-of", &user.email).await.expect(200);
    }
    let refused = world.app.get(TOKENS).bearer(&bearer.access);
    refused.header("x-on-behalf-of", "nobody").await.expect(403);
    world.list(&world.ada).await.expect(429);
    world.list(&users[0]).await.expect(200);
}

#[tokio::test]
async fn checking_a_token_is_not_limited() {
    let world = World::with(Some(1)).await;
    let token = world.app.created_token(&world.ben, &world.reports, "read").await;
    world.list(&world.ben).await.expect(200);
    world.list(&world.ben).await.expect(429);
    for _ in 0..5 {
        for path in [CURRENT.to_owned(), format!("{CURRENT}.json")] {
            let answer = world.app.get(&path).bearer(&token.access).await.expect(200);
            assert_eq!(told(&answer), None);
        }
        let asked = world.app.post("/oauth/introspect").by_client(&world.reports);
        asked.form(&[("token", &token.access)]).await.expect(200);
    }
}

#[tokio::test]
async fn who_has_not_proved_to_be_somebody_spends_nothing() {
    let world = World::of(TestApp::with(|config| {
        config.limits.requests_per_caller = Some(1);
        config.tokens.pkce_without_secret = true;
    }))
    .await;
    for _ in 0..3 {
        let user = format!("{}/token", world.ben.email);
        let answer = world.app.get(TOKENS).basic(&user, "wrong").await.expect(401);
        assert_eq!(told(&answer), None);
        let call = world.app.post("/oauth/token").basic("acme_reports", "wrong");
        call.form(&[("grant_type", "client_credentials")]).await.expect(401);
    }
    // A client that leaves its proof to a verifier is only named, and counts by address.
    let made_up = [
        ("grant_type", "authorization_code"),
        ("client_id", "acme_reports"),
        ("code", "made up"),
        ("code_verifier", VERIFIER),
    ];
    for (peer, status) in
        [("198.51.100.7:1", 400), ("198.51.100.7:2", 429), ("198.51.100.8:1", 400)]
    {
        world.app.post("/oauth/token").at_peer(peer).form(&made_up).await.expect(status);
    }
    world.list(&world.ben).await.expect(200);
    let call = world.app.post("/oauth/token").by_client(&world.reports);
    call.form(&[("grant_type", "client_credentials")]).await.expect(200);
}

#[tokio::test]
async fn a_client_has_so_many_requests_at_both_doors_together() {
    let world = World::with(Some(2)).await;
    let grant = world.app.grant(&world.ben, &world.reports, "read").await;
    let form = [("grant_type", "client_credentials")];
    let call = |path: &str| world.app.post(path).by_client(&world.reports).form(&form);
    call("/oauth/token").await.expect(200);
    call("/oauth/tokens").await.expect(201);
    for path in ["/oauth/token", "/oauth/tokens"] {
        let refused = call(path).await.expect(429);
        assert_eq!(refused.error(), "temporarily_unavailable");
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(told(&refused), None);
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
    let refused = Door::Standard.refresh(&world.app, &world.reports, &grant.refresh, &[]).await;
    assert_eq!(refused.status, 429);
    world.app.clock.advance(60);
    let refreshed = Door::Standard.refresh(&world.app, &world.reports, &grant.refresh, &[]).await;
    assert_eq!(refreshed.status, 200, "what was refused spent nothing");
}

/// Anybody can name a public client, and must not keep its users out.
#[tokio::test]
async fn a_public_client_is_counted_by_address() {
    let world = World::with(Some(2)).await;
    let mobile = &*world.mobile.identifier;
    let form =
        [("grant_type", "refresh_token"), ("client_id", mobile), ("refresh_token", "made up")];
    for (peer, status) in [
        ("198.51.100.7:1", 400),
        ("198.51.100.7:2", 400),
        ("198.51.100.7:3", 429),
        ("198.51.100.8:1", 400),
    ] {
        let call = world.app.post("/oauth/token").at_peer(peer).form(&form);
        call.await.expect(status);
    }
}

#[tokio::test]
async fn without_the_setting_there_is_no_limit_and_no_word_of_one() {
    let world = World::with(None).await;
    for _ in 0..100 {
        let answer = world.list(&world.ben).await.expect(200);
        assert_eq!(told(&answer), None);
    }
}
