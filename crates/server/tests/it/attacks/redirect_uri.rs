//! Redirect addresses: everything that is almost the registered one.

use serde_json::json;
use tokenry_protocol::redirect_uri::{ClientKind, RedirectUri};

use super::{CLIENTS, World, consent};
use crate::support::{Door, VERIFIER, authorization_request, parameter};

/// What may stand for `https://acme-reports.test/callback` with some reader or other.
const VARIANTS: [&str; 72] = [
    // Case, port, scheme, slash.
    "https://acme-reports.test/CALLBACK",
    "https://Acme-Reports.test/callback",
    "HTTPS://acme-reports.test/callback",
    "https://acme-reports.test:443/callback",
    "https://acme-reports.test:8443/callback",
    "http://acme-reports.test/callback",
    "//acme-reports.test/callback",
    "https:/acme-reports.test/callback",
    "https:acme-reports.test/callback",
    "https://acme-reports.test/callback/",
    "https://acme-reports.test//callback",
    "https://acme-reports.test./callback",
    // User information, and what looks like it.
    "https://acme-reports.test@evil.test/callback",
    "https://acme-reports.test:x@evil.test/callback",
    "https://x@acme-reports.test/callback",
    "https://evil.test\\@acme-reports.test/callback",
    "https://acme-reports.test\\@evil.test/callback",
    "https://evil.test#@acme-reports.test/callback",
    "https://evil.test?@acme-reports.test/callback",
    "https://acme-reports.test%40evil.test/callback",
    // Query, fragment, parameters.
    "https://acme-reports.test/callback?",
    "https://acme-reports.test/callback?next=https://evil.test",
    "https://acme-reports.test/callback#",
    "https://acme-reports.test/callback#code",
    "https://acme-reports.test/callback%23",
    "https://acme-reports.test/callback%3Fx=1",
    "https://acme-reports.test/callback;x=1",
    "https://acme-reports.test/callback&x=1",
    // Paths.
    "https://acme-reports.test/callback/../evil",
    "https://acme-reports.test/callback/..",
    "https://acme-reports.test/x/../callback",
    "https://acme-reports.test/callback/%2e%2e/evil",
    "https://acme-reports.test/callback%2f..%2fevil",
    "https://acme-reports.test/callback/..;/evil",
    "https://acme-reports.test/%63allback",
    "https://acme-reports.test/./callback",
    "https://acme-reports.test/callback/evil",
    "https://acme-reports.test/",
    "https://acme-reports.test",
    "https://acme-reports.test/*",
    "/callback",
    // Hosts.
    "https://evil.test/callback",
    "https://evil.test/https://acme-reports.test/callback",
    "https://acme-reports.test.evil.test/callback",
    "https://evil.acme-reports.test/callback",
    "https://evil-acme-reports.test/callback",
    "https://acme-reports.tes/callback",
    "https://acme%2dreports.test/callback",
    "https://acme-reports.test%2eevil.test/callback",
    "https://acme-reports%E3%80%82test/callback",
    // Look-alikes: Cyrillic, full width, soft hyphen, their punycode.
    "https://acme-rероrts.test/callback",
    "https://ａcme-reports.test/callback",
    "https://acme\u{ad}-reports.test/callback",
    "https://xn--acme-rerts-r6i4c.test/callback",
    "https://acme-reports。test/callback",
    "https://acme-reports.test/c\u{430}llback",
    // White space and control characters.
    " https://acme-reports.test/callback",
    "https://acme-reports.test/callback ",
    "https://acme-reports.test/callback\t",
    "https://acme-reports.test/callback\r\nSet-Cookie: a=b",
    "https://acme-reports.test/callback\0",
    "https://acme-reports.test/callback\u{200b}",
    "https://acme-reports.test/call\nback",
    // Other schemes.
    "javascript:alert(1)",
    "javascript://acme-reports.test/callback%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "view-source:https://acme-reports.test/callback",
    "blob:https://acme-reports.test/callback",
    "urn:ietf:wg:oauth:2.0:oob",
    "com.acme.reports:/callback",
    "null",
];

#[tokio::test]
async fn no_variant_of_a_registered_address_is_taken_for_it() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    world.app.grant(&world.victim, &world.reports, "read").await;
    for variant in VARIANTS {
        // The rest of the request is right, wrong, or would go through without a page.
        for more in [
            ("prompt", ""),
            ("prompt", "none"),
            ("response_type", "nonsense"),
            ("scope", "nonsense"),
            ("code_challenge_method", "plain"),
        ] {
            let changes = [("redirect_uri", variant), more];
            let address = authorization_request(&world.reports, &changes);
            let page = browser.get(&address).await.expect(400);
            assert_eq!(page.header("location"), None, "{variant:?} {more:?}");
            assert_eq!(page.headers.get("refresh"), None, "{variant:?}");
            assert!(!page.text().contains("http-equiv"), "{variant:?}");
        }
    }
}

#[tokio::test]
async fn no_variant_of_the_address_redeems_the_code_that_was_sent_to_it() {
    let world = World::new().await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    for variant in VARIANTS {
        for door in Door::BOTH {
            let more = [("redirect_uri", variant)];
            let answer = door.redeem(&world.app, &world.reports, &code, &more).await;
            let refused = ["400 invalid_grant", "400 invalid_request"];
            assert!(refused.contains(&&*answer.refusal()), "{variant:?}");
        }
    }
    Door::Standard.redeem(&world.app, &world.reports, &code, &[]).await.expect(200);
}

/// RFC 8252 §7.3: the port of a loopback address is the app's to choose, and nothing else is.
#[tokio::test]
async fn of_a_loopback_address_the_port_varies_and_nothing_else() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    for variant in [
        "http://localhost/callback",
        "http://localhost:1234/callback",
        "http://127.0.0.2/callback",
        "http://127.1/callback",
        "http://2130706433/callback",
        "http://0x7f000001/callback",
        "http://0177.0.0.1/callback",
        "http://[::1]/callback",
        "http://[::ffff:127.0.0.1]/callback",
        "http://0.0.0.0/callback",
        "https://127.0.0.1/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:+80/callback",
        "http://127.0.0.1:80 /callback",
        "http://127.0.0.1:80@evil.test/callback",
        "http://127.0.0.1@evil.test/callback",
        "http://127.0.0.1:1234:evil.test/callback",
        "http://127.0.0.1.evil.test/callback",
        "http://127.0.0.1:1234/callback?bar=foo",
        "http://127.0.0.1/callback?bar=foo",
        "http://127.0.0.1:1234/other",
        "http://127.0.0.1:1234/CALLBACK",
        "http://127.0.0.1:1234",
        "http://127.0.0.1:1234/callback#x",
        "http://127.0.0.1:1234\\.evil.test/callback",
    ] {
        let address = authorization_request(&world.mobile, &[("redirect_uri", variant)]);
        let page = browser.get(&address).await.expect(400);
        assert_eq!(page.header("location"), None, "{variant}");
    }
    let chosen = "http://127.0.0.1:53682/callback";
    let address = authorization_request(&world.mobile, &[("redirect_uri", chosen)]);
    let answer = consent(&browser, &address).await;
    assert!(answer.location().starts_with(&format!("{chosen}?code=")));
    let code = parameter(answer.location(), "code").unwrap();
    // Another program on the machine listens at another port.
    for other in ["http://127.0.0.1:53683/callback", "http://127.0.0.1/callback", ""] {
        let more = [("redirect_uri", other), ("code_verifier", VERIFIER)];
        let answer = Door::Standard.redeem(&world.app, &world.mobile, &code, &more).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{other}");
    }
    let more = [("redirect_uri", chosen)];
    Door::Standard.redeem(&world.app, &world.mobile, &code, &more).await.expect(200);
}

#[tokio::test]
async fn an_address_that_would_run_or_lead_astray_is_not_registered() {
    let world = World::new().await;
    let one = format!("{CLIENTS}/{}", world.reports.id);
    for address in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://acme.test/x",
        "http://acme.test/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.1%2eevil.test/cb",
        "http://[::ffff:7f00:1]/cb",
        "https://*.acme.test/cb",
        "https://acme.test/*",
        "https://acme.test/cb#x",
        "https://user:pass@acme.test/cb",
        "https://acme.test\\@evil.test/cb",
        "https://acme.test/a/../b",
        "https://acme.test/a/%2e%2e/b",
        "https://acme.tеst/cb",
        "https://ａcme.test/cb",
        "https://acme.test/<script>",
        "https://acme.test/\"onload=x",
        "//acme.test/cb",
        "acme.test/cb",
        "com.acme.app:/cb",
    ] {
        for uris in [json!([address]), json!(["https://fine.test/cb", address])] {
            let new = json!({"name": "N", "identifier": "n", "redirect_uri": uris});
            let made = world.app.post(CLIENTS).by(&world.ada).json(&json!({"client": new})).await;
            let change = json!({"client": {"redirect_uri": uris}});
            let changed = world.app.put(&one).by(&world.ada).json(&change).await;
            for answer in [made, changed] {
                let body = answer.expect(422).json();
                assert!(body["details"]["redirect_uri"].is_array(), "{address}: {body}");
            }
        }
    }
}

/// An address that was taken away sends nobody anywhere any more, and neither do old codes.
#[tokio::test]
async fn an_address_that_was_taken_away_gets_no_code_any_more() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    world.app.grant(&world.victim, &world.reports, "read").await;
    let address = authorization_request(&world.reports, &[("prompt", "none")]);
    browser.get(&address).await.expect(303);
    let moved = "https://new.acme-reports.test/callback";
    world
        .app
        .change_client(&world.reports, |client| {
            client.redirect_uris =
                vec![RedirectUri::parse(moved, ClientKind::Confidential).unwrap()];
        })
        .await;
    assert_eq!(browser.get(&address).await.expect(400).header("location"), None);
}

/// What a request brings along is data in the address it goes back with.
#[tokio::test]
async fn what_a_request_brings_splits_no_header_and_adds_no_parameter() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    for state in [
        "a\r\nSet-Cookie: session=evil",
        "a\n\nHTTP/1.1 200 OK\r\n\r\n<script>",
        "a&code=evil",
        "a#code=evil",
        "a%26code%3Devil",
        "\u{2028}é\u{1}",
        "javascript:alert(1)",
    ] {
        for scope in ["read", "nonsense"] {
            let changes = [("state", state), ("scope", scope), ("prompt", "consent")];
            let answer = consent(&browser, &authorization_request(&world.reports, &changes)).await;
            let location = answer.location();
            assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
            assert!(!location.contains('#'), "{location}");
            assert_eq!(parameter(location, "state").as_deref(), Some(state));
            assert_ne!(parameter(location, "code").as_deref(), Some("evil"));
            assert_eq!(answer.headers.get("session"), None);
            let cookies = answer.headers.get_all("set-cookie").iter();
            assert_eq!(cookies.count(), 0, "{state:?}");
        }
    }
}
