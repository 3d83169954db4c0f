//! Trying until it fits: secrets, tokens, passwords.

use tokenry_core::{TokenKeys, credentials::Key};
use tokenry_protocol::secret::Kind;

use super::World;
use crate::support::{Door, Form, PASSWORD, TestApp};

/// RFC 6819 §4.4.1.12: the store is not the attacker's to keep busy.
#[tokio::test]
async fn made_up_codes_and_tokens_cost_the_store_nothing() {
    let world = World::new().await;
    let other = TokenKeys::new((1, Key::new([9; 32])), []);
    // The client is known by now, as that of a busy attacker is.
    let grant = world.app.grant(&world.victim, &world.evil, "read").await;
    Door::Standard.refresh(&world.app, &world.evil, &grant.refresh, &[]).await.expect(200);
    let before = world.app.store.calls();
    for id in 1..50 {
        for (kind, secret) in [(Kind::AuthorizationCode, [1; 16]), (Kind::RefreshToken, [2; 16])] {
            let forged = other.mint(kind, id, 0, secret);
            let text = forged.reveal();
            let redeemed = Door::Standard.redeem(&world.app, &world.evil, text, &[]).await;
            assert_eq!(redeemed.refusal(), "400 invalid_grant");
            let refreshed = Door::Record.refresh(&world.app, &world.evil, text, &[]).await;
            assert_eq!(refreshed.refusal(), "400 invalid_grant");
            world.app.post("/oauth/revoke").by_client(&world.evil).form(&[("token", text)]).await;
            world.app.get("/api/v2/oauth/tokens/current").bearer(text).await.expect(401);
        }
    }
    assert_eq!(world.app.store.calls(), before);
}

/// CVE-2026-47203: every spelling of an address is the one account, at every place that asks.
#[tokio::test]
async fn no_spelling_of_an_address_gives_more_guesses() {
    let world = World::new().await;
    let email = &world.victim.email;
    let spellings = [email.clone(), email.to_uppercase(), email.replace("vic", "ViC")];
    for number in 0..20_u8 {
        let spelled = &spellings[usize::from(number) % spellings.len()];
        // Each from an address of its own, by turns at the record API and at the sign-in page.
        let peer = format!("198.51.100.{number}:5000");
        if number % 2 == 0 {
            let call = world.app.get("/api/v2/users/me").at_peer(&peer);
            call.basic(&format!("{spelled}/token"), "guess").await.expect(401);
        } else {
            let browser = world.app.browser();
            let page = browser.get("/sign-in").await;
            let mut form = Form::find(&page, "/sign-in");
            form.fill("email", spelled);
            form.fill("password", "guess");
            let fields: Vec<(&str, &str)> =
                form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let call = world.app.post("/sign-in").at_peer(&peer).form(&fields);
            browser.send(call).await.expect(422);
        }
    }
    for spelled in &spellings {
        let call = world.app.get("/api/v2/users/me").at_peer("203.0.113.9:5000");
        let right = call.basic(&format!("{spelled}/token"), &world.victim.api_token);
        right.await.expect(429);
        let browser = world.app.browser();
        let page = browser.get("/sign-in").await;
        let mut form = Form::find(&page, "/sign-in");
        form.fill("email", spelled);
        form.fill("password", PASSWORD);
        browser.press(&form, ("", "")).await.expect(429);
    }
    // Nobody else waits for that.
    world.app.get("/api/v2/users/me").by(&world.ada).await.expect(200);
}

/// An address is that of the peer: what a request claims about it counts for nothing.
#[tokio::test]
async fn a_claimed_address_gives_no_more_guesses() {
    let world = World::new().await;
    let guess = |number: u32, account: String| {
        let claimed = format!("198.51.100.{}", number % 250);
        let forwarded = format!("for={claimed};by=203.0.113.1");
        let call = world.app.get("/api/v2/users/me").basic(&format!("{account}/token"), "guess");
        let call = call.header("x-forwarded-for", &claimed).header("x-real-ip", &claimed);
        let call = call.header("forwarded", &forwarded).header("cf-connecting-ip", &claimed);
        call.header("true-client-ip", &claimed).header("x-client-ip", &claimed)
    };
    for number in 0..60 {
        guess(number, format!("user{number}@acme.test")).await.expect(401);
    }
    guess(60, "somebody@acme.test".to_owned()).await.expect(429);
    let elsewhere = world.app.get("/api/v2/users/me").at_peer("203.0.113.9:5000");
    elsewhere.by(&world.ada).await.expect(200);
}

/// And behind a proxy that is trusted, it is what the proxy says and nothing that was there before.
#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_guesses_of_its_own() {
    let proxy = "10.0.0.1:5000";
    let app = TestApp::with(|config| {
        config.proxy.trusted = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let ada = app.admin("Ada").await;
    let guess = |client: &str, number: u32| {
        let forwarded = format!("203.0.113.{}, {client}", number % 250);
        let account = format!("user{number}@acme.test/token");
        let call = app.get("/api/v2/users/me").basic(&account, "guess").at_peer(proxy);
        call.header("x-forwarded-for", &forwarded)
    };
    for number in 0..60 {
        guess("198.51.100.1", number).await.expect(401);
    }
    guess("198.51.100.1", 60).await.expect(429);
    guess("198.51.100.1", 61).at_peer("10.0.0.2:5000").await.expect(429);
    guess("198.51.100.2", 62).await.expect(401);
    let own = app.get("/api/v2/users/me").by(&ada).at_peer(proxy);
    own.header("x-forwarded-for", "198.51.100.2").await.expect(200);
}

/// RFC 6819 §4.3.5: a secret in the header, in the form and in JSON is one and the same guess.
#[tokio::test]
async fn no_way_of_sending_a_secret_gives_more_guesses() {
    let world = World::new().await;
    let guess = |number: usize| {
        let name = ["acme_reports", "acme%5Freports", "%61cme_reports"][number % 3];
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let in_body = [
            ("grant_type", "client_credentials"),
            ("client_id", "acme_reports"),
            ("client_secret", "guess"),
            ("token", "x"),
        ];
        let peer = format!("198.51.100.{number}:5000");
        match number % 4 {
            0 => world.app.post("/oauth/token").basic(name, "guess").form(&form),
            1 => world.app.post("/oauth/revoke").form(&in_body),
            2 => Door::Record.call(&world.app, &in_body),
            _ => world.app.post("/oauth/introspect").basic(name, "guess").form(&form),
        }
        .at_peer(&peer)
    };
    for number in 0..20 {
        guess(number).await.expect(401);
    }
    for number in 20..24 {
        guess(number).await.expect(429);
    }
    let right = world.app.post("/oauth/token").by_client(&world.reports);
    right.form(&[("grant_type", "client_credentials")]).await.expect(429);
    world.app.clock.advance(60);
    let right = world.app.post("/oauth/token").by_client(&world.reports);
    right.form(&[("grant_type", "client_credentials")]).await.expect(200);
}
