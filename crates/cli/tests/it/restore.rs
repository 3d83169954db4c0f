//! `tokenry restore`, over the real binary: what was revoked since stays dead, or somebody has said
//! that it may come back.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    client::{App, Client, Tokens, id},
    home::{Home, kill_when},
};

/// An installation of which a backup was taken, and what happened since.
struct Past {
    home: Home,
    file: PathBuf,
    admin: Value,
    ben: Value,
    /// The client with its secret of then, and of now.
    then: App,
    now: App,
    revoked: Tokens,
    /// Before and after it was refreshed.
    rotated: (Tokens, Tokens),
    untouched: Tokens,
    late: String,
}

fn refresh(tokens: &Tokens) -> &str {
    tokens.refresh.as_deref().unwrap()
}

impl Past {
    fn of(home: Home) -> Self {
        let admin = home.init();
        let create = ["user", "create", "--email", "ben@acme.test", "--role", "agent"];
        let ben = home.run(&create);
        let server = home.serve();
        let client = Client::new(&server.base);
        let (then, mut pairs) = client.prepare(&admin, 3);
        let file = home.path().join("backup.db");
        home.run(&["backup", "--to", file.to_str().unwrap()]);
        let (revoked, before, untouched) =
            (pairs.pop().unwrap(), pairs.pop().unwrap(), pairs.pop().unwrap());
        client.revoke(&then, &revoked.access).unwrap().expect(200);
        let after = client.refresh(&then, refresh(&before)).unwrap().tokens();
        let now = client.change_secret(&admin, &then);
        let late = client.issue(&now).unwrap().tokens().access;
        let deleted = home.command(&["user", "delete", "ben@acme.test", "--yes"]).output();
        assert!(deleted.unwrap().status.success());
        server.stop();
        let rotated = (before, after);
        Self { home, file, admin, ben, then, now, revoked, rotated, untouched, late }
    }

    fn restore<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["restore", self.file.to_str().unwrap()], more].concat()
    }

    /// Everything is as it was then and has ended as it has since.
    fn assert_followed(&self) {
        let server = self.home.serve();
        let client = Client::new(&server.base);
        assert!(!client.is_alive(&self.revoked.access).unwrap());
        client.refresh(&self.now, refresh(&self.revoked)).unwrap().expect(400);
        let (before, after) = &self.rotated;
        assert!(!client.is_alive(&before.access).unwrap());
        assert!(client.is_alive(&after.access).unwrap());
        client.refresh(&self.then, refresh(&self.untouched)).unwrap().expect(401);
        assert!(client.is_alive(&self.untouched.access).unwrap());
        client.refresh(&self.now, refresh(&self.untouched)).unwrap().expect(200);
        assert_eq!(client.me(&self.ben).status, 401);
        client.me(&self.admin).expect(200);
        // What was issued since is in no backup.
        assert!(!client.is_alive(&self.late).unwrap());
        let fresh = client.issue(&self.now).unwrap().tokens().access;
        assert!(id(&fresh) > id(&self.late));
        server.stop();
    }
}

#[test]
fn what_was_revoked_since_stays_dead_after_a_rollback() {
    for home in [Home::sqlite(), Home::postgres()] {
        let past = Past::of(home);
        let refused = past.home.refuse(&past.restore(&[]));
        assert!(refused.contains("--replace"), "{refused}");
        let report = past.home.run(&past.restore(&["--replace"]));
        assert_eq!(report["since_then"], "follow");
        assert_eq!(report["ended"]["tokens"], 1);
        assert_eq!(report["ended"]["tokens_taken_over"], 1);
        assert_eq!(report["ended"]["clients_changed"], 1);
        assert_eq!(report["ended"]["users"], 1);
        let kept = PathBuf::from(report["replaced"].as_str().unwrap());
        assert!(kept.is_file());
        past.assert_followed();
        // And the way back.
        if past.home.store.is_none() {
            std::fs::rename(&kept, past.home.path().join("data/tokenry.db")).unwrap();
        } else {
            past.home.run(&["restore", kept.to_str().unwrap(), "--replace"]);
        }
        let server = past.home.serve();
        let client = Client::new(&server.base);
        assert_eq!(client.is_alive(&past.late).unwrap(), past.home.store.is_none());
        assert!(!client.is_alive(&past.revoked.access).unwrap());
        server.stop();
    }
}

#[test]
fn the_choice_is_demanded_when_the_database_is_gone() {
    let past = Past::of(Home::sqlite());
    for other in [Home::sqlite(), Home::postgres()] {
        let other = other.with_key_of(&past.home);
        for choice in [&[][..], &["--since-then", "follow"], &["--replace"]] {
            let refused = other.refuse(&past.restore(choice));
            assert!(refused.contains("--since-then end"), "{refused}");
            assert!(refused.contains("--since-then keep"), "{refused}");
            assert!(refused.contains("nobody knows what was revoked since"), "{refused}");
        }
        let report = other.run(&past.restore(&["--since-then", "end"]));
        assert_eq!((&report["ended"]["tokens"], &report["replaced"]), (&json!(3), &Value::Null));
        let server = other.serve();
        let client = Client::new(&server.base);
        for pair in [&past.revoked, &past.rotated.0, &past.rotated.1, &past.untouched] {
            assert!(!client.is_alive(&pair.access).unwrap());
            client.refresh(&past.then, refresh(pair)).unwrap().expect(400);
        }
        assert_eq!(client.me(&past.admin).status, 401);
        // People sign in and consent again, and programs ask again.
        let mut browser = Browser::signed_in(&client, &past.admin);
        let code = browser.consent(&client, &past.then).unwrap().unwrap();
        let fresh = client.redeem(&past.then, &code).unwrap().tokens();
        assert!(client.is_alive(&fresh.access).unwrap());
        assert!(id(&fresh.access) > id(&past.late), "an id was given twice");
        server.stop();
    }
}

#[test]
fn by_keep_everything_is_alive_again_and_no_id_is_given_twice() {
    let past = Past::of(Home::postgres());
    let other = Home::sqlite().with_key_of(&past.home);
    let done = other.command(&past.restore(&["--since-then", "keep"])).output().unwrap();
    let words = String::from_utf8_lossy(&done.stdout);
    assert!(words.contains("Whatever was revoked since works again"), "{words}");
    let log = String::from_utf8_lossy(&done.stderr);
    assert!(log.contains("a backup was restored") && log.contains("keep"), "{log}");
    let server = other.serve();
    let client = Client::new(&server.base);
    assert!(client.is_alive(&past.revoked.access).unwrap());
    client.me(&past.ben).expect(200);
    let fresh = client.issue(&past.then).unwrap().tokens().access;
    assert!(id(&fresh) > id(&past.late));
    assert!(!client.is_alive(&past.late).unwrap());
    server.stop();
}

#[test]
fn a_database_that_is_served_is_not_replaced() {
    for home in [Home::sqlite(), Home::postgres()] {
        let past = Past::of(home);
        let server = past.home.serve();
        let refused = past.home.refuse(&past.restore(&["--replace"]));
        assert!(refused.contains("serve"), "{refused}");
        assert!(Client::new(&server.base).is_alive(&past.untouched.access).unwrap());
        server.stop();
    }
}

#[test]
fn a_database_that_cannot_be_read_is_kept_and_the_choice_demanded() {
    let past = Past::of(Home::sqlite());
    let database = past.home.path().join("data/tokenry.db");
    let damaged = vec![0x5A; 40_000];
    std::fs::write(&database, &damaged).unwrap();
    let refused = past.home.refuse(&past.restore(&["--replace"]));
    assert!(refused.contains("cannot be read") && refused.contains("since-then"), "{refused}");
    assert_eq!(std::fs::read(&database).unwrap(), damaged);
    let report = past.home.run(&past.restore(&["--replace", "--since-then", "end"]));
    let kept = report["replaced"].as_str().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), damaged);
    past.home.serve().stop();
}

#[test]
fn a_backup_of_another_server_key_and_what_is_no_backup_are_refused() {
    let (past, other) = (Past::of(Home::sqlite()), Home::sqlite());
    other.init();
    let foreign = other.refuse(&past.restore(&["--replace", "--since-then", "keep"]));
    assert!(foreign.contains("does not open this store"), "{foreign}");
    other.serve().stop();
    let database = past.home.path().join("data/tokenry.db");
    let refused = other.refuse(&["restore", database.to_str().unwrap(), "--replace"]);
    assert!(refused.contains("no backup"), "{refused}");
    let missing = other.refuse(&["restore", "/nowhere/backup.db"]);
    assert!(missing.contains("there is no such file"), "{missing}");
    // A byte that the disk has lost.
    let mut bytes = std::fs::read(&past.file).unwrap();
    let middle = bytes.len() / 8_192 * 4_096;
    bytes[middle..middle + 4_096].fill(0x5A);
    std::fs::write(&past.file, bytes).unwrap();
    past.home.refuse(&past.restore(&["--replace"]));
    let server = past.home.serve();
    assert!(Client::new(&server.base).is_alive(&past.late).unwrap(), "nothing was touched");
    server.stop();
}

#[test]
fn a_restore_that_is_killed_goes_on_when_it_is_run_again() {
    let past = Past::of(Home::postgres());
    let folder = past.home.path().join("data");
    past.home.fill(60_000);
    let full = past.home.path().join("full.db");
    past.home.run(&["backup", "--to", full.to_str().unwrap()]);
    // Most of it has to be written again, and one of it was revoked.
    past.home.execute("UPDATE tokens SET granted = 'write' WHERE id > 1000000 AND id <= 1050000");
    past.home.execute("DELETE FROM tokens WHERE id = 1060000");
    let arguments = ["restore", full.to_str().unwrap(), "--replace", "--since-then", "keep"];
    let schema = past.home.schema().to_owned();
    let server = tokenry_postgres_testing::shared();
    kill_when(past.home.command(&arguments), || {
        let is_begun = format!("SELECT to_regclass('{schema}.copied_tables') IS NOT NULL");
        let done = format!("SELECT count(*) FROM {schema}.tokens WHERE granted = 'read'");
        server.query(&is_begun) == "t" && server.query(&done).parse::<u64>().unwrap() > 15_000
    });
    let refused = past.home.refused_to_serve();
    assert!(refused.contains("has not finished"), "{refused}");
    let kept = |end: &str| {
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let is_of = |name: &str| name.split_once(end).is_some_and(|(_, rest)| !rest.contains('-'));
        names.filter(|name| is_of(&name.to_string_lossy())).count()
    };
    assert_eq!((kept(".restoring"), kept(".replaced-")), (1, 1));
    let report = past.home.run(&["restore", full.to_str().unwrap(), "--replace"]);
    assert_eq!(report["since_then"], Value::Null, "the run before has settled it");
    assert_eq!((kept(".restoring"), kept(".replaced-")), (0, 1));
    let count = format!("SELECT count(*) FROM {schema}.tokens WHERE id > 1000000");
    assert_eq!(server.query(&count), "60000");
    past.home.serve().stop();
}
