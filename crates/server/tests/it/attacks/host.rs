//! A server whose address follows `Host`: each answer names the server that its own request named,
//! and rubbish is never repeated.

use futures_util::future::join_all;
use serde_json::json;
use tokenry_server::config::{Config, Mode};

use super::TOKENS;
use crate::support::{
    Answer, BASE, Call, Form, TestApp, TestClient, TestUser, authorization_request, parameter,
};

const METADATA: &str = "/.well-known/oauth-authorization-server";

struct World {
    app: TestApp,
    ada: TestUser,
    reports: TestClient,
}

impl World {
    async fn new(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(|config| {
            config.base_url_from_host = true;
            configure(config);
        })
        .await;
        let ada = app.admin("Ada").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, reports }
    }

    fn introspect(&self, token: &str) -> Call<'_> {
        self.app.post("/oauth/introspect").form(&[("token", token)]).by_client(&self.reports)
    }
}

fn all(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers, answer.text())
}

#[tokio::test]
async fn every_address_of_an_answer_is_under_the_host_of_its_request() {
    let world = World::new(|_| ()).await;
    let (app, ada) = (&world.app, &world.ada);
    let grant = app.grant(ada, &world.reports, "read").await;
    app.created_token(ada, &world.reports, "read").await;
    let reports = format!("/api/v2/oauth/clients/{}", world.reports.id);
    let body = json!({"api_token": {"description": "x"}});
    for host in ["acme.test:4000", "localhost:4000", "[::1]:4000", "127.0.0.1:4001"] {
        let calls = [
            app.get(METADATA),
            app.get("/api/v2/oauth/tokens/current").bearer(&grant.access),
            app.get(&format!("{TOKENS}?per_page=1")).by(ada),
            app.get(&format!("{TOKENS}?page[size]=1")).by(ada),
            app.get(&reports).by(ada),
            app.get("/api/v2/users/me").by(ada),
            app.post("/api/v2/api_tokens").by(ada).json(&body),
            world.introspect(&grant.access),
            world.introspect(&grant.refresh),
        ];
        for call in calls {
            let answer = call.header("host", host).await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.snapshot());
            let text = answer.text();
            assert!(text.contains(&format!("http://{host}")), "{host}: {text}");
            assert!(!all(&answer).contains(BASE), "{host}: {text}");
        }
    }
}

#[tokio::test]
async fn the_issuer_of_a_consent_is_the_host_that_the_browser_asked() {
    let world = World::new(|_| ()).await;
    let browser = world.app.browser();
    browser.sign_in(&world.ada).await;
    for (decision, host) in [("allow", "acme.test"), ("deny", "other.test:1")] {
        let address = authorization_request(&world.reports, &[]);
        let page = browser.send(world.app.get(&address).header("host", host)).await.expect(200);
        let mut fields = Form::find(&page, "/oauth/authorizations").fields;
        fields.push(("decision".to_owned(), decision.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let call = world.app.post("/oauth/authorizations").form(&fields).header("host", host);
        let answer = browser.send(call).await.expect(303);
        let expected = format!("http://{host}");
        assert_eq!(parameter(answer.location(), "iss").as_deref(), Some(&*expected));
    }
}

/// Answers are kept beside what they tell of; one that names a server is not given to who asked
/// another.
#[tokio::test]
async fn requests_under_many_hosts_at_once_do_not_see_each_others() {
    let world = World::new(|_| ()).await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let (world, bearer) = (&world, &grant.access);
    let calls = (0..200).map(|number| async move {
        let host = format!("h{number}.test:{}", 1_000 + number);
        let call = match number % 3 {
            0 => world.app.get("/api/v2/oauth/tokens/current").bearer(bearer),
            1 => world.introspect(bearer),
            _ => world.app.get(METADATA),
        };
        (call.header("host", &host).await.expect(200), host)
    });
    for (answer, host) in join_all(calls).await {
        let text = answer.text();
        let named: Vec<&str> = text.split("http://").skip(1).collect();
        assert!(!named.is_empty(), "{text}");
        assert!(named.iter().all(|rest| rest.starts_with(&host)), "{host}: {text}");
    }
}

#[tokio::test]
async fn a_host_that_is_none_is_never_repeated() {
    let world = World::new(|_| ()).await;
    let long = format!("evil{}", ".test".repeat(200));
    for host in ["evil b", "evil@y", "y@evil", "evil:0", "evil:99999", "evil/", "<evil>", &long] {
        let answer = world.app.get(METADATA).header("host", host).await.expect(200);
        assert_eq!(answer.json()["issuer"], BASE, "{host}");
        assert!(!all(&answer).contains("evil"), "{host}");
    }
    let answer = world.app.get(METADATA).await.expect(200);
    assert_eq!(answer.json()["issuer"], BASE, "no Host");
    let twice = world.app.get(METADATA).header("host", "a.test").header("host", "b.test");
    assert_eq!(twice.await.expect(200).json()["issuer"], "http://a.test");
    for header in ["x-forwarded-host", "forwarded", "x-original-host"] {
        let value = if header == "forwarded" { "host=evil.test" } else { "evil.test" };
        let answer = world.app.get(METADATA).header(header, value).await.expect(200);
        assert!(!all(&answer).contains("evil"), "{header}");
    }
}

/// RFC 9112 §3.2.2; in HTTP/2 it is `:authority`, which the HTTP library puts in the same place.
#[tokio::test]
async fn the_address_of_the_request_goes_before_host() {
    let world = World::new(|_| ()).await;
    let address = format!("http://one.test:8000{METADATA}");
    let answer = world.app.get(&address).header("host", "two.test").await.expect(200);
    assert_eq!(answer.json()["issuer"], "http://one.test:8000");
}

#[tokio::test]
async fn the_scheme_and_what_rests_on_it_stay_as_configured() {
    let https = "https://auth.example.com";
    let overrides = [tokenry_server::config::Override {
        key: "base_url".to_owned(),
        value: https.to_owned(),
        flag: "--base-url".to_owned(),
    }];
    let loaded = Config::load(Mode::Serve, None, std::iter::empty(), &overrides).unwrap();
    let world = World::new(|config| config.base_url.clone_from(&loaded.config.base_url)).await;
    let answer = world.app.get(METADATA).header("host", "a.test:8443").await.expect(200);
    assert_eq!(answer.json()["issuer"], "https://a.test:8443");
    let page = world.app.get("/sign-in").header("host", "a.test:8443").await.expect(200);
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-tokenry_browser="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}
