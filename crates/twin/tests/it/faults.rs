//! What each fault does to a call, and what it leaves behind.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};
use tokenry_twin::faults::Scenario;

use crate::support::{Played, agent, request};

const FAULT: &str = "x-twin-fault";

#[tokio::test]
async fn a_lost_answer_took_effect_and_not_one_byte_of_it_was_seen() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    let lost = played.refresh(&refresh_token, &[(FAULT, "lose-answer")]).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(played.verify(&token.access_token).await, 401, "it was replaced");
    let again = played.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(again.0, 400, "single use, as at Zendesk: {again:?}");
}

#[tokio::test]
async fn a_cut_answer_ends_in_the_middle() {
    let played = Played::new().await;
    let token = played.seeded();
    let cut = played.refresh(&token.refresh_token.unwrap(), &[(FAULT, "cut-answer")]).await;
    assert!(cut.is_err(), "{cut:?}");
    assert_eq!(played.verify(&token.access_token).await, 401, "it took effect");
}

#[tokio::test]
async fn the_first_half_of_a_cut_answer_is_seen() {
    let played = Played::new().await;
    let address = played.twin.base_url().strip_prefix("http://").unwrap().to_owned();
    let asked = "GET /api/v2/users/me HTTP/1.1\r\nhost: twin\r\nx-twin-fault: cut-answer\r\n\r\n";
    let told = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(asked.as_bytes()).unwrap();
        let mut told = Vec::new();
        // Ended by the other side, in one way or the other.
        let _ = connection.read_to_end(&mut told);
        String::from_utf8(told).unwrap()
    });
    let told = told.await.unwrap();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let announced: usize = announced.parse().unwrap();
    assert!(head.starts_with("HTTP/1.1 "), "{head}");
    assert_eq!(body.len(), announced / 2, "{body}");
}

#[tokio::test]
async fn limits_and_failures_keep_the_call_from_the_server() {
    let played = Played::new().await;
    let token = played.seeded();
    let refresh_token = token.refresh_token.unwrap();
    for (fault, expected) in [
        ("rate-limited=7", 429),
        ("status=500", 500),
        ("status=502", 502),
        ("status=503", 503),
        ("status=504", 504),
    ] {
        let (status, _) = played.refresh(&refresh_token, &[(FAULT, fault)]).await.unwrap();
        assert_eq!(status, expected, "{fault}");
    }
    assert_eq!(played.verify(&token.access_token).await, 200, "nothing happened to it");
    let gone = played.refresh(&refresh_token, &[(FAULT, "status=504 applied")]).await.unwrap();
    assert_eq!(gone.0, 504);
    assert_eq!(played.verify(&token.access_token).await, 401, "this one took effect");
}

#[tokio::test]
async fn what_a_fault_answers_has_the_headers_of_every_answer() {
    let played = Played::new().await;
    let bearer = format!("Bearer {}", played.seeded().access_token);
    for fault in ["rate-limited=7", "status=500", "status=502", "status=503 applied", "status=504"]
    {
        for path in ["/api/v2/users/me.json", "/oauth/token"] {
            let headers =
                [("authorization", &*bearer), (FAULT, fault), ("x-request-id", "the-callers.own")];
            let url = format!("{}{path}", played.twin.base_url());
            let request = request("GET", &url, &headers, &Value::Null);
            let answer = tokio::task::spawn_blocking(move || agent().run(request));
            let answer = answer.await.unwrap().unwrap();
            let header = |name: &str| answer.headers().get(name).and_then(|it| it.to_str().ok());
            let of_every_answer =
                ["x-request-id", "x-content-type-options", "referrer-policy", "cache-control"];
            let expected = ["the-callers.own", "nosniff", "no-referrer", "no-store"].map(Some);
            assert_eq!(of_every_answer.map(header), expected, "{fault} {path}");
            let limits = [
                "x-rate-limit",
                "x-rate-limit-remaining",
                "ratelimit-limit",
                "ratelimit-remaining",
                "ratelimit-reset",
            ];
            let expected = if fault == "rate-limited=7" && path.starts_with("/api/") {
                ["700", "0", "700", "0", "7"].map(Some)
            } else {
                [None; 5]
            };
            assert_eq!(limits.map(header), expected, "{fault} {path}");
        }
    }
}

/// What an answer says beside its content.
async fn headers_of(
    played: &Played,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> (u16, Vec<(String, String)>) {
    let url = format!("{}{path}", played.twin.base_url());
    let request = request(method, &url, headers, &Value::Null);
    let answer = tokio::task::spawn_blocking(move || agent().run(request).unwrap()).await.unwrap();
    let all = answer.headers().iter();
    let mut all: Vec<_> =
        all.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    all.retain(|(name, _)| !["content-length", "content-type", "date"].contains(&name.as_str()));
    all.sort();
    (answer.status().as_u16(), all)
}

/// What the server says on every answer is on those as well that a fault puts in its place.
#[tokio::test]
async fn whatever_the_server_says_beside_its_content_a_made_up_answer_says_too() {
    let played = Played::new().await;
    let given = ("x-request-id", "run-7.1");
    for call in [
        ("GET", "/api/v2/users/me.json"),
        ("POST", "/oauth/tokens"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
        ("HEAD", "/api/v2/users/me"),
        ("GET", "/api/v2/nothing"),
    ] {
        let (_, expected) = headers_of(&played, call, &[given]).await;
        let has = |name: &str| expected.iter().any(|(other, _)| other == name);
        assert!(has("x-request-id") && has("x-content-type-options") && has("referrer-policy"));
        for (fault, status) in [
            ("status=500", 500),
            ("status=502", 502),
            ("status=503", 503),
            ("status=504", 504),
            ("status=504 applied", 504),
            ("rate-limited=7", 429),
            ("no-fault", 400),
        ] {
            let (answered, mut headers) = headers_of(&played, call, &[given, (FAULT, fault)]).await;
            assert_eq!(answered, status, "{call:?} {fault}");
            headers.retain(|(name, _)| name != "retry-after" && !name.contains("limit"));
            assert_eq!(headers, expected, "{call:?} {fault}");
        }
    }
    let mut ids = Vec::new();
    for fault in ["status=500", "status=500 applied", "rate-limited"] {
        let call = ("GET", "/api/v2/users/me");
        let (_, headers) = headers_of(&played, call, &[(FAULT, fault)]).await;
        ids.extend(headers.into_iter().filter(|(name, _)| name == "x-request-id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each call has an id of its own: {ids:?}");
}

#[tokio::test]
async fn a_page_that_is_refused_tells_no_limit_of_the_record_api() {
    let played = Played::new().await;
    let limited = [(FAULT, "rate-limited=7")];
    for path in ["/sign_in", "/oauth/authorizations/new"] {
        let (status, headers) = headers_of(&played, ("GET", path), &limited).await;
        let limits = headers.iter().filter(|(name, _)| name.contains("limit")).count();
        assert_eq!((status, limits), (429, 0), "{path}");
        assert!(headers.contains(&("retry-after".to_owned(), "7".to_owned())));
    }
}

#[tokio::test]
async fn a_token_is_expired_revoked_or_rotated_before_the_call_that_presents_it() {
    let bearer = |token: &str| format!("Bearer {token}");
    for fault in ["expire-token", "revoke-token", "rotate-token"] {
        let played = Played::new().await;
        let token = played.seeded();
        let path = "/api/v2/users/me.json";
        let headers = [("authorization", bearer(&token.access_token)), (FAULT, fault.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (status, body) = played.call("GET", path, &headers, Value::Null).await.unwrap();
        assert_eq!((status, &body["error"]), (401, &json!("invalid_token")), "{fault}");
        let refresh_token = token.refresh_token.unwrap();
        let (refreshed, _) = played.refresh(&refresh_token, &[]).await.unwrap();
        let expected = if fault == "expire-token" { 201 } else { 400 };
        assert_eq!(refreshed, expected, "{fault}");
    }
}

#[tokio::test]
async fn a_refresh_token_expires_before_the_refresh_that_presents_it() {
    let played = Played::new().await;
    let refresh_token = played.seeded().refresh_token.unwrap();
    for headers in [&[(FAULT, "expire-token")][..], &[]] {
        let (status, body) = played.refresh(&refresh_token, headers).await.unwrap();
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    }
}

#[tokio::test]
async fn expires_in_is_wrong_or_missing_in_the_token_answer_alone() {
    let played = Played::new().await;
    let mut refresh_token = played.seeded().refresh_token.unwrap();
    for (fault, expected) in [
        ("expires-in=7200000", json!(7_200_000)),
        ("expires-in=-1", json!(-1)),
        ("expires-in=missing", Value::Null),
    ] {
        let (status, body) = played.refresh(&refresh_token, &[(FAULT, fault)]).await.unwrap();
        assert_eq!((status, &body["expires_in"]), (201, &expected), "{fault}");
        refresh_token = body["refresh_token"].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn by_a_clock_that_is_ahead_a_token_is_over_for_that_call_alone() {
    let played = Played::new().await;
    let token = played.seeded();
    let bearer = format!("Bearer {}", token.access_token);
    let skewed = [("authorization", bearer.as_str()), (FAULT, "clock-skew=30d")];
    let path = "/api/v2/oauth/tokens/current.json";
    let (status, _) = played.call("GET", path, &skewed, Value::Null).await.unwrap();
    assert_eq!(status, 401);
    assert_eq!(played.verify(&token.access_token).await, 200);
}

#[tokio::test]
async fn a_fault_that_cannot_be_read_is_refused_and_the_call_has_no_effect() {
    let played = Played::new().await;
    let token = played.seeded();
    let answered = played.refresh(&token.refresh_token.unwrap(), &[(FAULT, "loose-answer")]).await;
    let (status, body) = answered.unwrap();
    assert_eq!(status, 400);
    let told = body["error_description"].as_str().unwrap();
    assert!(told.contains("lose-answer"), "{told}");
    assert_eq!(played.verify(&token.access_token).await, 200);
}

#[tokio::test]
async fn rules_of_the_control_strike_as_often_as_they_say_and_are_counted() {
    let played = Played::new().await;
    let token = played.seeded();
    let rule = json!({"text": "status=503 route=verify every=2 times=2"});
    let added = played.control("POST", "/twin/faults", rule).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(played.verify(&token.access_token).await);
    }
    assert_eq!(seen, [200, 503, 200, 503, 200, 200]);
    let listed = played.control("GET", "/twin/faults", Value::Null).await;
    assert_eq!(listed["faults"][0]["struck"], 2);
    assert_eq!(listed["faults"][0]["matched"], 6);
    let path = format!("/twin/faults/{}", added["id"]);
    played.control("DELETE", &path, Value::Null).await;
    assert_eq!(played.call("DELETE", &path, &[], Value::Null).await.unwrap().0, 404);
    assert!(played.twin.faults().is_empty());
}

#[tokio::test]
async fn a_rule_that_another_one_goes_before_counts_from_the_next_call_on() {
    let played = Played::new().await;
    let token = played.seeded();
    for text in ["status=503 route=verify every=2", "status=502 route=verify every=2 times=2"] {
        played.control("POST", "/twin/faults", json!({"text": text})).await;
    }
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(played.verify(&token.access_token).await);
    }
    assert_eq!(seen, [200, 503, 502, 503, 200, 503, 502]);
    let listed = played.control("GET", "/twin/faults", Value::Null).await;
    let counted = [0, 1].map(|at| {
        let rule = &listed["faults"][at];
        (rule["matched"].as_u64().unwrap(), rule["struck"].as_u64().unwrap())
    });
    assert_eq!(counted, [(7, 3), (4, 2)]);
}

/// Two in one process share nothing.
#[tokio::test]
async fn the_faults_of_one_twin_do_not_strike_at_another() {
    let (one, other) = (Played::new().await, Played::new().await);
    one.control("POST", "/twin/faults", json!({"text": "status=500 always"})).await;
    let token = one.seeded();
    assert_eq!(one.verify(&token.access_token).await, 500);
    assert_eq!(other.verify(&token.access_token).await, 200, "the same seed, the same token");
}

#[tokio::test]
async fn what_a_browser_asks_before_a_call_uses_up_nothing_that_is_meant_for_the_call() {
    let played = Played::new().await;
    let scenario = Scenario::read(
        "name = \"n\"\nabout = \"a\"\n[[fault]]\nstatus = 503\nroute = \"verify\"\nevery = 2\n\
         [[fault]]\nstatus = 502\n[[clock]]\nafter_calls = 1\nadvance = \"10m\"\n",
    );
    played.twin.play(&scenario.unwrap()).await.unwrap();
    let preflight = async || {
        let headers = [("origin", "http://app.test"), ("access-control-request-method", "GET")];
        let path = "/api/v2/oauth/tokens/current.json";
        let (status, _) = played.call("OPTIONS", path, &headers, Value::Null).await.unwrap();
        status
    };
    let access_token = played.seeded().access_token;
    assert_eq!(preflight().await, preflight().await);
    assert!(played.twin.clock().read().ahead_seconds < 600);
    assert!(played.twin.faults().iter().all(|rule| rule.matched == 0));
    assert_eq!(played.verify(&access_token).await, 502);
    assert!(played.twin.clock().read().ahead_seconds >= 599);

    played.twin.add_fault("status=504 method=OPTIONS".parse().unwrap());
    assert_eq!(preflight().await, 504, "that one is meant for it");
}
