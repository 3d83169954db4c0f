//! `tokenry store copy`, over the real binary: what one database has issued the other one serves.

use std::process::{Command, Output};

use serde_json::Value;

use crate::{
    browser::Browser,
    client::{App, Client, Tokens, id},
    home::{Home, failure, kill_when},
    process::tokenry,
};

/// `tokenry store copy` with these arguments, without a setting of the surroundings.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenry"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOKENRY_") {
            command.env_remove(name);
        }
    }
    command.args(["store", "copy"]).args(arguments);
    command
}

fn run(from: &str, to: &str) -> Output {
    command(&["--from", from, "--to", to, "--json"]).output().unwrap()
}

/// How many rows of each table there are, and were changed.
fn copy(from: &Home, to: &Home) -> Vec<(String, u64, u64)> {
    let output = run(&from.address(), &to.address());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // It is looked for beside a file.
    let has_key = from.store.is_none() && from.path().join("data/server.key").exists();
    assert_eq!(report["server_key"].is_string(), has_key, "{report}");
    let tables = report["tables"].as_array().unwrap().iter().map(|table| {
        assert_eq!(table["sha256"].as_str().unwrap().len(), 64);
        let number = |name: &str| table[name].as_u64().unwrap();
        (table["table"].as_str().unwrap().to_owned(), number("rows"), number("changed"))
    });
    tables.collect()
}

fn changed(copied: &[(String, u64, u64)]) -> u64 {
    copied.iter().map(|(_, _, changed)| changed).sum()
}

/// Somebody who has been given all that a server gives.
struct Holder {
    admin: Value,
    user: Value,
    app: App,
    browser: Browser,
    code: String,
    /// Not refreshed yet, and refreshed several times.
    pairs: Vec<Tokens>,
    /// The refresh token whose answer may have been lost, and that answer.
    lost: (String, Tokens),
    ended: Tokens,
    issued: String,
}

impl Holder {
    fn of(home: &Home) -> Self {
        let admin = home.init();
        let create = ["user", "create", "--email", "ben@acme.test", "--role", "agent", "--json"];
        let made = tokenry(home.path(), &create).envs(home.settings()).output().unwrap();
        let user = serde_json::from_slice(&made.stdout).unwrap();
        let server = home.serve();
        let client = Client::new(&server.base);
        let (app, mut pairs) = client.prepare(&admin, 4);
        for (rotations, pair) in pairs.iter_mut().enumerate() {
            for _ in 0..rotations {
                *pair = client.refresh(&app, refresh(pair)).unwrap().tokens();
            }
        }
        let ended = pairs.pop().unwrap();
        client.revoke(&app, &ended.access).unwrap().expect(200);
        let issued = client.issue(&app).unwrap().tokens().access;
        assert!(client.is_alive(&issued).unwrap());
        let mut browser = Browser::signed_in(&client, &user);
        let code = browser.consent(&client, &app).unwrap().unwrap();
        let redeemed = client.redeem(&app, &browser.consent(&client, &app).unwrap().unwrap());
        let first = redeemed.unwrap().tokens();
        let answer = client.refresh(&app, refresh(&first)).unwrap().tokens();
        let lost = (refresh(&first).to_owned(), answer);
        server.stop();
        Self { admin, user, app, browser, code, pairs, lost, ended, issued }
    }

    /// Asks a server for everything that another one has given.
    fn assert_served(&self, client: &Client) -> Vec<Tokens> {
        let Self { admin, user, app, pairs, .. } = self;
        // First, while its window is open: the same pair comes again.
        let again = client.refresh(app, &self.lost.0).unwrap().tokens();
        assert_eq!(again, self.lost.1);
        assert!(!client.is_alive(&self.ended.access).unwrap());
        client.refresh(app, refresh(&self.ended)).unwrap().expect(400);
        assert!(client.is_alive(&self.issued).unwrap());
        for person in [admin, user] {
            client.me(person).expect(200);
        }
        let mut browser = self.browser.clone();
        let fresh = browser.consent(client, app).unwrap().unwrap();
        let codes = [self.code.clone(), fresh];
        let mut held = codes.map(|code| client.redeem(app, &code).unwrap().tokens()).to_vec();
        for pair in pairs {
            assert!(client.is_alive(&pair.access).unwrap());
            held.push(client.refresh(app, refresh(pair)).unwrap().tokens());
            assert!(!client.is_alive(&pair.access).unwrap());
        }
        assert!(held.iter().all(|pair| client.is_alive(&pair.access).unwrap()));
        held
    }
}

fn refresh(tokens: &Tokens) -> &str {
    tokens.refresh.as_deref().unwrap()
}

/// There and, into an empty folder, back again.
#[test]
fn all_that_was_issued_stays_valid_in_a_copy() {
    let first = Home::sqlite();
    let holder = Holder::of(&first);
    let second = Home::postgres().with_key_of(&first);
    assert!(changed(&copy(&first, &second)) > 15);
    assert_eq!(changed(&copy(&first, &second)), 0);
    let third = Home::sqlite().with_key_of(&first);
    copy(&second, &third);
    // Neither copy knows of what the other one is asked.
    for home in [&second, &third] {
        let server = home.serve();
        let client = Client::new(&server.base);
        let held = holder.assert_served(&client);
        assert_new_ids_are_free(&holder, &client, &held);
        server.stop();
    }
}

fn assert_new_ids_are_free(holder: &Holder, client: &Client, held: &[Tokens]) {
    let known: Vec<_> = holder.pairs.iter().map(|pair| id(&pair.access)).collect();
    let issued = id(&client.issue(&holder.app).unwrap().tokens().access);
    assert!(!known.contains(&issued) && issued != id(&holder.issued));
    let listed = client.list(&holder.admin);
    for pair in held {
        assert!(listed.contains(&id(&pair.access)));
    }
    assert!(listed.contains(&issued) && listed.contains(&id(&holder.issued)));
    assert!(!listed.contains(&id(&holder.ended.access)));
}

#[test]
fn a_copy_follows_a_source_that_was_served_again() {
    let first = Home::sqlite();
    let holder = Holder::of(&first);
    let second = Home::postgres().with_key_of(&first);
    copy(&first, &second);
    let server = first.serve();
    let client = Client::new(&server.base);
    let held = holder.assert_served(&client);
    client.revoke(&holder.app, &held[0].access).unwrap().expect(200);
    server.stop();
    assert!(changed(&copy(&first, &second)) > 3);
    let server = second.serve();
    let client = Client::new(&server.base);
    assert!(!client.is_alive(&held[0].access).unwrap());
    for pair in &held[1..] {
        assert!(client.is_alive(&pair.access).unwrap());
        client.refresh(&holder.app, refresh(pair)).unwrap().expect(200);
    }
    server.stop();
    // It is an installation of its own from now on.
    let refused = failure(&run(&first.address(), &second.address()));
    assert!(refused.contains("was changed after it was copied"), "{refused}");
}

/// How many tokens a copy has before it that is killed; each 4,096 of them are a transaction.
const MANY: u64 = 100_000;
/// How often it is killed, further on each time. The last time half of it is still to do, so that
/// it does not come to its end before somebody on a busy machine sees how far it is.
const KILLS: u64 = 5;
/// What a file grows by, at least, in the time between two kills: two transactions of it.
const GROWTH: u64 = 700_000;

#[test]
fn a_copy_that_is_killed_goes_on_when_it_is_run_again() {
    let first = Home::postgres();
    let admin = first.init();
    let server = first.serve();
    let client = Client::new(&server.base);
    let (app, pairs) = client.prepare(&admin, 3);
    server.stop();
    first.fill(MANY);
    for second in [Home::postgres(), Home::sqlite()] {
        let second = second.with_key_of(&first);
        for kill in 1..=KILLS {
            let before = second.size();
            let copying = command(&["--from", &first.address(), "--to", &second.address()]);
            kill_when(copying, || match second.store {
                Some(_) => second.size() >= MANY / (2 * KILLS) * kill,
                None => second.size() >= before + GROWTH,
            });
            let refused = second.refused_to_serve();
            assert!(refused.contains("has not finished"), "{refused}");
        }
        let copied = copy(&first, &second);
        let (_, rows, changed) = copied.iter().find(|(table, ..)| table == "tokens").unwrap();
        assert!(*rows >= MANY && changed < rows, "{copied:?}");
        let server = second.serve();
        let client = Client::new(&server.base);
        for pair in &pairs {
            assert!(client.is_alive(&pair.access).unwrap());
            client.refresh(&app, refresh(pair)).unwrap().expect(200);
        }
        server.stop();
    }
}

#[test]
fn a_database_that_is_served_is_neither_copied_nor_written() {
    let (first, second) = (Home::sqlite(), Home::postgres());
    let (third, other, empty) = (Home::postgres(), Home::sqlite(), Home::sqlite());
    for home in [&first, &second, &other] {
        home.init();
    }
    let (file, shared) = (first.serve(), second.serve());
    for (from, to) in [(&first, &third), (&other, &first)] {
        let refused = failure(&run(&from.address(), &to.address()));
        assert!(refused.contains("serves") && refused.contains("stop it first"), "{refused}");
    }
    file.stop();
    for (from, to, side) in [(&second, &empty, "source"), (&other, &second, "target")] {
        let refused = failure(&run(&from.address(), &to.address()));
        assert!(refused.contains(&format!("the {side} is served")), "{refused}");
    }
    shared.stop();
    let refused = failure(&run(&first.address(), &second.address()));
    assert!(refused.contains("holds an installation of its own"), "{refused}");
    copy(&first, &third);
    copy(&second, &empty);
}

#[test]
fn the_key_of_the_source_is_asked_for_and_told_of() {
    let (first, second) = (Home::sqlite(), Home::postgres());
    first.init();
    let (from, to) = (first.address(), second.address());
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let told = |key: Option<&str>| {
        let mut command = command(&["--from", &from, "--to", &to]);
        command.envs(key.map(|key| ("TOKENRY_SERVER_KEY", key))).output().unwrap()
    };
    let refused = failure(&told(Some(wrong)));
    assert!(refused.contains("does not open this store"), "{refused}");
    let done = told(None);
    let words = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(words.contains("needs the one in") && words.contains("server.key"), "{words}");
    assert!(words.contains("the same on both sides"), "{words}");
    // A copy is not served without it, nor with another one.
    assert!(second.refused_to_serve().contains("its server key is not here"));
    let key = first.path().join("data/server.key");
    std::fs::rename(&key, first.path().join("elsewhere")).unwrap();
    let done = told(None);
    let words = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && words.contains("it is not here"), "{words}");
}

#[test]
fn an_address_can_come_from_the_environment_and_its_password_is_shown_nowhere() {
    let first = Home::sqlite();
    first.init();
    let url = "postgres://ada:hunter2@127.0.0.1:1/tokenry?sslmode=disable";
    let mut by_variable = command(&["--from", &first.address(), "--to", "env:WHERE_TO"]);
    let refused = failure(&by_variable.env("WHERE_TO", url).output().unwrap());
    assert!(refused.contains("127.0.0.1:1") && !refused.contains("hunter2"), "{refused}");
    let mut missing = command(&["--from", &first.address(), "--to", "env:WHERE_TO"]);
    let refused = failure(&missing.env_remove("WHERE_TO").output().unwrap());
    assert!(refused.contains("--to") && refused.contains("env:WHERE_TO"), "{refused}");
    for to in ["hunter2", "mysql://ada:hunter2@db/x", "postgres://ada:hunter2@:x/y", "sqlite:"] {
        let refused = failure(&run(&first.address(), to));
        assert!(refused.contains("--to") && !refused.contains("hunter2"), "{refused}");
    }
    for from in [&format!("sqlite:{}/nothing", first.path().display()), "sqlite:/nowhere/x.db"] {
        let refused = failure(&run(from, &Home::sqlite().address()));
        assert!(refused.contains("there is no installation in"), "{refused}");
    }
    let same = failure(&run(&first.address(), &first.address()));
    assert!(same.contains("the same database"), "{same}");
    assert!(!first.path().join("nothing").exists());
}
