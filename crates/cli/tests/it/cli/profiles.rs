//! `tokenry profile …` and the file of profiles.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use insta::assert_snapshot;

use super::site::Site;

/// Ada and Ben are signed in; Ada's profile is in use.
fn site() -> Site {
    let site = Site::start();
    let ben = site.create_user("ben@acme.test");
    assert!(site.sign_in(&ben, &["--profile", "ben"]).status.success());
    assert!(site.sign_in(&site.ada, &["--profile", "ada"]).status.success());
    site
}

#[test]
fn profiles_are_listed_and_shown_in_every_format_without_secrets() {
    let site = site();
    let told = [
        site.told(&["profile", "list"]),
        site.told(&["profile", "list", "--json"]),
        site.told(&["profile", "list", "--yaml"]),
        site.told(&["profile", "list", "--csv"]),
        site.told(&["profile", "list", "-q"]),
        site.told(&["profile", "show"]),
        site.told(&["profile", "show", "ben", "--json"]),
    ];
    let told = told.join("\n\n");
    assert!(!told.contains("[credential]"), "{told}");
    // The table is as wide as the address of the server, whose port is another each time.
    let plain: Vec<_> =
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_snapshot!(plain.join("\n"));
}

#[test]
fn another_profile_is_used_from_then_on_and_a_forgotten_one_is_gone() {
    let site = site();
    let told = [
        site.told(&["profile", "use", "ben"]),
        site.told(&["whoami", "--csv"]),
        site.told(&["profile", "remove", "ben"]),
        site.told(&["whoami"]),
        site.told(&["profile", "use", "ben"]),
        site.told(&["profile", "remove", "ben"]),
        site.told(&["profile", "show"]),
        site.told(&["logout", "--all"]),
        site.told(&["profile", "list"]),
    ];
    assert_snapshot!(told.join("\n\n"));
    let text = fs::read_to_string(site.profiles()).unwrap();
    assert!(!text.contains("_tokenry_"), "{text}");
}

#[test]
fn signing_out_leaves_the_other_profiles() {
    let site = site();
    assert_eq!(site.code(&["logout", "--profile", "ada"]), Some(0));
    let names = site.command(&["profile", "list", "-q"]).output().unwrap();
    assert_eq!(String::from_utf8(names.stdout).unwrap(), "ben\n");
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let site = Site::signed_in();
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(site.profiles(), fs::Permissions::from_mode(mode)).unwrap();
        for arguments in [&["whoami"][..], &["profile", "list"], &["logout"]] {
            let told = site.told(arguments);
            let rest = told.split_once('\n').unwrap().1;
            assert_eq!(
                rest,
                "── stderr\ntokenry: [folder]/config/tokenry/profiles.toml holds secrets, and \
                 others may read or write it\n  hint: chmod 600 \
                 [folder]/config/tokenry/profiles.toml\n── exit code 2"
            );
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_line_and_without_its_secrets() {
    let site = Site::signed_in();
    let text = fs::read_to_string(site.profiles()).unwrap();
    fs::write(site.profiles(), text.replace("api_token = ", "api_token : ")).unwrap();
    let told = site.told(&["whoami"]);
    assert!(told.contains("profiles.toml, line "), "{told}");
    assert!(!told.contains("[credential]"), "{told}");
    assert!(told.ends_with("── exit code 2"), "{told}");
}

#[test]
fn a_file_that_is_a_link_stays_one() {
    let site = Site::signed_in();
    let kept = site.folder.path().join("kept.toml");
    fs::rename(site.profiles(), &kept).unwrap();
    std::os::unix::fs::symlink(&kept, site.profiles()).unwrap();
    assert!(site.sign_in(&site.ada, &["--profile", "again"]).status.success());
    assert!(fs::symlink_metadata(site.profiles()).unwrap().is_symlink());
    assert!(fs::read_to_string(&kept).unwrap().contains("again"));
}

#[test]
fn sign_ins_at_once_are_all_kept() {
    let site = Site::start();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let site = &site;
            scope.spawn(move || {
                let output = site.sign_in(&site.ada, &["--profile", name]);
                assert!(output.status.success());
            });
        }
    });
    let listed = site.command(&["profile", "list", "-q"]).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().collect::<Vec<_>>(), names);
}

/// A program in place of libsecret's, which needs a desktop: it keeps what it reads in a folder,
/// and fails when a secret is among its arguments.
const SECRET_TOOL: &str = r#"#!/bin/sh
case "$*" in *_tokenry_*) exit 9;; esac
command=$1
for last; do :; done
file="$KEYRING/$last"
case $command in
    store) cat > "$file";;
    lookup) if [ -e "$file" ]; then cat "$file"; else exit 1; fi;;
    clear) rm -f "$file";;
esac
"#;

fn with_secret_tool(site: &Site, mut command: std::process::Command) -> std::process::Command {
    let folder = site.folder.path().join("keyring");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("KEYRING", folder);
    command
}

fn install(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("secret-tool"), SECRET_TOOL).unwrap();
    fs::set_permissions(folder.join("secret-tool"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_keyring_keeps_secrets_that_the_file_then_does_not_have() {
    let site = Site::start();
    let keyring = site.folder.path().join("keyring");
    install(&keyring);
    let login = ["login", "--server", &site.server.base, "--email", "ada@acme.test"];
    let options = ["--api-token-stdin", "--keyring", "--profile", "ada"];
    let command = with_secret_tool(&site, site.command(&[&login[..], &options].concat()));
    let token = site.ada["api_token"].as_str().unwrap();
    let output = super::site::with_input(command, token);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!fs::read_to_string(site.profiles()).unwrap().contains("_tokenry_"));
    assert!(fs::read_to_string(keyring.join("ada")).unwrap().contains(token));
    let whoami = || with_secret_tool(&site, site.command(&["whoami", "-q"]));
    assert!(site.told_of(whoami()).contains("── stdout\n1\n"));
    // Whoever comes back without the keyring leaves nothing in it.
    let command =
        with_secret_tool(&site, site.command(&[&login[..], &options[..1], &options[2..]].concat()));
    assert!(super::site::with_input(command, token).status.success());
    assert!(!keyring.join("ada").exists());
    let command = with_secret_tool(&site, site.command(&[&login[..], &options].concat()));
    assert!(super::site::with_input(command, token).status.success());
    assert!(site.told_of(whoami()).contains("── stdout\n1\n"));
    let logout = with_secret_tool(&site, site.command(&["logout"]));
    assert!(site.told_of(logout).ends_with("── exit code 0"));
    assert!(!keyring.join("ada").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_keyring_that_is_not_there_is_told_before_anybody_types_a_secret() {
    let site = Site::start();
    let mut command = site.command(&["login", "--server", &site.server.base, "--keyring"]);
    command.env("PATH", site.folder.path());
    assert_snapshot!(site.told_of(command));
}
