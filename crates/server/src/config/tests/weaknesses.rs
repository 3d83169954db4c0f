//! What is said of settings that weaken a server.

use super::*;
use crate::config::{kinds::Shown, section::Section as _};

fn keys(config: &Config) -> Vec<&'static str> {
    config.weaknesses().into_iter().map(|weakness| weakness.key).collect()
}

fn values(config: &Config) -> Vec<(&'static str, Shown)> {
    let settings = config.groups().into_iter().flat_map(|group| group.settings);
    settings.map(|setting| (setting.key, setting.value)).collect()
}

#[test]
fn a_server_as_it_comes_is_not_weakened() {
    assert_eq!(keys(&Config::default()), Vec::<&str>::new());
    let report = load("", &[], &[]).unwrap().report();
    assert!(!report.contains("Weaker than what is safe"), "{report}");
}

/// A difference that is added to the twin must be said of a server that takes it on.
#[test]
fn each_setting_that_a_twin_has_otherwise_is_said_to_weaken_a_server() {
    let twin = Config::defaults(Mode::Twin);
    let pairs = values(&Config::default()).into_iter().zip(values(&twin));
    let differing: Vec<_> =
        pairs.filter(|(ours, theirs)| ours != theirs).map(|(_, (key, _))| key).collect();
    assert_eq!(keys(&twin), differing);
}

#[test]
fn each_weakness_is_a_setting_and_says_in_a_sentence_what_follows() {
    let file = "insecure_http = true\n[limits]\nfailed_authentications_per_account = \"none\"\n\
        failed_authentications_per_address = \"none\"";
    let loaded = load(file, &[], &[]).unwrap();
    let without_rates = load("rate_limits = false", &[], &[]).unwrap();
    let all: Vec<_> = [&loaded.config, &without_rates.config, &Config::defaults(Mode::Twin)]
        .into_iter()
        .flat_map(Config::weaknesses)
        .collect();
    let known: Vec<_> = values(&loaded.config).into_iter().map(|(key, _)| key).collect();
    for weakness in &all {
        assert!(known.contains(&weakness.key), "{weakness:?}");
        assert!(weakness.consequence.ends_with('.'), "{weakness:?}");
    }
    for key in ["insecure_http", "rate_limits", "limits.failed_authentications_per_address"] {
        assert!(all.iter().any(|weakness| weakness.key == key), "{key}");
    }
    // What `rate_limits` decides is not said again of each limit.
    assert_eq!(keys(&without_rates.config), ["rate_limits"]);
}

#[test]
fn the_report_ends_with_what_weakens_the_server_and_where_that_is_written() {
    let environment = [("TOKENRY_RECORD_API_TOKEN_IN_QUERY", "on")];
    let report = load("", &environment, &[]).unwrap().report();
    let end = "\n# Weaker than what is safe:\n# record_api.token_in_query \
        (TOKENRY_RECORD_API_TOKEN_IN_QUERY): Access tokens may stand in the logs of proxies and in \
        browser histories.\n";
    assert!(report.ends_with(end), "{report}");
}
