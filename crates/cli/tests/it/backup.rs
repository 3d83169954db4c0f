//! `tokenry backup`, over the real binary: it is whole, or it is not there.

use std::{
    os::unix::fs::PermissionsExt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    client::{Client, id},
    durability::workers::Stop,
    home::{Home, kill_when},
};

/// How many tokens are acknowledged before the backup, and after it.
const TOKENS: usize = 60;
const WORKERS: usize = 3;

#[test]
fn a_backup_under_load_has_every_token_that_was_acknowledged_before_it() {
    for home in [Home::sqlite(), Home::postgres()] {
        let admin = home.init();
        let server = home.serve();
        let (app, _) = Client::new(&server.base).prepare(&admin, 0);
        let file = home.path().join("backup.db");
        let (issued, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let is_taken = AtomicBool::new(false);
        let count = || issued.lock().unwrap().len();
        let wait_for = |more: usize| {
            let until = count() + more;
            while count() < until {
                thread::yield_now();
            }
        };
        let before = thread::scope(|scope| {
            let _stop = Stop(&is_over);
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    let client = Client::new(&server.base);
                    while !is_over.load(Ordering::SeqCst) {
                        let is_late = is_taken.load(Ordering::SeqCst);
                        let access = client.issue(&app).unwrap().tokens().access;
                        issued.lock().unwrap().push((access, is_late));
                    }
                });
            }
            wait_for(TOKENS);
            let before = count();
            let report = home.run(&["backup", "--to", file.to_str().unwrap()]);
            let after = count();
            is_taken.store(true, Ordering::SeqCst);
            wait_for(TOKENS);
            let tokens = report["tables"].as_array().unwrap();
            let tokens = tokens.iter().find(|table| table["table"] == "tokens").unwrap();
            let rows = usize::try_from(tokens["rows"].as_u64().unwrap()).unwrap();
            assert!(rows >= before && rows <= after + WORKERS, "{before} {rows} {after}");
            before
        });
        server.stop();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let issued = issued.into_inner().unwrap();
        let other = Home::sqlite().with_key_of(&home);
        other.run(&["restore", file.to_str().unwrap(), "--since-then", "keep"]);
        let server = other.serve();
        let client = Client::new(&server.base);
        for (access, _) in &issued[..before] {
            assert!(client.is_alive(access).unwrap(), "a token is not in the backup");
        }
        // Whatever was asked for after it is not in it, and its ids are never given again.
        let late: Vec<_> = issued.iter().filter(|(_, is_late)| *is_late).collect();
        assert!(late.len() >= TOKENS - WORKERS, "{} tokens after the backup", late.len());
        for (access, _) in late {
            assert!(!client.is_alive(access).unwrap());
        }
        let last = issued.iter().map(|(access, _)| id(access)).max().unwrap();
        assert!(id(&client.issue(&app).unwrap().tokens().access) > last);
        server.stop();
    }
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name_and_the_next_run_nothing_beside_it() {
    let home = Home::postgres();
    let admin = home.init();
    let server = home.serve();
    Client::new(&server.base).prepare(&admin, 0);
    home.fill(100_000);
    let folder = home.path().join("backups");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("backup.db");
    let arguments = ["backup", "--to", file.to_str().unwrap()];
    let size = || {
        let names = ["backup.db.unfinished", "backup.db.unfinished-wal"];
        let sizes = names.map(|name| folder.join(name).metadata().map_or(0, |file| file.len()));
        sizes.iter().sum::<u64>()
    };
    for least in [1, 1_000_000, 4_000_000] {
        kill_when(home.command(&arguments), || size() > least);
        assert!(!file.exists());
    }
    home.run(&arguments);
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(names, [file]);
    server.stop();
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_force() {
    let home = Home::sqlite();
    let file = home.path().join("backup.db");
    let arguments = ["backup", "--to", file.to_str().unwrap()];
    let missing = home.refuse(&arguments);
    assert!(missing.contains("there is no installation in"), "{missing}");
    assert!(!home.path().join("data").exists());
    home.init();
    home.run(&arguments);
    let first = std::fs::read(&file).unwrap();
    let refused = home.refuse(&arguments);
    assert!(refused.contains("there already") && refused.contains("--force"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), first);
    home.run(&["backup", "--to", file.to_str().unwrap(), "--force"]);
    assert_ne!(std::fs::read(&file).unwrap(), first, "it says when it was taken");
}

#[test]
fn it_is_said_what_else_must_be_kept() {
    let home = Home::sqlite();
    home.init();
    let told = |name: &str| {
        let file = home.path().join(name);
        let done = home.command(&["backup", "--to", file.to_str().unwrap()]).output().unwrap();
        assert!(done.status.success());
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let key = home.path().join("data/server.key");
    let words = told("one.db");
    assert!(words.contains(&format!("it is in {}", key.display())), "{words}");
    std::fs::rename(&key, home.path().join("elsewhere")).unwrap();
    let words = told("two.db");
    assert!(words.contains("not here either"), "{words}");
}
