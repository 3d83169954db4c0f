//! What is refused, and what the refusal says.

use super::*;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    for (file, meant) in [
        ("lisen = \"127.0.0.1:1\"", "listen"),
        ("baseurl = \"https://a.b\"", "base_url"),
        ("[tokens]\nacess_token_lifetime = 5", "tokens.access_token_lifetime"),
        ("[token]\naccess_token_lifetime = 5", "tokens.access_token_lifetime"),
        ("access_token_lifetime = 5", "tokens.access_token_lifetime"),
        ("[sign_in]\npassword_access = true", "record_api.password_access"),
        ("[limits]\nbody = 5", "limits.body_max"),
        ("[log]\nlevel = \"info\"", "log.filter"),
    ] {
        let text = refusal(file, &[], &[]);
        let line = file.lines().count();
        assert!(
            text.contains(&format!("(tokenry.toml:{line}): there is no such setting")),
            "{text}"
        );
        if meant != "log.filter" && meant != "limits.body_max" {
            assert!(text.ends_with(&format!("did you mean {meant}?")), "{text}");
        }
    }
}

#[test]
fn a_key_like_no_other_is_referred_to_the_reference() {
    let text = refusal("[zzz]\nqqqq = 1", &[], &[]);
    assert!(text.ends_with("docs/configuration.md lists every setting"), "{text}");
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_name() {
    assert_eq!(
        refusal("", &[("TOKENRY_TOKENS_ACCES_TOKEN_LIFETIME", "5m")], &[]),
        "TOKENRY_TOKENS_ACCES_TOKEN_LIFETIME: no setting has this variable; \
         did you mean TOKENRY_TOKENS_ACCESS_TOKEN_LIFETIME?",
    );
}

#[test]
fn an_unknown_flag_key_is_refused_with_the_nearest_name() {
    assert_eq!(
        refusal("", &[], &[("tokens.retry_window", "5")]),
        "tokens.retry_window (--tokens.retry-window): there is no such setting; \
         did you mean tokens.retry_window_public?",
    );
}

#[test]
fn variables_of_others_and_of_service_discovery_are_left_alone() {
    let others = [
        ("PATH", "/bin"),
        ("TOKENRY", "x"),
        ("TOKENRY_CONFIG", ""),
        ("TOKENRY_PORT", "tcp://10.0.0.1:4000"),
        ("TOKENRY_PORT_4000_TCP_ADDR", "10.0.0.1"),
        ("TOKENRY_SERVICE_HOST", "10.0.0.1"),
        ("TOKENRY_CLIENT_SERVER", "https://auth.example.com"),
        ("TOKENRY_SERVICE_PORT_HTTP", "4000"),
    ];
    assert_eq!(load("", &others, &[]).unwrap().config, Config::default());
}

#[test]
fn a_section_is_not_a_setting_and_a_setting_not_a_section() {
    let text = refusal("tokens = 5", &[], &[]);
    assert!(text.ends_with("write [tokens] and its settings on the lines after it"), "{text}");
    assert!(refusal("[listen]\nport = 1", &[], &[]).contains("a table is no address to listen on"));
    assert!(
        refusal("[tokns]", &[], &[]).contains("tokns (tokenry.toml:1): there is no such setting")
    );
    assert!(load("[tokens]\n[limits]", &[], &[]).is_ok());
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let file = "lisen = 1\nrate_limits = 5\n[tokens]\naccess_token_lifetime = \"1s\"\n";
    let environment = [("TOKENRY_LIMITS_BODY_MAX", "huge"), ("TOKENRY_NONSENSE", "1")];
    let flags = [("listen", "nowhere"), ("base_url", "http://example.com")];
    let refusals = refusals(file, &environment, &flags);
    let starts = [
        "lisen (tokenry.toml:1): ",
        "TOKENRY_NONSENSE: ",
        "listen (--listen): ",
        "rate_limits (tokenry.toml:2): ",
        "tokens.access_token_lifetime (tokenry.toml:4): ",
        "limits.body_max (TOKENRY_LIMITS_BODY_MAX): ",
    ];
    assert_eq!(refusals.len(), starts.len(), "{refusals:#?}");
    for (refusal, start) in refusals.iter().zip(starts) {
        assert!(refusal.starts_with(start), "{refusal}");
    }
    let all = load(file, &environment, &flags).unwrap_err().to_string();
    assert!(all.starts_with("the configuration has 6 errors:\n  lisen ("), "{all}");
}

#[test]
fn values_that_do_not_go_together_are_all_refused() {
    let file = "key_file = \"k\"\n[metrics]\nlisten = \"127.0.0.1:4000\"\n\
         [limits]\nhead_max = \"8KiB\"\n[tokens]\ngrant_lifetime_max = \"1h\"\n\
         access_token_lifetime = \"2h\"";
    let refusals = refusals(file, &[("TOKENRY_SERVER_KEY", KEY)], &[]);
    let starts = [
        "key_file (tokenry.toml:1): the root key is given twice",
        "metrics.listen (tokenry.toml:3): metrics would be public",
        "tokens.grant_lifetime_max (tokenry.toml:7): a grant would end before",
        "limits.url_max (default): the request target would not fit",
    ];
    assert_eq!(refusals.len(), starts.len(), "{refusals:#?}");
    for (refusal, start) in refusals.iter().zip(starts) {
        assert!(refusal.starts_with(start), "{refusal}");
    }
}

#[test]
fn broken_toml_is_refused_by_line_and_only_for_that() {
    let refusals = refusals("listen = \n[tokens\nnonsense = 1\n", &[("TOKENRY_DATE", "x")], &[]);
    let (last, first) = refusals.split_last().unwrap();
    assert!(first[0].starts_with("tokenry.toml:1: this is not TOML: "), "{refusals:#?}");
    assert!(first.iter().all(|text| text.contains("this is not TOML")), "{refusals:#?}");
    assert!(last.ends_with("did you mean TOKENRY_DATA?"), "{last}");
    let twice = refusal("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"", &[], &[]);
    assert!(twice.starts_with("tokenry.toml:2: this is not TOML: duplicate key"), "{twice}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let missing = std::path::Path::new("no-such-folder/tokenry.toml");
    let errors = Config::load(Mode::Serve, Some(missing), pairs(&[]), &[]).unwrap_err();
    let text = errors.to_string();
    let start = "the configuration has 1 error:\n  no-such-folder/tokenry.toml: \
         the configuration file cannot be read: ";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn the_server_key_comes_from_the_environment_only_and_is_shown_nowhere() {
    let loaded = load("", &[("TOKENRY_SERVER_KEY", KEY)], &[]).unwrap();
    let key = loaded.config.server_key.clone().unwrap();
    assert_eq!(key.expose().first_chunk(), Some(&[0, 1, 2, 3]));
    for text in [format!("{loaded:?}"), loaded.report()] {
        assert!(!text.contains(KEY) && !text.contains("0, 1, 2, 3"), "{text}");
    }
    let padded = load("", &[("TOKENRY_SERVER_KEY", &format!("{KEY}="))], &[]).unwrap();
    assert_eq!(padded.config.server_key, Some(key));
    for (file, flags) in
        [(format!("server_key = \"{KEY}\""), vec![]), (String::new(), vec![("server_key", KEY)])]
    {
        let text = refusal(&file, &[], &flags);
        assert!(text.contains("a secret may not be written here"), "{text}");
        assert!(text.contains("TOKENRY_SERVER_KEY") && !text.contains(KEY), "{text}");
    }
    for bad in [&KEY[1..], "!", &format!("{KEY}AAAA"), &KEY.repeat(100)] {
        let text = refusal("", &[("TOKENRY_SERVER_KEY", bad)], &[]);
        assert!(text.contains("it is not 32 bytes in base64url"), "{text}");
        assert!(bad.len() < 2 || !text.contains(bad), "{text}");
    }
}

#[test]
fn a_refused_value_is_quoted_short_and_without_control_characters() {
    let long = format!("\u{1b}[31m{}", "x".repeat(1_000));
    let text = refusal("", &[("TOKENRY_LISTEN", &long)], &[]);
    assert!(text.len() < 300 && !text.contains('\u{1b}') && text.contains('…'), "{text}");
}
