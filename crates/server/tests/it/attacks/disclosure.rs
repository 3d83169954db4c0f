//! What answers, records and files tell somebody who should not know.

use std::{fs, net::TcpListener};

use serde_json::json;
use tokenry_protocol::redirect_uri::{ClientKind, RedirectUri};

use super::{API_TOKENS, CLIENTS, TOKENS, World, consent};
use crate::support::{Answer, Door, Form, PASSWORD, TestApp, authorization_request, parameter};

/// An answer without what differs between any two.
fn comparable(answer: &Answer) -> String {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    let text = answer.text();
    // Pages show the request's id.
    let id = answer.header("x-request-id").unwrap_or("-");
    format!("{} {headers:?} {}", answer.status, text.replace(id, "(id)"))
}

/// Ids are counted up, so everybody can guess them; guessing tells nothing.
#[tokio::test]
async fn a_record_of_somebody_else_answers_to_the_byte_as_one_that_is_not_there() {
    let world = World::new().await;
    let theirs = world.app.grant(&world.victim, &world.reports, "read").await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    let pending = tokenry_protocol::secret::Credential::parse(&code).unwrap().parts().id;
    let mallory = &world.mallory;
    let bearer = world.app.created_token(mallory, &world.evil, "read write").await.access;
    for (method, beginning, foreign) in [
        ("GET", "/api/v2/oauth/tokens", theirs.id.get()),
        ("DELETE", "/api/v2/oauth/tokens", theirs.id.get()),
        ("GET", "/api/v2/tokens", theirs.id.get()),
        ("DELETE", "/api/v2/tokens", theirs.id.get()),
        ("GET", "/api/v2/oauth/tokens", pending),
        ("GET", "/api/v2/users", world.victim.id.get()),
        ("GET", "/api/v2/users", world.ada.id.get()),
        ("GET", "/api/v2/oauth/clients", world.reports.id.get()),
        ("PUT", "/api/v2/oauth/clients", world.reports.id.get()),
        ("DELETE", "/api/v2/oauth/clients", world.reports.id.get()),
        ("GET", "/api/v2/api_tokens", 1),
    ] {
        for id in ["4711", "9007199254740991", "0", "x"] {
            let (there, nowhere) = (format!("{beginning}/{foreign}"), format!("{beginning}/{id}"));
            let by_basic = (
                world.app.call(method, &there).by(mallory).await,
                world.app.call(method, &nowhere).by(mallory).await,
            );
            let by_bearer = (
                world.app.call(method, &there).bearer(&bearer).await,
                world.app.call(method, &nowhere).bearer(&bearer).await,
            );
            for (there, nowhere) in [by_basic, by_bearer] {
                assert!(matches!(there.status, 403 | 404), "{method} {beginning}");
                assert_eq!(comparable(&there), comparable(&nowhere), "{method} {beginning}");
            }
        }
    }
    let list = world.app.get(TOKENS).by(mallory).await.expect(200).json();
    assert_eq!(list["count"], 1);
    let browser = world.signed_in(mallory).await;
    let page = browser.get("/account/connections").await.expect(200);
    let form = Form::find(&page, "/account/connections/");
    let mut answers = Vec::new();
    for id in [theirs.id.get(), pending, 4711] {
        let mut form = form.clone();
        form.action = format!("/account/connections/{id}/revoke");
        answers.push(comparable(&browser.press(&form, ("", "")).await));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(world.app.is_alive(&theirs.access).await);
}

/// RFC 6819 §4.3.5: neither which clients there are, nor which half was wrong.
#[tokio::test]
async fn a_client_that_is_unknown_answers_to_the_byte_as_one_with_a_wrong_secret() {
    let world = World::new().await;
    let wrong = world.evil.secret();
    for path in ["/oauth/token", "/oauth/tokens", "/oauth/revoke", "/oauth/introspect"] {
        let fields = [("grant_type", "client_credentials"), ("token", "x")];
        let mut answers = Vec::new();
        for identifier in ["acme_reports", "acme_mobile", "nobody", "ACME_REPORTS", "1"] {
            let call = world.app.post(path).basic(identifier, wrong).form(&fields);
            answers.push(comparable(&call.await));
        }
        assert!(answers[0].starts_with("401"), "{path}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
    }
}

/// CVE-2020-10187: what a list tells of a client is what its reader may know.
#[tokio::test]
async fn no_list_or_record_or_page_shows_a_credential_again() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let created = world.app.created_token(&world.ada, &world.reports, "read").await;
    let browser = world.signed_in(&world.ada).await;
    let session = browser.cookie("tokenry_session").unwrap();
    let secrets = [
        &*grant.access,
        &*grant.refresh,
        &*created.access,
        world.reports.secret(),
        world.evil.secret(),
        &*world.ada.api_token,
        &*session,
        "argon2",
    ];
    let mut answers = vec![
        browser.get("/account/connections").await.expect(200),
        browser.get("/").await.expect(200),
        browser.get(&authorization_request(&world.mobile, &[])).await.expect(200),
        world.app.get("/api/v2/oauth/tokens/current").bearer(&grant.access).await.expect(200),
    ];
    for path in [
        TOKENS,
        "/api/v2/oauth/tokens?all=true&page[size]=100",
        CLIENTS,
        "/api/v2/oauth/clients/1",
        "/api/v2/clients/1",
        "/api/v2/users/me/oauth/clients",
        API_TOKENS,
        "/api/v2/api_tokens/1",
        "/api/v2/users/me",
        "/api/v2/users/1",
    ] {
        answers.push(world.app.get(path).by(&world.ada).await.expect(200));
    }
    let body = json!({"client": {"name": "N"}});
    let update = world.app.put("/api/v2/oauth/clients/1").by(&world.ada).json(&body);
    answers.push(update.await.expect(200));
    for answer in answers {
        let all = format!("{:?} {}", answer.headers, answer.text());
        for secret in secrets {
            // The first ten characters are the name of the record.
            let private = secret.get(10..).filter(|rest| rest.len() > 10).unwrap_or(secret);
            assert!(!all.contains(private), "{all}");
        }
    }
}

/// A refusal tells what is wrong without repeating what was sent.
#[tokio::test]
async fn no_refusal_repeats_a_credential() {
    let world = World::new().await;
    let marker = "s3cretMarker0123456789";
    let app = &world.app;
    let email = format!("{}/token", world.ada.email);
    let browser = app.browser();
    let page = browser.get("/sign-in").await;
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &world.ada.email);
    form.fill("password", marker);
    let mut answers = vec![
        app.get("/api/v2/users/me").bearer(marker).await,
        app.get("/api/v2/users/me").basic(&email, marker).await,
        app.get(&format!("/api/v2/users/me?access_token={marker}")).await,
        app.post("/oauth/introspect").basic("acme_reports", marker).form(&[("token", "x")]).await,
        browser.press(&form, ("", "")).await,
    ];
    for door in Door::BOTH {
        let reports = &world.reports;
        let verifier = [("code_verifier", marker)];
        answers.extend([
            door.redeem(app, reports, marker, &verifier).await,
            door.refresh(app, reports, marker, &[]).await,
            door.call(app, &[("grant_type", marker)]).by_client(reports).await,
            door.call(app, &[("client_id", "acme_reports"), ("client_secret", marker)]).await,
        ]);
        let query = format!("{}?client_secret={marker}&code={marker}", door.path());
        answers.push(app.post(&query).form(&[("grant_type", "client_credentials")]).await);
    }
    for answer in answers {
        assert!(answer.status >= 400, "{}", answer.snapshot());
        let all = format!("{:?} {}", answer.headers, answer.text());
        assert!(!all.contains(marker), "{all}");
    }
}

/// RFC 9700 §4.2 and §4.3, RFC 6819 §4.6.7: an answer with a credential is kept by nobody and its
/// address by no history.
#[tokio::test]
async fn what_carries_a_credential_is_not_stored_and_names_no_referrer() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    let sent = consent(&browser, &authorization_request(&world.reports, &[])).await;
    let code = parameter(sent.location(), "code").unwrap();
    let mut answers = vec![sent];
    let redeemed = Door::Record.redeem(&world.app, &world.reports, &code, &[]).await;
    let tokens = redeemed.tokens();
    answers.push(redeemed);
    answers.push(Door::Standard.refresh(&world.app, &world.reports, &tokens.refresh, &[]).await);
    answers.push(Door::Standard.refresh(&world.app, &world.reports, "nothing", &[]).await);
    let created = json!({"token": {"client_id": world.reports.id}});
    answers.push(world.app.post(TOKENS).by(&world.ada).json(&created).await);
    let secret = format!("{CLIENTS}/{}/generate_secret", world.reports.id);
    answers.push(world.app.put(&secret).by(&world.ada).await);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("etag"), None);
        assert_eq!(answer.header("content-encoding"), None);
    }
}

/// CVE-2026-22752: what is registered is shown, and never called.
#[tokio::test]
async fn no_address_in_a_record_is_ever_called_by_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let world = World::new().await;
    let record = json!({"client": {
        "name": "N", "identifier": "n", "redirect_uri": [format!("{here}/callback")],
        "logo_url": format!("{here}/logo.png"), "jwks_uri": format!("{here}/jwks"),
        "sector_identifier_uri": format!("{here}/sector"), "request_uris": [format!("{here}/r")],
        "description": format!("{here}/description"), "company": here,
    }});
    world.app.post(CLIENTS).by(&world.ada).json(&record).await.expect(201);
    world
        .app
        .change_client(&world.reports, |client| {
            client.logo_url = Some(format!("{here}/logo.png"));
            let address = format!("{here}/callback");
            client.redirect_uris =
                vec![RedirectUri::parse(&address, ClientKind::Confidential).unwrap()];
        })
        .await;
    let browser = world.signed_in(&world.victim).await;
    let address = format!("{here}/callback");
    let asked = |name| {
        let changes = [("redirect_uri", &*address), (name, &*address)];
        authorization_request(&world.reports, &changes)
    };
    for name in ["state", "request_uri", "request", "resource", "login_hint", "client_uri"] {
        browser.get(&asked(name)).await.expect(200);
    }
    consent(&browser, &asked("state")).await;
    browser.get("/account/connections").await.expect(200);
    let error = listener.accept().expect_err("nobody called");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

/// RFC 6819 §5.1.4.1.2.
#[tokio::test]
async fn text_that_would_be_sql_is_text() {
    let world = World::new().await;
    let before = world.app.get(CLIENTS).by(&world.ada).await.json()["count"].clone();
    for text in [
        "' OR '1'='1",
        "'; DROP TABLE clients; --",
        "x' UNION SELECT * FROM users --",
        "\" OR \"\"=\"",
        "%' ESCAPE '\\",
        "1); DELETE FROM tokens WHERE (1=1",
    ] {
        let browser = world.app.browser();
        let page = browser.get("/sign-in").await;
        let mut form = Form::find(&page, "/sign-in");
        form.fill("email", text);
        form.fill("password", PASSWORD);
        browser.press(&form, ("", "")).await.expect(422);
        world.app.get("/api/v2/users/me").basic(&format!("{text}/token"), text).await.expect(401);
        let call = world.app.post("/oauth/token").basic(text, text);
        call.form(&[("grant_type", "client_credentials")]).await.expect(401);
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for parameter in ["client_id", "page[after]", "page", "per_page", "all"] {
            let path = format!("{TOKENS}?{parameter}={encoded}");
            world.app.get(&path).by(&world.ada).await.expect(400);
        }
        world.app.get(&format!("/api/v2/users/{encoded}")).by(&world.ada).await.expect(404);
        let body = json!({"client": {"name": text, "description": text, "company": text}});
        let path = format!("{CLIENTS}/{}", world.reports.id);
        let changed = world.app.put(&path).by(&world.ada).json(&body).await.expect(200).json();
        assert_eq!(changed["client"]["description"], text);
        world.app.clock.advance(60);
    }
    assert_eq!(world.app.get(CLIENTS).by(&world.ada).await.json()["count"], before);
}

/// RFC 6819 §4.3.2, §4.3.4, §4.4.1.2, §4.5.2: the thief of the files has hashes and no key to them.
#[tokio::test]
async fn a_stolen_database_holds_nothing_that_opens_anything() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::on_disk(folder.path()).await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let code = app.code(&ada, &client, "read").await;
    let grant = app.grant(&ada, &client, "read").await;
    let next = Door::Standard.refresh(&app, &client, &grant.refresh, &[]).await.tokens();
    let browser = app.browser();
    browser.sign_in(&ada).await;
    let session = browser.cookie("tokenry_session").unwrap();
    let files: Vec<Vec<u8>> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(files.iter().map(Vec::len).sum::<usize>() > 10_000, "there is a database");
    let finds = |text: &[u8]| files.iter().any(|file| holds(file, text));
    assert!(finds(ada.email.as_bytes()), "what is stored is found");
    for (name, secret) in [
        ("code", &code),
        ("access token", &grant.access),
        ("refresh token", &grant.refresh),
        ("next access token", &next.access),
        ("next refresh token", &next.refresh),
        ("API token", &ada.api_token),
        ("client secret", &client.secret().to_owned()),
        ("session", &session),
    ] {
        // The mark is in every credential, so no part after it may be there.
        let private = secret.split_once("_tokenry_").unwrap().1;
        for part in [&private[..16], &private[private.len() - 16..], private] {
            assert!(!finds(part.as_bytes()), "{name}");
        }
    }
    assert!(!finds(PASSWORD.as_bytes()));
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}
