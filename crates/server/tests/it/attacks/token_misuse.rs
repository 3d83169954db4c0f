//! Tokens and other credentials where they do not belong, damaged, replayed or raced.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::json;
use tokenry_core::{TokenKeys, client::ClientRole, credentials::Key, policy::AccessTokenFormat};
use tokenry_protocol::secret::Kind;

use super::{CLIENTS, TOKENS, World};
use crate::support::{BASE, Door, TestApp};

/// One credential of every kind, all of them live.
async fn credentials(world: &World) -> Vec<(&'static str, String)> {
    let grant = world.app.grant(&world.ada, &world.reports, "read write").await;
    let code = world.app.code(&world.ada, &world.reports, "read write").await;
    let browser = world.signed_in(&world.ada).await;
    vec![
        ("access token", grant.access),
        ("refresh token", grant.refresh),
        ("code", code),
        ("API token", world.ada.api_token.clone()),
        ("client secret", world.reports.secret().to_owned()),
        ("session", browser.cookie("tokenry_session").unwrap()),
    ]
}

/// Each kind opens the one door it was made for.
#[tokio::test]
async fn a_credential_of_one_kind_is_good_for_nothing_else() {
    let world = World::new().await;
    let (app, reports) = (&world.app, &world.reports);
    for (name, credential) in credentials(&world).await {
        let is = |kind| name == kind;
        let me = app.get("/api/v2/users/me").bearer(&credential).await;
        assert_eq!(me.status == 200, is("access token"), "{name} as bearer");
        let email = format!("{}/token", world.ada.email);
        let me = app.get("/api/v2/users/me").basic(&email, &credential).await;
        assert_eq!(me.status == 200, is("API token"), "{name} as API token");
        let form = [("token", &*credential)];
        let secret = app.post("/oauth/introspect").basic(&reports.identifier, &credential);
        let asked = secret.form(&form).await;
        assert_eq!(asked.status == 200, is("client secret"), "{name} as client secret");
        let browser = app.browser();
        browser.set_cookie("tokenry_session", Some(&credential));
        let page = browser.get("/account/connections").await;
        assert_eq!(page.status == 200, is("session"), "{name} as session");
        let seen = app.post("/oauth/introspect").by_client(reports).form(&form).await.json();
        let is_token = is("access token") || is("refresh token");
        assert_eq!(seen["active"], is_token, "{name} introspected");
        // What ends things comes last.
        let answer = Door::Standard.redeem(app, reports, &credential, &[]).await;
        assert_eq!(answer.status == 200, is("code"), "{name} as code");
        let answer = Door::Standard.refresh(app, reports, &credential, &[]).await;
        assert_eq!(answer.status == 200, is("refresh token"), "{name} as refresh token");
    }
}

/// RFC 8725 §2.1 and §3.1: nobody else's algorithm, key or claims, whatever the header says.
#[tokio::test]
async fn a_jwt_is_taken_as_it_was_signed_and_in_no_other_way() {
    let app = TestApp::with(|config| {
        config.tokens.access_token_format = AccessTokenFormat::Jwt;
    });
    let world = World::of(app.await).await;
    let grant = async |user, scope| {
        let code = world.app.code(user, &world.reports, scope).await;
        Door::Standard.redeem(&world.app, &world.reports, &code, &[]).await.tokens().access
    };
    let (mine, theirs) =
        (grant(&world.mallory, "read").await, grant(&world.ada, "read write").await);
    assert!(world.app.is_alive(&mine).await && world.app.is_alive(&theirs).await);
    let [header, payload, signature]: [&str; 3] =
        mine.split('.').collect::<Vec<_>>().try_into().unwrap();
    let their_parts: Vec<_> = theirs.split('.').collect();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let said = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let wider = encode(&said.replace("\"read\"", "\"read write\""));
    let endless = encode(&said.replace("\"exp\":", "\"old\":"));
    let none = encode(r#"{"typ":"at+jwt","alg":"none"}"#);
    let secret = world.reports.secret();
    let keys = ["", BASE, secret, "0", &"\0".repeat(32)];
    let mut forged = vec![
        format!("{none}.{payload}."),
        format!("{none}.{payload}"),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{}", encode(&"\0".repeat(32))),
        format!("{header}.{payload}.{}", their_parts[2]),
        format!("{header}.{}.{signature}", their_parts[1]),
        format!("{header}.{wider}.{signature}"),
        format!("{header}.{endless}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{payload}.{signature}.{signature}"),
        format!("{mine}="),
        format!("{payload}.{header}.{signature}"),
    ];
    for alg in ["HS256", "hs256", "RS256", "ES256", "HS512"] {
        let other = encode(&format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#));
        forged.push(format!("{other}.{payload}.{signature}"));
        for key in keys {
            let input = format!("{header}.{wider}");
            let mut block = [0; 32];
            block.iter_mut().zip(key.bytes()).for_each(|(slot, byte)| *slot = byte);
            let mac = Key::new(block).mac(&[input.as_bytes()]);
            forged.push(format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac)));
        }
    }
    for token in &forged {
        let answer = world.app.get("/api/v2/oauth/tokens/current").bearer(token).await;
        assert_eq!(answer.status, 401, "{token:?}");
    }
    assert!(world.app.is_alive(&mine).await);
}

/// What is cut off, grown or changed is another token, and nobody's (CVE-2026-27840).
#[tokio::test]
async fn a_damaged_token_is_dead_however_little_is_missing() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let whole = &grant.access;
    let mut damaged: Vec<String> = (1..whole.len()).map(|end| whole[..end].to_owned()).collect();
    damaged.extend((1..whole.len()).map(|start| whole[start..].to_owned()));
    damaged.extend([
        format!("{whole}0"),
        format!("{whole} x"),
        format!("{whole},{whole}"),
        format!("\"{whole}\""),
        whole.to_uppercase(),
        whole.to_lowercase(),
        whole.replace("_tokenry_", "_zendesk_"),
        whole.replacen('a', "r", 1),
        format!("{whole}\u{0}").replace('\u{0}', "%00"),
    ]);
    for token in &damaged {
        let answer = world.app.get("/api/v2/oauth/tokens/current").bearer(token).await;
        assert_eq!(answer.status, 401, "{token:?}");
        let form = [("token", &**token)];
        let call = world.app.post("/oauth/introspect").by_client(&world.reports).form(&form);
        assert_eq!(call.await.expect(200).json(), json!({"active": false}), "{token:?}");
        let revoke = world.app.post("/oauth/revoke").by_client(&world.reports).form(&form);
        revoke.await.expect(200);
    }
    assert!(world.app.is_alive(whole).await);
    assert!(world.app.is_refreshable(&world.reports, &grant.refresh).await);
}

/// RFC 9700 §4.3.2, RFC 6750 §2.2 and §2.3: a token in an address, a form or a cookie is none.
#[tokio::test]
async fn a_token_counts_in_the_authorization_header_alone() {
    let world = World::new().await;
    let token = world.bearer("read write").await;
    let address = format!("/api/v2/users/me?access_token={token}");
    world.app.get(&address).await.expect(401);
    world.app.get(&format!("{address}&token={token}")).await.expect(401);
    let form = [("access_token", &*token)];
    world.app.post(TOKENS).form(&form).await.expect(401);
    for (name, value) in [
        ("cookie", format!("access_token={token}; tokenry_session={token}")),
        ("x-access-token", token.clone()),
        ("x-api-key", token.clone()),
        ("proxy-authorization", format!("Bearer {token}")),
        ("authorization", format!("Token {token}")),
        ("authorization", format!("OAuth {token}")),
        ("authorization", token.clone()),
        ("authorization", format!("Bearer=\"{token}\"")),
        ("authorization", format!("Bearer\t{token}")),
        ("authorization", format!("Bearer \t{token}")),
        ("authorization", format!("Bearer\u{a0}{token}")),
        ("authorization", format!("Basic x, Bearer {token}")),
    ] {
        world.app.get("/api/v2/users/me").header(name, &value).await.expect(401);
    }
    // Two at once are none, so nobody can smuggle one past a proxy that checked the other.
    let call = world.app.get("/api/v2/users/me").bearer(&token).bearer(&token);
    call.await.expect(400);
    world.app.get("/api/v2/users/me").bearer(&token).await.expect(200);
}

/// RFC 6750 §2: where a token may stand in the address, it stands there once and nowhere else.
#[tokio::test]
async fn two_tokens_in_the_query_are_one_too_many_where_one_may_be_there() {
    let app = TestApp::with(|config| config.record_api.token_in_query = true).await;
    let world = World::of(app).await;
    let token = world.bearer("read write").await;
    let address = format!("/api/v2/users/me?access_token={token}");
    world.app.get(&address).await.expect(200);
    for twice in [format!("&access_token={token}"), "&access_token=".to_owned()] {
        let answer = world.app.get(&format!("{address}{twice}")).await.expect(400);
        assert_eq!(answer.error(), "invalid_request");
    }
    world.app.get(&address).bearer(&token).await.expect(400);
    world.app.get("/api/v2/users/me?access_token=%ff&access_token=x").await.expect(400);
}

/// RFC 6819 §5.2.2.2, RFC 7009 §2.1 (CVE-2016-6582): a client has no say over tokens of others.
#[tokio::test]
async fn a_client_neither_sees_nor_uses_nor_ends_the_tokens_of_another() {
    let world = World::new().await;
    let rival = world.app.public_client("rival", &world.ada).await;
    for owner in [&world.reports, &world.mobile] {
        let grant = world.app.grant(&world.victim, owner, "read").await;
        for token in [&grant.access, &grant.refresh] {
            let form = [("token", &**token)];
            let evil = world.app.post("/oauth/introspect").by_client(&world.evil).form(&form);
            assert_eq!(evil.await.expect(200).json(), json!({"active": false}));
            let form = [("token", &**token), ("client_id", &*rival.identifier)];
            world.app.post("/oauth/introspect").form(&form).await.expect(401);
            world.app.post("/oauth/revoke").form(&form).await.expect(200);
            let form = [("token", &**token)];
            world.app.post("/oauth/revoke").by_client(&world.evil).form(&form).await.expect(200);
        }
        for door in Door::BOTH {
            for thief in [&world.evil, &rival] {
                let answer = door.refresh(&world.app, thief, &grant.refresh, &[]).await;
                assert_eq!(answer.refusal(), "400 invalid_grant");
            }
        }
        assert!(world.app.is_alive(&grant.access).await);
        Door::Standard.refresh(&world.app, owner, &grant.refresh, &[]).await.expect(200);
    }
    // Knowing a public client's name is not enough against a confidential one.
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    let form = [("token", &*grant.access), ("client_id", "acme_reports")];
    world.app.post("/oauth/revoke").form(&form).await.expect(401);
    assert!(world.app.is_alive(&grant.access).await);
}

/// RFC 9700 §4.15: a client's own token must not pass for a token of a user.
#[tokio::test]
async fn a_client_that_is_named_like_a_user_is_not_taken_for_the_user() {
    let world = World::new().await;
    let name = world.victim.id.to_string();
    let twin = world.app.confidential_client(&name, &world.ada).await;
    let form = [("grant_type", "client_credentials")];
    let answer = world.app.post("/oauth/token").by_client(&twin).form(&form).await.expect(200);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let call = world.app.post("/oauth/introspect").by_client(&twin).form(&[("token", &*token)]);
    let seen = call.await.expect(200).json();
    assert_eq!(seen["sub"], world.ada.id.to_string());
    assert_eq!(seen["client_id"], name);
    let me = world.app.get("/api/v2/users/me").bearer(&token).await.expect(200).json();
    assert_eq!(me["user"]["id"], world.ada.id.get());
}

/// Many at once, through different doors: one pair exists afterwards, and one only.
#[tokio::test]
async fn a_race_for_one_code_or_one_refresh_token_has_one_outcome() {
    let world = World::new().await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    let doors = Door::BOTH.into_iter().cycle().take(16);
    let redeem = |door: Door| door.redeem(&world.app, &world.reports, &code, &[]).into_future();
    let answers = join_all(doors.clone().map(redeem)).await;
    let won = answers.iter().filter(|answer| answer.status < 300);
    assert_eq!(won.count(), 1, "a code is redeemed once");
    for answer in answers.iter().filter(|answer| answer.status >= 300) {
        assert_eq!(answer.refusal(), "400 invalid_grant");
    }
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    let refresh =
        |door: Door| door.refresh(&world.app, &world.reports, &grant.refresh, &[]).into_future();
    let answers = join_all(doors.map(refresh)).await;
    let pairs: BTreeSet<_> =
        answers.iter().map(|answer| (answer.tokens().access, answer.tokens().refresh)).collect();
    assert_eq!(pairs.len(), 1, "all get the one successor");
    assert!(!world.app.is_alive(&grant.access).await);
}

/// RFC 9700 §4.14: whoever refreshes second is either the thief or tells on the thief.
#[tokio::test]
async fn a_stolen_refresh_token_dies_with_its_grant_whoever_uses_it_first() {
    let world = World::new().await;
    for client in [&world.reports, &world.mobile] {
        let grant = world.app.grant(&world.victim, client, "read").await;
        let thiefs = Door::Standard.refresh(&world.app, client, &grant.refresh, &[]).await.tokens();
        assert!(world.app.is_alive(&thiefs.access).await);
        world.app.clock.advance(3_600);
        let honest = Door::Standard.refresh(&world.app, client, &grant.refresh, &[]).await;
        assert_eq!(honest.refusal(), "400 invalid_grant");
        let again = Door::Standard.refresh(&world.app, client, &thiefs.refresh, &[]).await;
        assert_eq!(again.refusal(), "400 invalid_grant");
        assert!(!world.app.is_alive(&thiefs.access).await);
    }
}

/// RFC 6819 §4.6.5: what a resource server is shown it can ask about and not use.
#[tokio::test]
async fn a_resource_server_asks_about_tokens_and_can_neither_refresh_nor_end_them() {
    let world = World::new().await;
    let role = |client: &mut tokenry_core::client::Client| client.role = ClientRole::ResourceServer;
    world.app.change_client(&world.evil, role).await;
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    for token in [&grant.access, &grant.refresh] {
        let form = [("token", &**token)];
        let seen = world.app.post("/oauth/introspect").by_client(&world.evil).form(&form).await;
        let seen = seen.expect(200);
        assert_eq!(seen.json()["active"], true);
        assert!(!seen.text().contains(&**token));
        world.app.post("/oauth/revoke").by_client(&world.evil).form(&form).await.expect(200);
    }
    let answer = Door::Standard.refresh(&world.app, &world.evil, &grant.refresh, &[]).await;
    assert_eq!(answer.refusal(), "400 invalid_grant");
    assert!(world.app.is_alive(&grant.access).await);
    assert!(world.app.is_refreshable(&world.reports, &grant.refresh).await);
}

/// RFC 6819 §4.3.5, §4.4.1.3, §4.5.3, §4.6.3: made up by somebody who knows the format and an id.
#[tokio::test]
async fn made_up_credentials_with_right_ids_and_checksums_open_and_harm_nothing() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    // Another server, which has the format and not the key.
    let number = world.app.state.keys().token.current_number();
    let other = TokenKeys::new((number, Key::new([9; 32])), []);
    for rotation in 0..3 {
        for (kind, id) in [
            (Kind::AccessToken, grant.id.get()),
            (Kind::RefreshToken, grant.id.get()),
            (Kind::AuthorizationCode, grant.id.get()),
            (Kind::ApiToken, 1),
            (Kind::ClientSecret, world.reports.id.get()),
        ] {
            // From another server, in the same form; and from this one, never given out.
            for forged in
                [other.mint(kind, id, rotation, [3; 16]), world.app.mint(kind, id, rotation + 7)]
            {
                let text = forged.reveal();
                world.app.get("/api/v2/users/me").bearer(text).await.expect(401);
                let email = format!("{}/token", world.ada.email);
                world.app.get("/api/v2/users/me").basic(&email, text).await.expect(401);
                for answer in [
                    Door::Standard.redeem(&world.app, &world.reports, text, &[]).await,
                    Door::Standard.refresh(&world.app, &world.reports, text, &[]).await,
                ] {
                    assert_eq!(answer.refusal(), "400 invalid_grant");
                }
                let call = world.app.post("/oauth/introspect").basic("acme_reports", text);
                call.form(&[("token", text)]).await;
                world.app.clock.advance(60);
            }
        }
    }
    assert!(world.app.is_refreshable(&world.reports, &grant.refresh).await);
    world.app.get(CLIENTS).by(&world.ada).await.expect(200);
}

/// Whoever asks to act as an end user must not act as the administrator instead, nor as anybody
/// with more to lose than an end user.
#[tokio::test]
async fn a_call_on_behalf_of_somebody_is_refused_and_not_run_as_its_own_user() {
    let world = World::new().await;
    let bearer = world.bearer("read write impersonate").await;
    let zoe = world.app.admin("Zoe").await;
    let ben = world.app.agent("Ben").await;
    let suspended = world.app.end_user("Sue").await;
    world.app.change_user(&suspended, |user| user.suspended = true).await;
    let unverified = world.app.end_user("Uma").await;
    world.app.change_user(&unverified, |user| user.verified = false).await;
    let ids = [zoe.id, ben.id, suspended.id, unverified.id, world.ada.id].map(|id| id.to_string());
    let emails = [&zoe, &ben, &suspended, &unverified].map(|user| user.email.clone());
    let nobody = ["4711", "nobody", "-1", "0", "no@acme.test", "1 OR 1=1", "%@acme.test"];
    let names = ids.iter().chain(&emails).map(String::as_str).chain(nobody);
    for name in names {
        let body = json!({"token": {"client_id": world.reports.id}});
        for (method, path) in [("GET", "/api/v2/users/me"), ("GET", TOKENS), ("POST", TOKENS)] {
            let call = || world.app.call(method, path).header("x-on-behalf-of", name).json(&body);
            call().bearer(&bearer).await.expect(403);
            call().by(&world.ada).await.expect(403);
            call().await.expect(401);
        }
        for path in ["/api/v2/oauth/tokens/current", "/api/v2/oauth/tokens/current.json"] {
            let call = world.app.get(path).header("x-on-behalf-of", name).bearer(&bearer);
            assert_eq!(call.await.expect(200).json()["token"]["user_id"], world.ada.id.get());
        }
    }
    let list = world.app.get(&format!("{TOKENS}?all=true")).by(&world.ada).await.json();
    assert_eq!(list["count"], 1);
}

/// Everything about the caller is wrong in turn, and nothing about whom they name.
#[tokio::test]
async fn nobody_acts_for_an_end_user_without_being_an_administrator_who_may() {
    let world = World::new().await;
    let app = &world.app;
    let victim = world.victim.id.to_string();
    let me = || app.get("/api/v2/users/me").header("x-on-behalf-of", &victim);
    let full = "read write impersonate";
    let bearer = world.bearer(full).await;
    me().bearer(&bearer).await.expect(200);

    for scope in ["read write", "unrestricted", "impersonat", "users:read"] {
        me().bearer(&world.bearer(scope).await).await.expect(403);
    }
    // A right word without the others opens nothing.
    me().bearer(&world.bearer("impersonate").await).await.expect(403);
    let ben = app.agent("Ben").await;
    for user in [&ben, &world.mallory, &world.victim] {
        let token = app.created_token(user, &world.reports, full).await;
        me().bearer(&token.access).await.expect(403);
        me().by(user).await.expect(403);
    }
    me().by(&world.ada).await.expect(403);
    me().header("x-on-behalf-of", &victim).bearer(&bearer).await.expect(403);
    let other = world.mallory.id.to_string();
    me().header("x-on-behalf-of", &other).bearer(&bearer).await.expect(403);
    me().header("x-on-behalf-of", "").bearer(&bearer).await.expect(403);
    let joined = format!("{victim}, {other}");
    let call = app.get("/api/v2/users/me").header("x-on-behalf-of", &joined);
    call.bearer(&bearer).await.expect(403);

    let grant = app.grant(&world.ada, &world.reports, "read impersonate").await;
    me().bearer(&grant.access).await.expect(200);
    app.clock.advance(1_800);
    me().bearer(&grant.access).await.expect(401);
    me().bearer(&bearer).await.expect(200);
    let revoked = app.get("/api/v2/oauth/tokens/current").bearer(&bearer).await.json();
    let path = format!("{TOKENS}/{}", revoked["token"]["id"]);
    app.delete(&path).by(&world.ada).await.expect(204);
    me().bearer(&bearer).await.expect(401);
}

/// What an administrator may, a call of theirs as an end user may not.
#[tokio::test]
async fn acting_for_an_end_user_gives_the_rights_of_an_end_user_alone() {
    let world = World::new().await;
    let bearer = world.bearer("read write impersonate").await;
    let victim = world.victim.id.to_string();
    let foreign = world.app.grant(&world.mallory, &world.reports, "read").await;
    let as_victim = |method: &str, path: &str| {
        let call = world.app.call(method, path).header("x-on-behalf-of", &victim);
        call.bearer(&bearer)
    };
    let client = format!("{CLIENTS}/{}", world.reports.id);
    let token = json!({"token": {"client_id": world.reports.id}});
    for (method, path) in [
        ("POST", TOKENS),
        ("GET", &format!("{TOKENS}?all=true")),
        ("GET", CLIENTS),
        ("POST", CLIENTS),
        ("GET", &client),
        ("PUT", &client),
        ("DELETE", &client),
        ("PUT", &format!("{client}/generate_secret")),
        ("GET", "/api/v2/users/me/oauth/clients"),
        ("GET", "/api/v2/oauth/global_clients"),
        ("GET", super::API_TOKENS),
        ("POST", super::API_TOKENS),
    ] {
        as_victim(method, path).json(&token).await.expect(403);
    }
    for path in [format!("{TOKENS}/{}", foreign.id), format!("/api/v2/users/{}", world.ada.id)] {
        as_victim("GET", &path).await.expect(404);
    }
    as_victim("DELETE", &format!("{TOKENS}/{}", foreign.id)).await.expect(404);
    assert!(world.app.is_alive(&foreign.access).await);
}
