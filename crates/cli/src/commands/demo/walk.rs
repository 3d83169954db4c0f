//! The walk: every step checks what it shows.

use anyhow::{Context, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokenry_protocol::secret::Credential;
use url::Url;

use super::{
    browser::Browser,
    cast::Cast,
    http::{Answer, Body, Credentials, Http, say, step},
};

const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// What a client draws anew for every request; this one has to be followed by eye.
const VERIFIER: &str = "a-verifier-that-a-real-client-draws-at-random-each-time";

/// The client of the walk.
struct App {
    identifier: String,
    secret: String,
}

/// A pair of tokens.
#[derive(PartialEq, Eq, Clone)]
struct Pair {
    access: String,
    refresh: String,
}

/// Walks through the main job.
pub(crate) fn walk(cast: &Cast) -> anyhow::Result<()> {
    let http = Http::new(&cast.base);
    let basic = format!("{}/token", cast.administrator.email);
    let admin = Credentials::Basic(&basic, &cast.administrator.api_token);
    let mut browser = Browser::default();

    step(1, "An administrator registers a client");
    let app = register(&http, &admin, &cast.user.email)?;

    step(2, "A user signs in and consents");
    let code = consent(&http, &mut browser, cast, &app)?;

    step(3, "The client redeems the code");
    let first = redeem(&http, &app, &code)?;

    step(4, "The record of the token");
    let id = Credential::parse(&first.access)?.parts().id;
    let record = format!("/api/v2/oauth/tokens/{id}.json");
    let shown = http.send("GET", &record, &admin, &Body::Empty)?.expect(200)?;
    ensure!(shown.member("/token/used_at").is_err(), "the token was used before its first use");

    step(5, "The client uses the token, and the record knows");
    let me = Credentials::Bearer(&first.access);
    http.send("GET", "/api/v2/oauth/tokens/current.json", &me, &Body::Empty)?.expect(200)?;
    let shown = http.send("GET", &record, &admin, &Body::Empty)?.expect(200)?;
    say(&format!("used_at is {}", shown.member("/token/used_at")?));

    step(6, "The client refreshes: a new pair, the same record");
    let second = pair(&refresh(&http, &app, &first)?.expect(201)?)?;
    ensure!(second != first, "a refresh gave the old tokens");

    step(7, "Had that answer been lost: the same refresh again gives the same tokens");
    let again = pair(&refresh(&http, &app, &first)?.expect(201)?)?;
    ensure!(again == second, "a repeated refresh gave other tokens");
    say("The same pair. Nobody has to sign in again because of a broken connection.");

    step(8, "Once the new token is used, the old refresh token is a stolen one");
    let me = Credentials::Bearer(&second.access);
    http.send("GET", "/api/v2/users/me.json", &me, &Body::Empty)?.expect(200)?;
    refresh(&http, &app, &first)?.expect(400)?;
    say("A replay: thief and owner cannot be told apart, so the whole grant has ended.");
    http.send("GET", "/api/v2/oauth/tokens/current.json", &me, &Body::Empty)?.expect(401)?;

    step(9, "The user consents again, and revokes the token by its record");
    let code = consent(&http, &mut browser, cast, &app)?;
    let third = redeem(&http, &app, &code)?;
    let id = Credential::parse(&third.access)?.parts().id;
    let owner = format!("{}/token", cast.user.email);
    let owner = Credentials::Basic(&owner, &cast.user.api_token);
    http.send("DELETE", &format!("/api/v2/oauth/tokens/{id}.json"), &owner, &Body::Empty)?
        .expect(204)?;

    step(10, "Revoked is dead, at once");
    let me = Credentials::Bearer(&third.access);
    http.send("GET", "/api/v2/oauth/tokens/current.json", &me, &Body::Empty)?.expect(401)?;

    step(11, "One more consent, so that there is something to look at");
    let code = consent(&http, &mut browser, cast, &app)?;
    redeem(&http, &app, &code)?;
    Ok(())
}

fn register(http: &Http, admin: &Credentials<'_>, run: &str) -> anyhow::Result<App> {
    let suffix: String = run.chars().filter(char::is_ascii_digit).collect();
    let identifier = format!("acme_reports_{suffix}");
    let body = json!({"client": {
        "name": "Acme Reports",
        "identifier": identifier,
        "company": "Acme Ltd",
        "description": "Weekly figures, sent to your inbox",
        "redirect_uri": [CALLBACK],
        "allowed_scopes": ["read", "tickets:write"],
        // Without a window only a lost answer is given again, so the walk need not wait.
        "retry_window_seconds": 0,
    }});
    let answer = http.send("POST", "/api/v2/oauth/clients.json", admin, &Body::Json(body))?;
    let answer = answer.expect(201)?;
    Ok(App { identifier, secret: answer.member("/client/secret")? })
}

fn consent(http: &Http, browser: &mut Browser, cast: &Cast, app: &App) -> anyhow::Result<String> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", &app.identifier),
        ("redirect_uri", CALLBACK),
        ("scope", "read"),
        ("state", "of-the-client"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let link = format!("/oauth/authorizations/new?{}", query.finish());
    let password = cast.user.password.as_deref().context("the user has no password")?;
    let back = Url::parse(&browser.consent(http, &link, (&cast.user.email, password))?)?;
    let parameter = |name: &str| {
        let found = back.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).with_context(|| format!("no {name} came back"))
    };
    ensure!(parameter("state")? == "of-the-client", "another state came back");
    ensure!(parameter("iss")? == cast.base, "another issuer answered");
    parameter("code")
}

fn redeem(http: &Http, app: &App, code: &str) -> anyhow::Result<Pair> {
    let body = json!({
        "grant_type": "authorization_code",
        "code": code,
        "client_id": app.identifier,
        "client_secret": app.secret,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "expires_in": 1800,
    });
    pair(&http.send("POST", "/oauth/tokens", &Credentials::None, &Body::Json(body))?.expect(201)?)
}

fn refresh(http: &Http, app: &App, with: &Pair) -> anyhow::Result<Answer> {
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": with.refresh,
        "client_id": app.identifier,
        "client_secret": app.secret,
    });
    http.send("POST", "/oauth/tokens", &Credentials::None, &Body::Json(body))
}

fn pair(answer: &Answer) -> anyhow::Result<Pair> {
    let (access, refresh) = (answer.member("/access_token")?, answer.member("/refresh_token")?);
    if access == refresh {
        bail!("both tokens are the same");
    }
    Ok(Pair { access, refresh })
}
