//! Which layer wins, and what the report says of it.

use super::*;
use crate::config::{BaseUrl, Origin, kinds::Shown, section::Section as _};

#[test]
fn loading_nothing_is_the_default() {
    let loaded = Config::load(Mode::Serve, None, pairs(&[]), &[]).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.origin("listen"), Origin::Default);
}

#[test]
fn what_is_written_is_over_the_defaults_of_either_mode() {
    let written = Config::load(Mode::Twin, None, pairs(&[]), &[]).unwrap();
    assert_eq!(written.config, Config::defaults(Mode::Twin));
    let environment = [("TOKENRY_RECORD_API_TOKEN_IN_QUERY", "off")];
    let written = Config::load(Mode::Twin, None, pairs(&environment), &[]).unwrap().config;
    assert!(!written.record_api.token_in_query);
    assert!(written.record_api.password_access);
}

/// Each difference between the modes can be taken on by the other one.
#[test]
fn each_mode_can_be_written_in_the_other() {
    let modes = [(Mode::Serve, Mode::Twin), (Mode::Twin, Mode::Serve)];
    for (mode, other) in modes {
        let differing: Vec<_> = values(mode)
            .into_iter()
            .zip(values(other))
            .filter(|(ours, theirs)| ours != theirs)
            .map(|(_, (key, value))| {
                let value = match value {
                    Shown::Toml(value) => value.trim_matches('"').to_owned(),
                    Shown::Unset | Shown::Redacted => "none".to_owned(),
                };
                Override { key: key.to_owned(), value, flag: key.to_owned() }
            })
            .collect();
        let loaded = Config::load(mode, None, pairs(&[]), &differing).unwrap();
        assert_eq!(loaded.config, Config::defaults(other));
    }
}

fn values(mode: Mode) -> Vec<(&'static str, Shown)> {
    let settings = Config::defaults(mode).groups().into_iter().flat_map(|group| group.settings);
    settings.map(|setting| (setting.key, setting.value)).collect()
}

#[test]
fn the_environment_is_over_the_file_and_a_flag_over_both() {
    let file = "data = \"a\"\nlisten = \"127.0.0.1:1\"\n[purge]\ninterval = 1";
    let environment = [("TOKENRY_LISTEN", "127.0.0.1:2"), ("TOKENRY_PURGE_INTERVAL", "2m")];
    let loaded = load(file, &environment, &[("listen", "127.0.0.1:3")]).unwrap();
    assert_eq!(loaded.config.data.to_str(), Some("a"));
    assert_eq!(loaded.config.purge.interval.as_secs(), 120);
    assert_eq!(loaded.config.listen.port(), 3);
    assert!(matches!(loaded.origin("data"), Origin::File { line: Some(1), .. }));
    let variable = Origin::Environment("TOKENRY_PURGE_INTERVAL".to_owned());
    assert_eq!(loaded.origin("purge.interval"), variable);
    assert_eq!(loaded.origin("listen"), Origin::Flag("--listen".to_owned()));
}

#[test]
fn of_two_flags_the_later_wins() {
    let flags = [("listen", "127.0.0.1:1"), ("listen", "127.0.0.1:2")];
    assert_eq!(load("", &[], &flags).unwrap().config.listen.port(), 2);
}

#[test]
fn a_wrong_value_is_refused_though_a_stronger_layer_hides_it() {
    let text = refusal("listen = \"x\"", &[("TOKENRY_LISTEN", "127.0.0.1:1")], &[]);
    assert!(text.starts_with("listen (tokenry.toml:1): "), "{text}");
}

#[test]
fn none_unsets_over_a_file_and_an_empty_variable_does_not() {
    let file = "metrics.listen = \"127.0.0.1:9464\"";
    let with = |value| load(file, &[("TOKENRY_METRICS_LISTEN", value)], &[]).unwrap().config;
    assert_eq!(with("none").metrics.listen, None);
    assert_eq!(with("off").metrics.listen, None);
    assert!(with("").metrics.listen.is_some());
}

#[test]
fn the_file_can_be_named_by_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.toml");
    std::fs::write(&path, "data = \"named\"").unwrap();
    let environment = [("TOKENRY_CONFIG", path.to_str().unwrap())];
    let loaded = Config::load(Mode::Serve, None, pairs(&environment), &[]).unwrap();
    assert_eq!(loaded.config.data.to_str(), Some("named"));
    assert_eq!(load("", &environment, &[]).unwrap().config, Config::default());
}

#[test]
fn rate_limits_off_switches_every_rate_off() {
    let file = "[limits]\nfailed_bearers_per_address = 5\nrequests_per_caller = 700";
    for off in ["off", "false"] {
        let loaded = load(file, &[("TOKENRY_RATE_LIMITS", off)], &[]).unwrap();
        let limits = &loaded.config.limits;
        assert!(!loaded.config.rate_limits);
        assert_eq!(limits.failed_authentications_per_account, None);
        assert_eq!(limits.failed_authentications_per_address, None);
        assert_eq!(limits.failed_bearers_per_address, None);
        assert_eq!(limits.requests_per_caller, None);
        assert_eq!(limits.body_max, Config::default().limits.body_max);
        let report = loaded.report();
        let said = "# failed_bearers_per_address is not set";
        let line = report.lines().find(|line| line.starts_with(said)).unwrap();
        assert!(line.ends_with("# because of rate_limits = false"), "{line}");
    }
}

/// A rate that is added to `[limits]` must be among those that `rate_limits` switches off.
#[test]
fn every_setting_in_times_a_minute_is_switched_off_by_rate_limits() {
    let config = load("rate_limits = false", &[], &[]).unwrap().config;
    let groups = config.groups();
    let limits = groups.iter().find(|group| group.section == "limits").unwrap();
    for setting in &limits.settings {
        if setting.key.contains("_per_") {
            assert_eq!(setting.value, Shown::Unset, "{}", setting.key);
        }
    }
}

#[test]
fn the_report_is_a_configuration_that_means_the_same() {
    let environment = [
        ("TOKENRY_LIMITS_FAILED_BEARERS_PER_ADDRESS", "7"),
        ("TOKENRY_TOKENS_GRANT_LIFETIME_MAX", "90d"),
        ("TOKENRY_SCOPES_RESOURCES", "oauth,tickets:read"),
        ("TOKENRY_BASE_URL", "https://auth.example.com"),
        ("TOKENRY_DATA", "a \"quoted\" folder"),
    ];
    let loaded = load("", &environment, &[("metrics.listen", "127.0.0.1:1")]).unwrap();
    let again = load(&loaded.report(), &[], &[]).unwrap();
    assert_eq!(again.config, loaded.config);
}

#[test]
fn the_report_says_where_each_value_came_from() {
    let environment = [("TOKENRY_DATA", "d")];
    let loaded = load("listen = \"127.0.0.1:1\"", &environment, &[]).unwrap();
    let report = loaded.report();
    let line = |start: &str| report.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(line("listen = \"127.0.0.1:1\" ").ends_with(":1"));
    assert!(line("data = \"d\" ").ends_with("# TOKENRY_DATA"));
    assert!(line("# base_url is not set ").ends_with("# default"));
    assert!(line("access_token_lifetime = \"30m\" ").ends_with("# default"));
}

#[test]
fn without_a_base_url_it_is_the_bound_address() {
    for (bound, expected) in [
        ("127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("[::1]:4000", "http://[::1]:4000"),
        ("127.0.0.1:80", "http://127.0.0.1"),
    ] {
        let base = BaseUrl::at(bound.parse().unwrap()).unwrap();
        assert_eq!(base.as_str(), expected);
        assert!(base.is_loopback() && !base.is_https());
    }
}

#[test]
fn the_policy_is_what_is_configured() {
    let file = "tokens.grant_lifetime_max = \"90d\"\nscopes.resources = [\"oauth\"]";
    let policy = load(file, &[], &[]).unwrap().config.policy().unwrap();
    assert_eq!(policy.access_token_lifetime.unwrap().0, 1_800);
    assert_eq!(policy.refresh_token_lifetime.0, 2_592_000);
    assert_eq!(policy.created_token_lifetime_max, None);
    assert_eq!(policy.grant_lifetime_max.map(|most| most.0), Some(7_776_000));
    let windows = (policy.retry_window_confidential.0, policy.retry_window_public.0);
    assert_eq!(windows, (30, 5));
    assert!(policy.scopes.names().iter().all(|name| name != "tickets:read"));
}
