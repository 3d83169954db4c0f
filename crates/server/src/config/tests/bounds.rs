//! Every bound at both ends, and every kind of value.

use std::{collections::BTreeMap, time::Duration};

use tokenry_core::policy::UnknownScopes;

use super::*;
use crate::config::{
    LogFormat,
    kinds::{Kind as _, Shown, parse_span},
    section::Section as _,
    setting::environment_name,
};

/// Key, least, most, one less than the least (where there is less), one more than the most.
const BOUNDS: &[(&str, &str, &str, Option<&str>, &str)] = &[
    ("tokens.access_token_lifetime", "300", "172800", Some("299"), "172801"),
    ("tokens.refresh_token_lifetime", "604800", "7776000", Some("604799"), "7776001"),
    ("tokens.created_token_lifetime_max", "300", "3650d", Some("299"), "315360001"),
    ("tokens.grant_lifetime_max", "1h", "3650d", Some("3599"), "315360001"),
    ("tokens.retry_window_confidential", "0", "30m", None, "1801"),
    ("tokens.retry_window_public", "0", "30m", None, "1801"),
    ("api_tokens.count_max", "1", "100000", Some("0"), "100001"),
    ("sign_in.session_lifetime", "5m", "30d", Some("299"), "2592001"),
    ("sign_in.password_hash_memory", "7MiB", "1GiB", Some("7340031"), "1073741825"),
    ("sign_in.password_hash_iterations", "1", "100", Some("0"), "101"),
    ("sign_in.password_hash_parallelism", "1", "16", Some("0"), "17"),
    ("sign_in.password_hashes_concurrent_max", "1", "256", Some("0"), "257"),
    ("limits.failed_authentications_per_account", "1", "1000000", Some("0"), "1000001"),
    ("limits.failed_authentications_per_address", "1", "1000000", Some("0"), "1000001"),
    ("limits.failed_bearers_per_address", "1", "1000000", Some("0"), "1000001"),
    ("limits.body_max", "1KiB", "16MiB", Some("1023"), "16777217"),
    ("limits.head_max", "8KiB", "1MiB", Some("8191"), "1048577"),
    ("limits.url_max", "1KiB", "60KiB", Some("1023"), "61441"),
    ("limits.head_timeout", "1", "600", Some("0"), "601"),
    ("limits.request_timeout", "1", "3600", Some("0"), "3601"),
    ("limits.idle_timeout", "1", "3600", Some("0"), "3601"),
    ("limits.connections_max", "1", "1000000", Some("0"), "1000001"),
    ("limits.http2_streams_max", "1", "10000", Some("0"), "10001"),
    ("limits.http2_pending_resets_max", "1", "10000", Some("0"), "10001"),
    ("limits.http2_local_resets_max", "1", "100000", Some("0"), "100001"),
    ("limits.stop_timeout", "0", "1h", None, "3601"),
    ("limits.requests_per_caller", "1", "1000000", Some("0"), "1000001"),
    ("cache.tokens", "1000", "100000000", Some("999"), "100000001"),
    ("cache.clients", "100", "10000000", Some("99"), "10000001"),
    ("cache.users", "100", "100000000", Some("99"), "100000001"),
    ("purge.interval", "1", "1d", Some("0"), "86401"),
    ("purge.rows_per_step", "1", "10000", Some("0"), "10001"),
    ("purge.expired_grants_kept", "0", "3650d", None, "315360001"),
    ("purge.events_kept", "1000", "1000000000", Some("999"), "1000000001"),
    ("purge.refusals_kept", "1000", "1000000000", Some("999"), "1000000001"),
    ("postgres.connections", "2", "1000", Some("1"), "1001"),
    ("postgres.queue_max", "1", "1000000", Some("0"), "1000001"),
    ("postgres.call_timeout", "1s", "1m", Some("0"), "61"),
    ("postgres.connect_timeout", "1s", "1m", Some("0"), "61"),
    ("cluster.staleness_max", "1s", "1m", Some("0"), "61"),
    ("cluster.job_lease_lifetime", "1s", "10m", Some("0"), "601"),
    ("sqlite.readers", "1", "64", Some("0"), "65"),
    ("sqlite.read_queue_max", "1", "1000000", Some("0"), "1000001"),
    ("sqlite.write_queue_max", "1", "1000000", Some("0"), "1000001"),
    ("sqlite.cache_size", "1MiB", "16GiB", Some("1048575"), "17179869185"),
];

#[test]
fn both_ends_of_every_bound_are_allowed_and_one_beyond_is_refused() {
    for (key, least, most, below, above) in BOUNDS {
        let attempt = |value: &str| {
            // What does not concern the bound must not get in its way.
            let environment = BTreeMap::from([
                (environment_name("limits.head_max"), "1MiB".to_owned()),
                (environment_name("limits.url_max"), "1KiB".to_owned()),
                (environment_name("tokens.access_token_lifetime"), "300".to_owned()),
            ]);
            let tried = (environment_name(key), value.to_owned());
            Config::load(Mode::Serve, None, environment.into_iter().chain([tried]), &[])
        };
        for good in [least, most] {
            attempt(good).unwrap_or_else(|errors| panic!("{key} = {good}: {errors}"));
        }
        if let Some(below) = below {
            let text = attempt(below).expect_err(key).to_string();
            assert!(text.contains("is below the least") && text.contains(key), "{text}");
        }
        let text = attempt(above).expect_err(key).to_string();
        assert!(text.contains("is above the most") && text.contains(key), "{text}");
    }
}

#[test]
fn every_setting_with_bounds_is_tried_at_them() {
    let groups = Config::default().groups();
    let settings = groups.iter().flat_map(|group| &group.settings);
    let bounded: Vec<_> =
        settings.filter(|setting| setting.bounds.is_some()).map(|setting| setting.key).collect();
    let mut tried: Vec<_> = BOUNDS.iter().map(|(key, ..)| *key).collect();
    let mut expected = bounded;
    tried.sort_unstable();
    expected.sort_unstable();
    assert_eq!(tried, expected);
}

#[test]
fn durations_are_seconds_or_have_a_unit() {
    for (written, seconds) in [
        ("1800", 1_800),
        ("\"1800\"", 1_800),
        ("\"1800s\"", 1_800),
        ("\"30m\"", 1_800),
        ("\"30 m\"", 1_800),
        ("\"12h\"", 43_200),
        ("\"2d\"", 172_800),
        ("0x708", 1_800),
        ("1_800", 1_800),
    ] {
        let file = format!("[tokens]\naccess_token_lifetime = {written}");
        let loaded = load(&file, &[], &[]).unwrap();
        let lifetime = loaded.config.tokens.access_token_lifetime;
        assert_eq!(lifetime, Some(Duration::from_secs(seconds)), "{written}");
    }
    for written in [
        "\"30min\"",
        "\"30M\"",
        "\"m\"",
        "\"\"",
        "\"-30m\"",
        "-1800",
        "1800.0",
        "true",
        "[1800]",
        "{ a = 1 }",
        "2026-01-01",
        "\"99999999999999999999\"",
        "\"9999999999999999999d\"",
    ] {
        let file = format!("[tokens]\naccess_token_lifetime = {written}");
        let text = refusal(&file, &[], &[]);
        assert!(
            text.starts_with("tokens.access_token_lifetime (tokenry.toml:2): ")
                && text.contains("is not a duration; give a duration from 5m to 2d"),
            "{text}"
        );
    }
}

#[test]
fn access_tokens_can_do_without_an_expiry() {
    for written in ["none", "off"] {
        let file =
            format!("[tokens]\naccess_token_lifetime = \"{written}\"\ngrant_lifetime_max = \"1h\"");
        let loaded = load(&file, &[], &[]).unwrap();
        assert_eq!(loaded.config.tokens.access_token_lifetime, None);
        assert_eq!(loaded.config.policy().unwrap().access_token_lifetime, None);
    }
}

#[test]
fn sizes_are_bytes_or_have_a_unit() {
    for (written, bytes) in
        [("65536", 65_536), ("\"65536B\"", 65_536), ("\"64KiB\"", 65_536), ("\"1MiB\"", 1_048_576)]
    {
        let loaded = load(&format!("limits.body_max = {written}"), &[], &[]).unwrap();
        assert_eq!(loaded.config.limits.body_max, bytes, "{written}");
    }
    let text = refusal("limits.body_max = \"64KB\"", &[], &[]);
    assert!(text.contains("(units B, KiB, MiB, GiB; a bare number is in B)"), "{text}");
}

#[test]
fn switches_take_booleans_and_words() {
    for (written, value) in [("true", true), ("\"on\"", true), ("false", false), ("\"off\"", false)]
    {
        let loaded = load(&format!("purge.enabled = {written}"), &[], &[]).unwrap();
        assert_eq!(loaded.config.purge.enabled, value, "{written}");
    }
    assert!(refusal("purge.enabled = 1", &[], &[]).contains("1 is neither on nor off"));
}

#[test]
fn choices_are_one_of_their_words() {
    let file = "log.format = \"json\"\ntokens.unknown_scopes = \"accept\"";
    let config = load(file, &[], &[]).unwrap().config;
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.tokens.unknown_scopes, UnknownScopes::Accept);
    assert_eq!(
        refusal("log.format = \"yaml\"", &[], &[]),
        "log.format (tokenry.toml:1): \"yaml\" is not among the choices; \
         write one of \"auto\", \"text\", \"json\"",
    );
}

#[test]
fn a_base_url_is_an_origin_in_its_one_form() {
    for good in [
        "https://auth.example.com",
        "https://auth.example.com:8443",
        "http://127.0.0.1:4000",
        "http://localhost:4000",
        "http://tokenry.localhost",
        "http://[::1]:4000",
    ] {
        let config = load("", &[], &[("base_url", good)]).unwrap().config;
        assert_eq!(config.base_url.unwrap().as_str(), good);
    }
    for (bad, why) in [
        ("auth.example.com", "is no URL"),
        ("localhost:4000", "is neither an https nor an http URL"),
        ("ftp://auth.example.com", "is neither an https nor an http URL"),
        ("https://auth.example.com/", "write https://auth.example.com"),
        ("https://Auth.example.com", "write https://auth.example.com"),
        ("https://auth.example.com:443", "write https://auth.example.com"),
        ("https://auth.example.com/oauth", "has a path"),
        ("https://auth.example.com?a=b", "has a query"),
        ("https://auth.example.com#a", "has a fragment"),
        ("http://auth.example.com", "in plain http"),
        ("http://192.168.0.1:4000", "in plain http"),
        ("http://localhost.example.com", "in plain http"),
    ] {
        let text = refusal("", &[], &[("base_url", bad)]);
        assert!(text.starts_with("base_url (--base-url): ") && text.contains(why), "{bad}: {text}");
    }
    let text = refusal("", &[], &[("base_url", "https://admin:hunter2@auth.example.com")]);
    assert!(text.contains("a user name or a password") && !text.contains("hunter2"), "{text}");
}

#[test]
fn plain_http_beyond_loopback_needs_saying_so() {
    let http = [("base_url", "http://auth.example.com")];
    assert!(load("insecure_http = true", &[], &http).is_ok());
    let text = refusal("", &[], &[("listen", "192.0.2.1:4000")]);
    assert!(text.contains("without base_url") && text.contains("--insecure-http"), "{text}");
    let text = refusal("insecure_http = true", &[], &[("listen", "0.0.0.0:4000")]);
    assert!(text.contains("set base_url"), "{text}");
    let open = [("listen", "[::]:4000"), ("base_url", "https://auth.example.com")];
    assert!(load("", &[], &open).is_ok());
}

#[test]
fn with_a_certificate_the_server_is_https() {
    let pair = [("tls.certificate", "tls.crt"), ("tls.key", "tls.key")];
    for alone in pair {
        let text = refusal("", &[], &[alone]);
        assert!(text.contains("TLS needs a certificate and its key"), "{text}");
    }
    let http = [pair[0], pair[1], ("base_url", "http://localhost:4000")];
    assert!(refusal("", &[], &http).contains("and this says http"));
    let open = [pair[0], pair[1], ("listen", "192.0.2.1:4000")];
    let config = load("", &[], &open).unwrap().config;
    assert_eq!(config.base_at(config.listen).unwrap().as_str(), "https://192.0.2.1:4000");
}

#[test]
fn an_address_is_numeric_but_for_localhost() {
    let config = load("", &[], &[("listen", "localhost:0")]).unwrap().config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
    for bad in ["4000", ":4000", "127.0.0.1", "example.com:80", "127.0.0.1:65536"] {
        let text = refusal("", &[], &[("listen", bad)]);
        assert!(text.contains("is no address to listen on"), "{text}");
    }
}

#[test]
fn resources_are_names_with_at_most_one_access() {
    let list = [("scopes.resources", "tickets, auditlogs:read,oauth")];
    let config = load("", &[], &list).unwrap().config;
    assert_eq!(config.scopes.resources, ["tickets", "auditlogs:read", "oauth"]);
    let text = refusal("scopes.resources = [\"a\", \"B\", \"c:d\", \"read\", \"a\"]", &[], &[]);
    for wrong in ["\"B\" is no resource", "\"c:d\" is no", "\"read\" is no", "a is there twice"] {
        assert!(text.contains(wrong), "{text}");
    }
    assert!(refusal("scopes.resources = [1]", &[], &[]).contains("is not a list of names"));
}

#[test]
fn global_clients_are_ids_in_any_order_each_counted_once() {
    let ids = |config: &Config| -> Vec<u64> {
        config.record_api.global_clients.iter().map(|id| id.get()).collect()
    };
    let config = load("record_api.global_clients = [9001, 41, 9001]", &[], &[]).unwrap().config;
    assert_eq!(ids(&config), [41, 9_001]);
    let written = [("TOKENRY_RECORD_API_GLOBAL_CLIENTS", " 9001 ,41")];
    assert_eq!(ids(&load("", &written, &[]).unwrap().config), [41, 9_001]);
    let none = load("record_api.global_clients = []", &[], &[]).unwrap().config;
    assert_eq!(none, Config::default());
    for (wrong, problem) in [
        ("41", "41 is no list of ids"),
        ("\"41\"", "\"41\" is no list of ids"),
        ("[0]", "0 is no id"),
        ("[-1]", "-1 is no id"),
        ("[\"charts\"]", "\"charts\" is no id"),
        ("[[41]]", "a list is no id"),
        ("[9007199254740992]", "9007199254740992 is no id"),
    ] {
        let text = refusal(&format!("record_api.global_clients = {wrong}"), &[], &[]);
        assert!(text.contains(problem) && text.contains("such as [41, 43]"), "{text}");
    }
    let written = |count: u64| {
        let ids: Vec<_> = (1..=count).map(|id| id.to_string()).collect();
        format!("record_api.global_clients = [{}]", ids.join(", "))
    };
    assert_eq!(ids(&load(&written(100), &[], &[]).unwrap().config).len(), 100);
    assert!(refusal(&written(101), &[], &[]).contains("101 ids are more than the most, 100"));
}

#[test]
fn networks_are_ranges_or_single_addresses() {
    let written = [("proxy.trusted", "10.0.0.0/8, 192.0.2.7,fd00::/8")];
    let config = load("", &[], &written).unwrap().config;
    let shown: Vec<_> = config.proxy.trusted.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]);
    for (wrong, problem) in [
        ("[\"10.0.0.1/8\"]", "\"10.0.0.1/8\" is neither a network nor an address"),
        ("[\"proxy.internal\"]", "\"proxy.internal\" is neither a network nor an address"),
        ("[1]", "is not a list of networks"),
    ] {
        let text = refusal(&format!("proxy.trusted = {wrong}"), &[], &[]);
        assert!(text.contains(problem) && text.contains("write a list such as"), "{text}");
    }
}

#[test]
fn the_default_resources_are_a_catalog() {
    let names = Config::default().scopes.catalog().unwrap().names();
    for name in ["tickets:write", "auditlogs:read", "any_channel:write", "oauth:read"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for name in ["auditlogs:write", "any_channel:read", "web_widget:read"] {
        assert!(names.iter().all(|known| known != name), "{name}");
    }
}

#[test]
fn a_log_filter_with_a_misspelt_level_is_refused() {
    for good in
        ["warn", "INFO", "off", "info,tokenry_store=debug", "warn, tokenry_server::verify=trace"]
    {
        assert!(load("", &[], &[("log.filter", good)]).is_ok(), "{good}");
    }
    for bad in ["inof", "warn,debg", "a=b=c", ""] {
        let text = refusal("", &[], &[("log.filter", bad)]);
        assert!(text.starts_with("log.filter (--log.filter): "), "{text}");
    }
}

#[test]
fn a_duration_is_read_back_from_how_it_is_shown() {
    let kind = crate::config::kinds::duration(0, 10_000_000);
    for seconds in [0, 1, 59, 60, 90, 3_600, 5_400, 86_400, 2_592_000] {
        let Shown::Toml(text) = kind.show(&Duration::from_secs(seconds)) else {
            panic!("a duration is shown")
        };
        let raw = crate::config::kinds::Raw::Text(text.trim_matches('"').to_owned());
        assert_eq!(kind.parse(&raw).unwrap(), Duration::from_secs(seconds), "{text}");
    }
}

#[test]
fn spans_of_the_past_are_read_as_settings_are_and_in_weeks() {
    for (text, seconds) in [
        ("90", 90),
        ("30m", 1_800),
        ("12h", 43_200),
        ("30d", 2_592_000),
        (" 4w ", 2_419_200),
        ("36500d", 3_153_600_000),
    ] {
        assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in ["", "0", "30 days", "-1d", "1.5h", "36501d", "99999999999999999999w"] {
        let refused = parse_span(text).unwrap_err();
        assert!(refused.contains(": give a duration from 1s to 36500d (units s, m"), "{refused}");
    }
}

#[test]
fn a_notice_is_one_line_for_people() {
    let longest = "ä".repeat(300);
    for (written, kept) in [("For tests only.", Some("For tests only.")), ("none", None)] {
        assert_eq!(load("", &[], &[("notice", written)]).unwrap().config.notice.as_deref(), kept);
    }
    assert!(load("", &[], &[("notice", &longest)]).is_ok());
    for (bad, why) in [
        ("", "is no text"),
        ("one\ntwo", "has a line break"),
        ("\u{7}", "control character"),
        (&*format!("{longest}x"), "has 301 characters; write one line of at most 300 characters"),
    ] {
        let text = refusal("", &[], &[("notice", bad)]);
        assert!(text.starts_with("notice (--notice): ") && text.contains(why), "{bad}: {text}");
    }
}
