//! The table of the control and the control itself say the same.

use std::collections::BTreeSet;

use serde_json::Value;
use tokenry_twin::{Options, control::addresses::ALL};

use crate::support::Played;

#[tokio::test]
async fn every_address_answers_its_example_as_the_table_says() {
    let played = Played::with(Options { https_port: Some(0), ..Options::default() }).await;
    for address in ALL {
        let (target, body) = address.example;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        let label = format!("{} {target}", address.method);
        let (status, answer) = played.call(address.method, target, &[], body).await.unwrap();
        assert_eq!(status, address.status, "{label}: {answer}");
        let documented: BTreeSet<_> = address.answer.iter().map(|(name, _)| *name).collect();
        let members = answer.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        assert_eq!(members.collect::<BTreeSet<_>>(), documented, "{label}");
    }
}

#[tokio::test]
async fn of_what_the_table_has_not_the_control_answers_nothing() {
    let played = Played::new().await;
    for address in ALL {
        let (target, _) = address.example;
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let is_known = ALL.iter().any(|it| it.path == address.path && it.method == method);
            if !is_known {
                let (status, _) = played.call(method, target, &[], Value::Null).await.unwrap();
                assert_eq!(status, 405, "{method} {target}");
            }
        }
    }
    for unknown in ["/twin/", "/twin/nothing", "/twin/state/more"] {
        let (status, told) = played.call("GET", unknown, &[], Value::Null).await.unwrap();
        assert_eq!((status, &told["error"]), (404, &"not_found".into()), "{unknown}");
    }
}

#[test]
fn an_example_is_a_request_at_its_own_path() {
    for address in ALL {
        let path = address.example.0.split('?').next().unwrap();
        let (pattern, path): (Vec<_>, Vec<_>) =
            (address.path.split('/').collect(), path.split('/').collect());
        let fits = |(pattern, part): (&&str, &&str)| pattern.starts_with('{') || pattern == part;
        assert_eq!(pattern.len(), path.len(), "{}", address.path);
        assert!(pattern.iter().zip(&path).all(fits), "{}", address.path);
    }
}
