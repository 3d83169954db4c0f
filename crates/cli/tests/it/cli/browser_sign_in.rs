//! `tokenry login --browser`: from the address that is printed to tokens that renew themselves.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use insta::assert_snapshot;
use serde_json::Value;

use super::{site::Site, terminal::Terminal};
use crate::{browser::Browser, client::Client};

/// `tokenry login` that waits for its user to come back.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Where it sends its user.
    address: url::Url,
}

impl Waiting {
    fn start(mut command: Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = stderr.by_ref().lines().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            url::Url::parse(line.trim()).ok().filter(|url| url.scheme() == "http")
        });
        Self { child, stderr, address: address.unwrap_or_else(|| panic!("no address in {said}")) }
    }

    /// Ada decides, and comes back.
    fn come_back(mut self, site: &Site, decision: &str) -> Output {
        let client = Client::new(&site.server.base);
        let mut browser = Browser::signed_in(&client, &site.ada);
        let path = format!("{}?{}", self.address.path(), self.address.query().unwrap());
        let answer = browser.decide(&client, &path, decision).unwrap().expect(303);
        let back = url::Url::parse(&answer.location.unwrap()).unwrap();
        let here = Client::new(&format!("http://127.0.0.1:{}", back.port().unwrap()));
        here.fetch(&format!("{}?{}", back.path(), back.query().unwrap()));
        let mut output = self.child.wait_with_output().unwrap();
        self.stderr.read_to_end(&mut output.stderr).unwrap();
        output
    }
}

fn login<'a>(site: &'a Site, options: &[&'a str]) -> Command {
    let login = ["login", "--server", &site.server.base, "--profile", "web", "--no-browser"];
    site.command(&[&login, options].concat())
}

/// Ada is signed in by the profile `web`.
fn signed_in() -> Site {
    let site = Site::signed_in();
    let output = Waiting::start(login(&site, &["--yes"])).come_back(&site, "allow");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    site
}

/// The tokens that are kept, from the file itself.
fn kept(site: &Site, name: &str) -> String {
    let text = fs::read_to_string(site.profiles()).unwrap();
    let (_, tokens) = text.split_once("[credentials.web.tokens]").unwrap();
    let line = tokens.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
    line.unwrap().trim_matches('"').to_owned()
}

/// As if it had died: another client would have been given the token that is kept now.
fn spoil_access_token(site: &Site) {
    let text = fs::read_to_string(site.profiles()).unwrap();
    let access = kept(site, "access_token");
    let dead = format!("{}x", &access[..access.len() - 1]);
    fs::write(site.profiles(), text.replace(&access, &dead)).unwrap();
}

#[test]
fn a_client_that_is_not_known_is_explained_and_registered_by_an_administrator_who_says_yes() {
    let site = Site::start();
    let by_nobody = site.told_of(login(&site, &[]));
    assert!(site.sign_in(&site.ada, &[]).status.success());
    let unconfirmed = site.told_of(login(&site, &[]));
    assert_snapshot!([by_nobody, unconfirmed].join("\n\n"));
    let waiting = Waiting::start(login(&site, &["--yes"]));
    let registered = site.json(&["client", "show", "tokenry-cli", "--json"]);
    assert_eq!(registered["kind"], "public");
    assert_eq!(registered["redirect_uri"], serde_json::json!(["http://127.0.0.1/callback"]));
    let output = waiting.come_back(&site, "allow");
    assert_snapshot!("signed_in", site.told_output("login --browser …", output));
}

#[test]
fn at_a_terminal_the_client_is_registered_only_after_a_yes() {
    let site = Site::signed_in();
    let login = ["login", "--server", &site.server.base, "--profile", "web"];
    let mut terminal = Terminal::start(&site.command(&login), 100);
    terminal.wait_for("How do you sign in: (1) with a browser, or (2) with an API token? ");
    terminal.enter("1\n");
    terminal.wait_for("Register it, as ada@acme.test? [y/N] ");
    terminal.enter("n\n");
    let (shown, status) = terminal.end();
    assert_eq!(status.code(), Some(1), "{shown}");
    assert_eq!(site.code(&["client", "show", "tokenry-cli"]), Some(3));
}

#[test]
fn the_tokens_of_a_browser_act_as_its_user_and_are_seen_by_nobody() {
    let site = signed_in();
    let me = site.json(&["whoami", "--json"]);
    let told = (&me["sign_in"], &me["email"], &me["scopes"]);
    let expected =
        (&"browser".into(), &"ada@acme.test".into(), &serde_json::json!(["read", "write"]));
    assert_eq!(told, expected);
    assert_eq!(site.code(&["client", "create", "--identifier", "by_browser"]), Some(0));
    let mode = fs::metadata(site.profiles()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let shown = site.told(&["profile", "show", "web", "--json"]);
    assert!(shown.contains(r#""client_id":"tokenry-cli""#), "{shown}");
    assert!(!shown.contains("[credential]"), "{shown}");
}

#[test]
fn an_access_token_that_has_died_is_renewed_and_the_new_ones_are_kept() {
    let site = signed_in();
    let before = kept(&site, "refresh_token");
    spoil_access_token(&site);
    assert_eq!(site.json(&["whoami", "--json"])["email"], "ada@acme.test");
    let after = kept(&site, "refresh_token");
    assert_ne!(before, after);
    spoil_access_token(&site);
    assert_eq!(site.code(&["whoami"]), Some(0));
    assert_ne!(after, kept(&site, "refresh_token"));
}

#[test]
fn commands_that_run_at_once_renew_once_and_lose_nothing() {
    let site = signed_in();
    spoil_access_token(&site);
    let ends: Vec<Option<i32>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| site.code(&["whoami"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(ends, [Some(0); 8]);
    spoil_access_token(&site);
    assert_eq!(site.code(&["whoami"]), Some(0));
}

#[test]
fn signing_out_revokes_what_the_browser_got() {
    let site = signed_in();
    let access = kept(&site, "access_token");
    let client = Client::new(&site.server.base);
    assert_eq!(client.is_alive(&access), Some(true));
    assert_snapshot!(site.told(&["logout"]));
    assert_eq!(client.is_alive(&access), Some(false));
    assert_eq!(site.code(&["profile", "show", "web"]), Some(3));
}

#[test]
fn a_token_that_cannot_be_revoked_is_not_forgotten_unless_one_says_so() {
    let mut site = signed_in();
    site.server.kill();
    let told = site.told(&["logout"]);
    assert!(told.contains("the token cannot be revoked, and nothing was forgotten"), "{told}");
    assert!(told.ends_with("── exit code 5"), "{told}");
    assert_eq!(site.code(&["profile", "show", "web"]), Some(0));
    assert_eq!(site.code(&["logout", "--no-revoke"]), Some(0));
    assert_eq!(site.code(&["profile", "show", "web"]), Some(3));
}

/// A sign-in by browser that names no profile.
fn login_anywhere(site: &Site) -> Command {
    site.command(&["login", "--server", &site.server.base, "--no-browser", "--yes"])
}

#[test]
fn a_sign_in_of_another_kind_or_another_user_takes_a_new_profile() {
    let site = Site::signed_in();
    let names = || {
        let listed = site.command(&["profile", "list", "-q"]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = names();
    let api_token = site.ada["api_token"].as_str().unwrap();
    let output = Waiting::start(login_anywhere(&site)).come_back(&site, "allow");
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    let second = format!("{}-2", first[0]);
    assert!(told.contains(&format!("Profile {second} is in use.")), "{told}");
    let said = String::from_utf8(output.stderr).unwrap();
    let stays = format!("The profile {} stays as it is: ada@acme.test, by API token.", first[0]);
    assert!(said.contains(&stays), "{said}");
    assert!(fs::read_to_string(site.profiles()).unwrap().contains(api_token));
    let ben = site.create_user("ben@acme.test");
    assert!(site.sign_in(&ben, &[]).status.success());
    let third = format!("{}-3", first[0]);
    assert_eq!(names(), [first[0].clone(), second, third]);
    // Whoever signs in again as before takes the place of before.
    assert!(site.sign_in(&site.ada, &[]).status.success());
    assert!(site.sign_in(&ben, &[]).status.success());
    assert_eq!(names().len(), 3);
    assert_eq!(site.json(&["whoami", "--json"])["email"], "ben@acme.test");
}

#[test]
fn tokens_of_a_browser_that_are_replaced_are_revoked() {
    let site = signed_in();
    let client = Client::new(&site.server.base);
    let first = kept(&site, "access_token");
    assert!(Waiting::start(login(&site, &[])).come_back(&site, "allow").status.success());
    let second = kept(&site, "access_token");
    assert_eq!((client.is_alive(&first), client.is_alive(&second)), (Some(false), Some(true)));
    assert_eq!(site.json(&["whoami", "--json"])["sign_in"], "browser");
    assert!(site.sign_in(&site.ada, &["--profile", "web"]).status.success());
    assert_eq!(client.is_alive(&second), Some(false));
}

#[cfg(target_os = "linux")]
#[test]
fn tokens_that_cannot_be_read_are_not_forgotten_as_if_they_were_revoked() {
    let site = signed_in();
    let tool = site.folder.path().join("secret-tool");
    fs::write(&tool, "#!/bin/sh\n[ \"$1\" = clear ] || { echo 'it is locked' >&2; exit 1; }\n")
        .unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(site.profiles()).unwrap();
    let in_keyring = text.replace("sign_in = \"browser\"", "sign_in = \"browser\"\nkeyring = true");
    assert_ne!(text, in_keyring);
    fs::write(site.profiles(), in_keyring).unwrap();
    let path = format!("{}:{}", site.folder.path().display(), std::env::var("PATH").unwrap());
    let logout = |options: &[&str]| {
        let mut command = site.command(&[&["logout", "--profile", "web"], options].concat());
        command.env("PATH", &path);
        site.told_of(command)
    };
    let told = logout(&[]);
    assert!(told.contains("cannot be revoked, and nothing was forgotten: the keyring"), "{told}");
    assert!(told.contains("it is locked") && told.contains("--no-revoke"), "{told}");
    assert!(told.ends_with("── exit code 1"), "{told}");
    assert_eq!(site.code(&["profile", "show", "web"]), Some(0));
    let told = logout(&["--no-revoke"]);
    assert!(told.ends_with("── exit code 0"), "{told}");
    assert_eq!(site.code(&["profile", "show", "web"]), Some(3));
}

#[test]
fn a_grant_that_was_revoked_elsewhere_says_to_sign_in_again() {
    let site = signed_in();
    let me: Value = site.json(&["whoami", "--json"]);
    assert_eq!(me["sign_in"], "browser");
    let client = Client::new(&site.server.base);
    let id = crate::client::id(&kept(&site, "access_token"));
    let path = format!("/api/v2/oauth/tokens/{id}");
    client.change(&site.ada, ("DELETE", &path), &serde_json::json!({})).unwrap().expect(204);
    let told = site.told(&["whoami"]);
    assert!(told.contains("  hint: sign in again: tokenry login\n"), "{told}");
    assert!(told.ends_with("── exit code 4"), "{told}");
}

#[test]
fn a_user_who_says_no_is_not_signed_in() {
    let site = signed_in();
    assert_eq!(site.code(&["logout", "--profile", "web"]), Some(0));
    let output = Waiting::start(login(&site, &[])).come_back(&site, "deny");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(site.code(&["profile", "show", "web"]), Some(3));
}

#[test]
fn the_browser_is_opened_at_the_address_unless_one_says_not_to() {
    let site = signed_in();
    let folder = site.folder.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let opened = site.folder.path().join("opened");
    for name in ["xdg-open", "open"] {
        // Whole or not at all: somebody waits for it.
        let script =
            format!("#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n", opened.display());
        fs::write(folder.join(name), script).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = login(&site, &[]);
    let waiting = Waiting::start({
        command.env("PATH", &path);
        command
    });
    assert!(waiting.come_back(&site, "allow").status.success());
    assert!(!opened.exists());
    let mut command = site.command(&["login", "--server", &site.server.base, "--browser"]);
    command.env("PATH", &path);
    let waiting = Waiting::start(command);
    let address = waiting.address.to_string();
    assert!(waiting.come_back(&site, "allow").status.success());
    let began = std::time::Instant::now();
    while !opened.exists() && began.elapsed().as_secs() < 20 {
        std::thread::yield_now();
    }
    assert_eq!(fs::read_to_string(opened).unwrap(), address);
}
