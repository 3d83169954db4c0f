//! Models read what servers send: every example of the contract, and answers with members that are
//! missing, `null`, unknown, or of another type.

use std::{fs, path::Path};

use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokenry_client::{
    Call, Error, List, Operation, Response, SansIo,
    models::{
        ApiTokenResponse, ApiTokensResponse, ClientKind, ErrorBody, GlobalClientsResponse,
        IntrospectionResponse, Metadata, OAuthClientResponse, OAuthClientsResponse,
        OAuthTokenResponse, OAuthTokensResponse, Open, Pagination, TokenResponse, UserResponse,
    },
};

/// What a model gives back after reading, or why it cannot read.
type Reading = fn(&Value) -> Result<Value, serde_json::Error>;

fn again<T: DeserializeOwned + Serialize>(body: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(body.clone())?)
}

/// The member by which an answer is told, and its model.
const MODELS: [(&str, Reading); 13] = [
    ("token", again::<OAuthTokenResponse>),
    ("tokens", again::<OAuthTokensResponse>),
    ("client", again::<OAuthClientResponse>),
    ("clients", again::<OAuthClientsResponse>),
    ("global_clients", again::<GlobalClientsResponse>),
    ("api_token", again::<ApiTokenResponse>),
    ("api_tokens", again::<ApiTokensResponse>),
    ("user", again::<UserResponse>),
    ("access_token", again::<TokenResponse>),
    ("active", again::<IntrospectionResponse>),
    ("issuer", again::<Metadata>),
    ("error", again::<ErrorBody>),
    ("errors", again::<ErrorBody>),
];

/// The contract's examples, by name, with the bodies of their answers.
fn contract() -> Vec<(String, Value)> {
    let folder = "../server/tests/fixtures/contract";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        match file.pointer_mut("/response/body") {
            Some(body) => (name, body.take()),
            None => (name, file),
        }
    };
    files.map(|path| read(&path)).collect()
}

/// The model of a body, where it is one.
fn model_of(body: &Value) -> Option<(&'static str, Reading)> {
    let members = body.as_object()?;
    MODELS.into_iter().find(|(member, _)| members.contains_key(*member))
}

#[test]
fn every_answer_of_the_contract_is_read_and_written_again_whole() {
    let (mut read, mut tried) = (0, Vec::new());
    for (name, body) in contract() {
        let Some((member, reading)) = model_of(&body) else {
            let is_no_record = body.is_null() || body.is_string() || body == json!({});
            assert!(is_no_record, "{name} has a body without a model: {body}");
            continue;
        };
        assert_eq!(reading(&body).unwrap(), body, "{name}");
        read += 1;
        tried.push(member);
    }
    assert!(read >= 140, "{read}");
    for (member, _) in MODELS {
        assert!(tried.contains(&member), "{member}");
    }
}

/// Every member of every record, with a value that other servers send.
fn samples() -> Vec<(&'static str, Value)> {
    let time = "2026-03-04T17:40:12Z";
    let token = json!({"client_id": 223_443, "created_at": time, "expires_at": time, "id": 11,
        "refresh_token": "eyJhbGciOi", "refresh_token_expires_at": time, "scopes": ["read"],
        "token": "3b4ec18de0", "full_token": "3b4ec18de0a3c1", "url": "https://x", "used_at": time,
        "user_id": 29});
    let client = json!({"id": 41, "url": "https://x", "identifier": "acme", "name": "Acme",
        "kind": "confidential", "user_id": 29, "redirect_uri": ["https://x"], "global": false,
        "company": "Acme", "description": "Reports", "logo_url": "https://x",
        "allowed_scopes": ["read"], "secret": "3b4ec18de0", "disabled": true,
        "resource_server": true, "grant_types": ["refresh_token"],
        "access_token_lifetime_max": 600, "refresh_token_lifetime_max": 700_000,
        "retry_window_seconds": 7, "created_at": time, "updated_at": time});
    let api_token = json!({"id": 7, "url": "https://x", "description": "weekly", "active": true,
        "user_id": 29, "assigned_user_id": 30, "token": "3b4ec18de0", "full_token": "3b4ec18de0",
        "visible_token": "3b4ec18de0", "created_at": time, "updated_at": time,
        "last_used": time});
    let user = json!({"url": "https://x", "name": "Ada", "email": "ada@acme.test",
        "role": "admin", "verified": true, "active": true, "suspended": false,
        "locale": "en-US", "time_zone": "Berlin", "created_at": time, "updated_at": time});
    let tokens = json!({"access_token": "eyJhbGciOi", "token_type": "bearer", "scope": "read",
        "expires_in": 600, "refresh_token": "eyJhbGciOi", "refresh_token_expires_in": 700_000});
    let alive = json!({"scope": "read", "client_id": "acme", "username": "ada@acme.test",
        "sub": "29", "token_type": "bearer", "exp": 1, "iat": 1, "iss": "https://x", "jti": "11"});
    let app = json!({"id": 9001, "identifier": "zdg", "name": "Charts", "company": "Nebula",
        "description": "Stars", "logo_url": "https://x"});
    vec![
        ("/token", json!({ "token": token })),
        ("/tokens/0", json!({ "tokens": [token] })),
        ("/client", json!({ "client": client })),
        ("/clients/0", json!({ "clients": [client] })),
        ("/api_token", json!({ "api_token": api_token })),
        ("/api_tokens/0", json!({ "api_tokens": [api_token] })),
        ("/user", json!({ "user": user })),
        ("/global_clients/0", json!({ "global_clients": [app] })),
        ("", with(&tokens, "access_token", "eyJhbGciOi".into())),
        ("", with(&alive, "active", true.into())),
    ]
}

fn with(record: &Value, member: &str, value: Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().unwrap().insert(member.to_owned(), value);
    record
}

/// The members of the record of a sample.
fn members(place: &str, sample: &Value) -> Vec<String> {
    sample.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect()
}

/// What neither the type of the value nor any word can be.
fn mistyped(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(7),
        Value::Array(_) => json!("read"),
        _ => json!("hunter2"),
    }
}

fn written<O: Operation<Answer: Serialize>>(
    call: &Call<'_, SansIo, O>,
    response: &Response,
) -> Result<Value, Error> {
    Ok(serde_json::to_value(call.read(response)?).unwrap())
}
/// A reading of any of the answers, by its public way: what an operation makes of a response.
fn read(body: &Value) -> Result<Value, Error> {
    let response = Response::new(body.to_string().into());
    let (name, _) = model_of(body).unwrap();
    let app = tokenry_client::ClientAuthentication::public("acme");
    match name {
        "token" => written(&SansIo.oauth_tokens().current(), &response),
        "tokens" => written(&SansIo.oauth_tokens().list(), &response),
        "client" => written(&SansIo.oauth_clients().show(1), &response),
        "clients" => written(&SansIo.oauth_clients().list(), &response),
        "api_token" => written(&SansIo.api_tokens().show(1), &response),
        "api_tokens" => written(&SansIo.api_tokens().list(), &response),
        "user" => written(&SansIo.users().me(), &response),
        "global_clients" => written(&SansIo.global_clients().list(), &response),
        "access_token" => written(&SansIo.grant_type_tokens().refresh(&app, "x"), &response),
        _ => written(&SansIo.authorization_server().introspect(&app, "x"), &response),
    }
}

proptest! {
    #[test]
    fn members_may_be_missing_null_or_unknown_and_nothing_is_lost(
        sample in 0..samples().len(),
        fates in prop::collection::vec(0..3_u8, 24),
        extra in prop::collection::btree_map("x_[a-z]{1,8}", 0..9_u64, 0..4),
    ) {
        let (place, mut body) = samples().remove(sample);
        let required = ["active", "access_token"];
        let mut expected = body.clone();
        for (name, fate) in members(place, &body).into_iter().zip(fates) {
            if place.is_empty() && required.contains(&name.as_str()) {
                continue;
            }
            if fate > 0 {
                let record = expected.pointer_mut(place).unwrap().as_object_mut().unwrap();
                record.remove(&name);
                let record = body.pointer_mut(place).unwrap().as_object_mut().unwrap();
                record.remove(&name);
                if fate == 2 {
                    record.insert(name, Value::Null);
                }
            }
        }
        for (name, value) in extra {
            body.pointer_mut(place).unwrap()[&name] = value.into();
            expected.pointer_mut(place).unwrap()[&name] = value.into();
        }
        let mut written = read(&body).unwrap();
        if place == "/user" {
            // Always written: clients that sign users in read both.
            let record = written.pointer_mut(place).unwrap().as_object_mut().unwrap();
            prop_assert_eq!(record.remove("id"), Some(Value::Null));
            prop_assert_eq!(record.remove("photo"), Some(Value::Null));
        }
        prop_assert_eq!(written, expected);
    }
}

#[test]
fn a_member_of_another_type_is_named_and_its_value_is_not_told() {
    let mut tried = 0;
    for (place, sample) in samples() {
        for name in members(place, &sample) {
            let mut body = sample.clone();
            let member = &mut body.pointer_mut(place).unwrap()[&name];
            *member = mistyped(member);
            let error = read(&body).unwrap_err();
            let Error::Unreadable(unreadable) = &error else { panic!("{error}") };
            let path = place.trim_start_matches('/').replace("/0", "[0]");
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            let told = unreadable.what();
            assert!(told.starts_with(&format!("{path} is a ")), "{told}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            assert_eq!(unreadable.body(), body.to_string().as_bytes(), "nothing is lost");
            tried += 1;
        }
    }
    assert!(tried > 120, "{tried}");
}

#[test]
fn words_that_are_not_known_yet_are_kept() {
    let body = json!({"client": {"kind": "hybrid", "grant_types": ["refresh_token", "device"]}});
    let client: OAuthClientResponse = serde_json::from_value(body.clone()).unwrap();
    let kind = client.client.as_ref().unwrap().kind.clone().unwrap();
    assert_eq!(kind, Open::<ClientKind>::Other("hybrid".to_owned()));
    assert_eq!(serde_json::to_value(client).unwrap(), body);
}

/// The call for the next page, as it would be asked for.
fn next<O: List>(call: &Call<'_, SansIo, O>, body: &Value) -> Result<bool, Error> {
    let page = call.read(&Response::new(body.to_string().into()))?;
    Ok(call.next(&page)?.is_some())
}

#[test]
fn pages_of_other_servers_are_walked_to_their_end_and_no_further() {
    let list = || SansIo.oauth_tokens().list();
    let address = "https://acme.zendesk.com/api/v2/oauth/tokens?page=2";
    for (body, goes_on) in [
        // Zendesk's own: a cursor on the last page too.
        (
            json!({
                "tokens": [],
                "meta": {"has_more": false, "after_cursor": "b", "before_cursor": "a"},
                "links": {"next": null, "prev": "https://x"},
            }),
            false,
        ),
        (json!({"tokens": [], "meta": {"has_more": true, "after_cursor": "b"}}), true),
        (
            json!({"tokens": [], "meta": {"has_more": true, "after_cursor": "b"}, "links": null}),
            true,
        ),
        (json!({"tokens": [], "meta": null, "links": null}), false),
        (json!({"tokens": [], "count": 101, "next_page": address, "previous_page": null}), true),
        (json!({"tokens": [], "next_page": address}), true),
        (json!({"tokens": [], "count": null, "next_page": null}), false),
        (json!({"tokens": [], "count": 1, "next_page": null, "extra": 1}), false),
        (json!({"tokens": null}), false),
        (json!({}), false),
    ] {
        assert_eq!(next(&list(), &body).unwrap(), goes_on, "{body}");
    }
}

#[test]
fn a_page_whose_place_in_the_list_cannot_be_read_is_no_last_page() {
    for (body, place) in [
        (json!({"tokens": [], "meta": {"has_more": "yes"}}), "meta.has_more"),
        (json!({"tokens": [], "meta": {"has_more": true, "after_cursor": 7}}), "meta.after_cursor"),
        (json!({"tokens": [], "count": "many", "next_page": null}), "count"),
        (json!({"tokens": [], "count": 7, "next_page": 2}), "next_page"),
        (json!({"tokens": {}}), "tokens"),
    ] {
        let error = next(&SansIo.oauth_tokens().list(), &body).unwrap_err().to_string();
        assert!(error.contains(&format!("{place} is ")), "{error}");
    }
}

#[test]
fn a_record_as_zendesk_writes_it_is_read() {
    let body = json!({"token": {
        "url": "https://acme.zendesk.com/api/v2/oauth/tokens/360001.json", "id": 360_001,
        "user_id": 360_471, "client_id": 223_443, "token": "2b5cd32d6e", "refresh_token": null,
        "created_at": "2009-05-13T00:07:08Z", "used_at": null, "scopes": ["read", "write"],
        "expires_at": null, "refresh_token_expires_at": null, "global": true,
        "full_token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    }});
    let call = SansIo.oauth_tokens().show(360_001);
    let token = call.read(&Response::new(body.to_string().into())).unwrap().token.unwrap();
    assert_eq!(token.id.unwrap().get(), 360_001);
    assert_eq!((token.expires_at, token.used_at), (None, None));
    assert_eq!(token.token.as_ref().unwrap().reveal(), "2b5cd32d6e");
    assert_eq!(token.extra.get("global"), Some(&Value::Bool(true)));
    let shown = format!("{token:?}");
    assert!(!shown.contains("eyJhbGci"), "{shown}");
    let page = json!({"tokens": [], "count": 3, "next_page": null, "previous_page": null});
    let page = SansIo.oauth_tokens().list().read(&Response::new(page.to_string().into())).unwrap();
    let none = None;
    let expected = Pagination::Offset { count: 3, next_page: none.clone(), previous_page: none };
    assert_eq!(page.pagination, Some(expected));
}
