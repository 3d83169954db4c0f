//! No secret stands in an entry, whatever a call looks like.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;
use tokenry_protocol::{
    ids::ID_MAX,
    secret::{Kind, Parts},
    time::Timestamp,
};

use super::super::{Body, Call, Entry};
use super::*;

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json");

fn any_credential() -> impl Strategy<Value = String> {
    (prop::sample::select(Kind::ALL.to_vec()), 1..=ID_MAX, any::<[u8; 16]>(), any::<[u8; 9]>())
        .prop_map(|(kind, id, secret, tag)| {
            let parts = Parts { kind, id, rotation: 1, key_number: 1, secret, tag };
            Credential::assemble(parts).reveal().to_owned()
        })
}

fn any_jwt() -> impl Strategy<Value = String> {
    let header = prop::sample::select(vec![
        r#"{"alg":"none"}"#,
        r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#,
        r#"{ "typ": "at+jwt", "alg": "ES256" }"#,
        "{\n\"alg\":\"HS256\"}",
    ]);
    (header, 1..10_000_u32, prop::collection::vec(any::<u8>(), 0..64)).prop_map(
        |(header, sub, signature)| {
            let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let claims = json!({"sub": sub.to_string(), "iss": "http://127.0.0.1:4000"});
            let claims = part(claims.to_string().as_bytes());
            format!("{}.{claims}.{}", part(header.as_bytes()), part(&signature))
        },
    )
}

/// Nothing but its name tells that it is secret. Its halves stand nowhere else, and what is between
/// them may end a value where it is not looked for.
#[derive(Debug, Clone)]
struct Password {
    whole: String,
    halves: [String; 2],
}

fn any_password() -> impl Strategy<Value = Password> {
    let between = "[ .:;,/?#&=+%\"'<>{}é\\[\\]\\\\a-z0-9-]{0,6}";
    ("pwh[a-z0-9]{8}", between, "pwt[a-z0-9]{8}").prop_map(|(head, between, tail)| Password {
        whole: format!("{head}{between}{tail}"),
        halves: [head, tail],
    })
}

impl Password {
    fn stands_in(&self, text: &str) -> bool {
        self.halves.iter().any(|half| text.contains(half))
    }
}

/// Names that people and programs give to passwords and the like.
fn secret_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "password",
        "Password",
        "user[password]",
        "new_password",
        "client_secret",
        "clientSecret",
        "client-secret",
        "secret",
        "access_token",
        "refresh_token",
        "refreshToken",
        "token",
        "code",
        "code_verifier",
        "state",
        "client_assertion",
    ])
}

fn other_name() -> impl Strategy<Value = String> {
    "[a-z]{1,3}(_at|_id|\\[x\\])?"
}

/// JSON with the secret somewhere in it, under its name.
fn any_json(name: &str, secret: &str) -> impl Strategy<Value = Value> + use<> {
    let one = json!({name: secret});
    let leaf = Just(one.clone());
    leaf.prop_recursive(5, 12, 3, move |inner| {
        prop_oneof![
            (other_name(), inner.clone()).prop_map(|(name, inner)| json!({name: inner, "id": 7})),
            inner.clone().prop_map(|inner| json!([1, null, inner])),
            // JSON in a text in JSON.
            inner.clone().prop_map(|inner| json!({"data": inner.to_string()})),
            // Below another secret name.
            inner.prop_map(|inner| json!({"token": inner})),
        ]
    })
}

fn form_text(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn entry(path: &str, request: (Option<&str>, &[u8])) -> String {
    let body = Body { content_type: request.0, bytes: request.1 };
    let call = Call::new(Timestamp::from_seconds(0), "POST", path);
    let call = Call { request: body, answer: body, decided: Some(400), sent: Some(400), ..call };
    let written = serde_json::to_value(Entry::of(&call)).unwrap();
    // As text without escapes, so that nothing hides behind them.
    strings(&written).join("\n")
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => {
            let of =
                |(name, value): (&String, &Value)| [vec![name.clone()], strings(value)].concat();
            members.iter().flat_map(of).collect()
        }
        Value::String(text) => match serde_json::from_str(text) {
            Ok(held @ (Value::Object(_) | Value::Array(_))) => strings(&held),
            _ => vec![text.clone()],
        },
        plain => vec![plain.to_string()],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_credential_of_ours_stands_in_an_entry(
        credential in any_credential(),
        before in "\\PC{0,20}",
        behind in "\\PC{0,20}",
        name in "[a-z_]{1,12}",
    ) {
        let text = format!("{before}{credential}{behind}");
        let json = json!({name.clone(): text, "x": [{text.clone(): 1}]}).to_string();
        let form = form_text(&[(&name, &text), (&text, "1")]);
        for (path, content_type, body) in [
            (format!("/{text}"), JSON, json.clone()),
            (format!("/x?{form}"), FORM, form),
            (format!("/x?{name}={text}"), FORM, text.clone()),
            ("/x".to_owned(), JSON, text.clone()),
            ("/x".to_owned(), FORM, json.clone()),
            ("/x".to_owned(), JSON, json[..json.len() - 1].to_owned()),
            (format!("/{}", credential.replace('_', "%5F")), None, json!([text]).to_string()),
        ] {
            let entry = entry(&path, (content_type, body.as_bytes()));
            prop_assert!(!entry.contains(&credential), "{entry}");
            // Nor what makes it one, whatever became of the rest.
            prop_assert!(!entry.contains(&credential[19..]), "{entry}");
        }
    }

    #[test]
    fn no_json_web_token_stands_in_an_entry(
        jwt in any_jwt(),
        before in "(Bearer |\"|=|[^a-zA-Z0-9_.-]{0,9})",
        name in "[a-z_]{1,12}",
    ) {
        let text = format!("{before}{jwt}");
        let json = json!({name.clone(): text, "x": [{text.clone(): 1}]}).to_string();
        let form = form_text(&[(&name, &text), (&text, "1")]);
        for (path, content_type, body) in [
            (format!("/{jwt}"), JSON, json.clone()),
            (format!("/x?{form}"), FORM, form),
            (format!("/x?{name}={jwt}"), FORM, jwt.clone()),
            ("/x".to_owned(), JSON, jwt.clone()),
            ("/x".to_owned(), FORM, json.clone()),
        ] {
            let entry = entry(&path, (content_type, body.as_bytes()));
            prop_assert!(!entry.contains(&jwt), "{entry}");
            let (unsigned, _) = jwt.rsplit_once('.').unwrap();
            prop_assert!(!entry.contains(unsigned), "{entry}");
        }
    }

    #[test]
    fn no_value_of_a_secret_name_stands_in_a_form_or_a_query(
        name in secret_name(),
        secret in any_password(),
        other in other_name(),
    ) {
        let form = form_text(&[(&other, "1"), (name, &secret.whole), (name, &secret.whole)]);
        // A parameter within a parameter, as pages hand on where to return to.
        let within = form_text(&[("return_to", &format!("/oauth/authorizations/new?{form}"))]);
        let json = json!({name: secret.whole}).to_string();
        let held = form_text(&[("data", &json)]);
        for text in [&form, &within, &held] {
            let entry = entry(&format!("/x?{text}"), (FORM, text.as_bytes()));
            prop_assert!(!secret.stands_in(&entry), "{entry}");
            let lines = entry.replace('\n', " ");
            let plain = decoded(&lines);
            prop_assert!(!secret.stands_in(&plain), "{plain}");
        }
    }

    #[test]
    fn no_value_of_a_secret_name_stands_in_json_however_deep(
        (secret, body) in (secret_name(), any_password()).prop_flat_map(|(name, secret)| {
            let body = any_json(name, &secret.whole);
            body.prop_map(move |body| (secret.clone(), body))
        }),
        cut in any::<prop::sample::Index>(),
        content_type in prop::sample::select(vec![JSON, FORM, None, Some("text/plain")]),
    ) {
        let whole = body.to_string();
        let entry_of = |text: &str| entry("/x", (content_type, text.as_bytes()));
        let entry = entry_of(&whole);
        prop_assert!(!secret.stands_in(&entry), "{whole}\n{entry}");
        // Malformed: cut anywhere.
        let at = cut.index(whole.len());
        let at = (0..=at).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        let entry = entry_of(&whole[..at]);
        prop_assert!(!secret.stands_in(&entry), "{}\n{entry}", &whole[..at]);
    }

    #[test]
    fn what_has_nothing_to_hide_stays_as_it_was(
        names in prop::collection::btree_set("[a-c]{1,3}_(id|at)", 1..4),
        value in "[a-zA-Z0-9 .:,é]{0,30}",
    ) {
        let pairs: Vec<(&str, &str)> =
            names.iter().map(|name| (name.as_str(), value.as_str())).collect();
        let form = form_text(&pairs);
        let path_shown = path(&format!("/api/v2/oauth/tokens/7.json?{form}"));
        prop_assert_eq!(path_shown, format!("/api/v2/oauth/tokens/7.json?{form}"));
        let members: Map<String, Value> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let members = Value::Object(members);
        let json = members.to_string();
        for (content_type, text) in [(JSON, &json), (FORM, &form)] {
            let shown = body(&Body { content_type, bytes: text.as_bytes() });
            prop_assert_eq!(shown, Some(members.clone()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_entry_is_bounded_whatever_comes(
        body in prop::collection::vec(any::<u8>(), 0..9_000),
        name in "\\PC{0,200}",
        times in 1..60_usize,
    ) {
        let json = json!({name.clone(): vec![name.clone(); times]}).to_string();
        for bytes in [body.as_slice(), json.as_bytes()] {
            for content_type in [JSON, FORM] {
                let text = String::from_utf8_lossy(bytes);
                let call = Call::new(Timestamp::from_seconds(0), "POST", &text);
                let request = Body { content_type, bytes };
                let entry = Entry::of(&Call { request, ..call });
                let written = entry.request.map_or(0, |it| it.to_string().len());
                // Within a text every byte may have to be escaped.
                prop_assert!(written <= 6 * (SHOWN_MAX + 8), "{written}");
                prop_assert!(entry.path.len() <= SHOWN_MAX + HIDDEN.len());
            }
        }
    }
}

fn shown(content_type: Option<&str>, text: &str) -> Value {
    body(&Body { content_type, bytes: text.as_bytes() }).unwrap_or_default()
}

const TOKEN: &str = "r0000000G9_tokenry_0000lSNxWa7pNXONbnNEaQWJ6CHfeEZLiUDMd2X3uYLLX";

fn a_credential() -> Credential {
    let parts = Parts {
        kind: Kind::RefreshToken,
        id: 1_001,
        rotation: 1,
        key_number: 2,
        secret: [1; 16],
        tag: [2; 9],
    };
    Credential::assemble(parts)
}

#[test]
fn a_credential_is_shown_by_its_public_part_and_other_secrets_not_at_all() {
    let credential = a_credential();
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": credential.reveal(),
        "client_id": "acme_reports",
        "client_secret": "hunter2hunter2",
        "scope": "read",
    });
    let expected = json!({
        "grant_type": "refresh_token",
        "refresh_token": "r0000000G9…",
        "client_id": "acme_reports",
        "client_secret": "…",
        "scope": "read",
    });
    assert_eq!(shown(JSON, &body.to_string()), expected);
    let form: Vec<(&str, &str)> = body
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, it)| (&**name, it.as_str().unwrap()))
        .collect();
    assert_eq!(shown(FORM, &form_text(&form)), expected);
}

#[test]
fn whether_there_is_a_secret_can_be_seen() {
    let body =
        r#"{"refresh_token":null,"secret":"","full_token":true,"password":12345,"code":[1]}"#;
    let expected = json!({
        "refresh_token": null, "secret": "", "full_token": true, "password": "…", "code": "…"
    });
    assert_eq!(shown(JSON, body), expected);
}

#[test]
fn a_password_is_hidden_even_if_it_has_the_form_of_a_credential() {
    let credential = a_credential();
    let body = json!({"password": credential.reveal()}).to_string();
    assert_eq!(shown(JSON, &body), json!({"password": "…"}));
}

#[test]
fn a_record_in_its_wrapper_is_shown() {
    let body = json!({"token": {"id": 7, "token": TOKEN, "scopes": ["read"]}}).to_string();
    assert_eq!(
        shown(JSON, &body),
        json!({"token": {"id": 7, "token": "…", "scopes": ["read"]}}),
        "what is no credential by its checksum has no public part"
    );
}

#[test]
fn paths_and_addresses_lose_their_secrets_and_nothing_else() {
    for (sent, expected) in [
        ("/oauth/cb?code=abc&state=xyz&iss=a%20b", "/oauth/cb?code=…&state=…&iss=a%20b"),
        ("/x?pass%77ord=abc", "/x?pass%77ord=…"),
        ("/x?a=1&access_token=", "/x?a=1&access_token="),
        ("/x?access_token", "/x?access_token"),
        ("/x?page%5Bsize%5D=100&sort=-id", "/x?page%5Bsize%5D=100&sort=-id"),
        ("/x?to=%2Fcb%3Fcode%3Dabc%26a%3Db", "/x?to=/cb?code=…&a=b"),
        ("/x?to=/cb%23access_token%3Dabc", "/x?to=/cb#access_token=…"),
        ("/r0000000G9%5Ftokenry%5F0000lSNxWa", "/r0000000G9_tokenry_..."),
        ("/docs.example.com/a.b.c", "/docs.example.com/a.b.c"),
    ] {
        assert_eq!(path(sent), expected, "{sent}");
    }
    let next = "http://127.0.0.1:4000/api/v2/oauth/tokens?access_token=abc&page=2";
    let body = json!({"next_page": next, "url": "http://127.0.0.1:4000/api/v2/tokens/7"});
    let expected = json!({
        "next_page": "http://127.0.0.1:4000/api/v2/oauth/tokens?access_token=…&page=2",
        "url": "http://127.0.0.1:4000/api/v2/tokens/7"
    });
    assert_eq!(shown(JSON, &body.to_string()), expected);
}

#[test]
fn what_is_neither_json_nor_a_form_is_counted_and_not_shown() {
    for (content_type, text) in [
        (JSON, "{\"password\":\"hunter2"),
        (None, "grant_type=password&password=hunter2"),
        (JSON, "\"hunter2\""),
        (FORM, "data={\"password\":\"a&hunter2&b\"}"),
        (Some("text/html"), "<p>hunter2"),
    ] {
        let told = format!("{} bytes, neither JSON nor a form: not shown", text.len());
        assert_eq!(shown(content_type, text), json!(told));
    }
    assert_eq!(shown(JSON, ""), Value::Null);
}

#[test]
fn a_long_body_is_cut_where_it_is_long_and_says_so() {
    let long = "x".repeat(3_000);
    let body = json!({"a": 1, "b": long, "c": [1, 2], "d": {}}).to_string();
    let Value::Object(members) = shown(JSON, &body) else { panic!("no object") };
    assert_eq!(members.keys().collect::<Vec<_>>(), ["a", "b", "…"]);
    assert!(members["b"].as_str().unwrap().ends_with("xx…"));
    let list = json!({"tokens": vec![json!({"id": 7, "scopes": ["read"]}); 100], "count": 100});
    let shown = shown(JSON, &list.to_string());
    let tokens = shown["tokens"].as_array().unwrap();
    assert_eq!((&tokens[0], tokens.last().unwrap()), (&list["tokens"][0], &json!("…")));
    assert!((20..100).contains(&tokens.len()), "{}", tokens.len());
    assert_eq!(shown["…"], "…");
}

#[test]
fn what_is_long_and_malformed_at_its_end_is_not_shown() {
    let body = format!("[{}\"", "1,".repeat(3_000));
    assert_eq!(shown(JSON, &body), json!("6002 bytes, neither JSON nor a form: not shown"));
}

#[test]
fn the_word_for_an_error_is_no_authorization_code() {
    let body = r#"{"errors":[{"code":"InvalidPaginationDepth"}],"code":"abc"}"#;
    let expected = json!({"errors": [{"code": "InvalidPaginationDepth"}], "code": "…"});
    assert_eq!(shown(JSON, body), expected);
}
