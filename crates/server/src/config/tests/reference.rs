//! The reference and the example file say what the declarations say.

use std::collections::BTreeSet;

use super::*;
use crate::config::{
    example_file,
    kinds::Shown,
    layers::is_not_ours,
    reference_markdown,
    section::Section as _,
    setting::{Setting, environment_name},
};

fn settings() -> Vec<Setting> {
    settings_of(Mode::Serve)
}

fn settings_of(mode: Mode) -> Vec<Setting> {
    let groups = Config::defaults(mode).groups();
    groups.into_iter().flat_map(|group| group.settings).collect()
}

#[test]
fn the_reference_has_a_row_for_every_key_exactly_once() {
    let reference = reference_markdown();
    for setting in settings() {
        let row = format!("| `{}` | `{}` |", setting.key, environment_name(setting.key));
        assert_eq!(reference.matches(&row).count(), 1, "{row}");
    }
    let rows = reference.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.count(), settings().len());
}

#[test]
fn every_setting_and_section_says_what_it_means() {
    for group in Config::default().groups() {
        assert!(group.about.ends_with('.'), "{}", group.section);
    }
    for setting in settings() {
        assert!(setting.meaning.ends_with('.'), "{}: {}", setting.key, setting.meaning);
    }
}

#[test]
fn defaults_in_the_reference_are_what_the_default_has() {
    let reference = reference_markdown();
    for (key, default) in [
        ("listen", "`\"127.0.0.1:4000\"`"),
        ("data", "`\"tokenry-data\"`"),
        ("base_url", "not set"),
        ("server_key", "not set"),
        ("tokens.access_token_lifetime", "`\"30m\"`; twin: `\"none\"`"),
        ("tokens.refresh_token_lifetime", "`\"30d\"`"),
        ("limits.failed_authentications_per_account", "`20`"),
        ("limits.body_max", "`\"64KiB\"`"),
        ("api_tokens.enabled", "`true`"),
    ] {
        let row = format!("| `{key}` |");
        let line = reference.lines().find(|line| line.starts_with(&row)).unwrap();
        assert!(line.contains(&format!(" | {default} | ")), "{line}");
    }
    // Written out as a file, the shown defaults are the default again: no default is out of bounds.
    let written: Vec<_> = settings()
        .into_iter()
        .filter_map(|setting| match setting.value {
            Shown::Toml(value) => Some(format!("{} = {value}\n", setting.key)),
            Shown::Unset | Shown::Redacted => None,
        })
        .collect();
    let loaded = load(&written.concat(), &[], &[]).unwrap();
    assert_eq!(loaded.config, Config::default());
}

#[test]
fn variables_have_names_of_their_own_that_are_no_service_links() {
    let names: BTreeSet<_> =
        settings().iter().map(|setting| environment_name(setting.key)).collect();
    assert_eq!(names.len(), settings().len());
    assert!(!names.iter().any(|name| is_not_ours(name)));
    for fixed in ["TOKENRY_RATE_LIMITS", "TOKENRY_METRICS_LISTEN", "TOKENRY_SERVER_KEY"] {
        assert!(names.contains(fixed), "{fixed}");
    }
    assert!(!names.contains("TOKENRY_CONFIG"));
}

#[test]
fn the_example_file_is_the_default_and_each_of_its_lines_can_be_used() {
    let example = example_file();
    assert_eq!(load(&example, &[], &[]).unwrap().config, Config::default());
    let used: String = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|first: char| first.is_ascii_lowercase()) => rest,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let loaded = load(&used, &[], &[]).unwrap();
    let unread: Vec<_> = settings()
        .into_iter()
        .filter(|setting| loaded.origin(setting.key) == super::super::Origin::Default)
        .map(|setting| setting.key)
        .collect();
    assert_eq!(unread, ["server_key"]);
}

#[test]
fn lines_of_the_example_file_fit_a_terminal() {
    for line in example_file().lines().filter(|line| line.starts_with("# ")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_reference_says_of_each_setting_that_a_twin_has_otherwise_what_it_is_there() {
    let reference = reference_markdown();
    let differing: Vec<_> = settings_of(Mode::Serve)
        .into_iter()
        .zip(settings_of(Mode::Twin))
        .filter(|(serve, twin)| serve.value != twin.value)
        .collect();
    assert!(!differing.is_empty());
    for (serve, twin) in &differing {
        let (Shown::Toml(ours), Shown::Toml(theirs)) = (&serve.value, &twin.value) else {
            continue;
        };
        let row = format!("| `{}` |", serve.key);
        let line = reference.lines().find(|line| line.starts_with(&row)).unwrap();
        assert!(line.contains(&format!(" | `{ours}`; twin: `{theirs}` | ")), "{line}");
    }
    assert_eq!(reference.matches("; twin: ").count(), differing.len());
}
