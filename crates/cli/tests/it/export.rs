//! `tokenry export` and `import`, over the real binary.

use std::{fs, os::unix::fs::PermissionsExt, process::Output};

use crate::{
    client::{Client, id},
    home::{Home, failure, kill_when},
};

fn written(report: &serde_json::Value) -> u64 {
    let records = report["records"].as_array().unwrap();
    records.iter().map(|records| records["written"].as_u64().unwrap()).sum()
}

#[test]
fn what_was_issued_works_where_it_is_imported() {
    for (first, second) in [(Home::sqlite(), Home::postgres()), (Home::postgres(), Home::sqlite())]
    {
        let admin = first.init();
        let server = first.serve();
        let client = Client::new(&server.base);
        let (app, pairs) = client.prepare(&admin, 3);
        let issued = client.issue(&app).unwrap().tokens().access;
        let file = first.path().join("tokenry.jsonl");
        let name = file.to_str().unwrap();
        // Beside a server.
        let report = first.run(&["export", "--to", name]);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(report["lines"].as_u64().unwrap(), text.lines().count() as u64);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        for secret in [&issued, &app.secret, &pairs[0].access, pairs[0].refresh.as_ref().unwrap()] {
            assert!(!text.contains(secret.as_str()));
        }
        server.stop();
        let second = second.with_key_of(&first);
        let report = second.run(&["import", name]);
        assert_eq!(written(&report), text.lines().count() as u64 - 2);
        assert!(report["server_key"].is_string());
        assert_eq!(written(&second.run(&["import", name])), 0);
        let server = second.serve();
        let client = Client::new(&server.base);
        client.me(&admin).expect(200);
        assert!(client.is_alive(&issued).unwrap());
        for pair in &pairs {
            assert!(client.is_alive(&pair.access).unwrap());
            client.refresh(&app, pair.refresh.as_deref().unwrap()).unwrap().expect(200);
        }
        let listed = client.list(&admin);
        assert!(listed.contains(&id(&issued)) && listed.contains(&id(&pairs[0].access)));
        let fresh = id(&client.issue(&app).unwrap().tokens().access);
        assert!(fresh > id(&issued), "an id was given twice");
        let refused = second.refuse(&["import", name]);
        assert!(refused.contains("serve"), "{refused}");
        server.stop();
    }
}

#[test]
fn an_export_and_an_import_that_are_killed_go_on_when_they_are_run_again() {
    let first = Home::postgres();
    let admin = first.init();
    let server = first.serve();
    let (_, pairs) = Client::new(&server.base).prepare(&admin, 2);
    server.stop();
    first.fill(60_000);
    let file = first.path().join("tokenry.jsonl");
    let name = file.to_str().unwrap();
    let size = || file.metadata().map_or(0, |file| file.len());
    kill_when(first.command(&["export", "--to", name]), || size() > 1_000_000);
    let refused = first.refuse(&["export", "--to", name]);
    assert!(refused.contains("there already") && refused.contains("--resume"), "{refused}");
    let second = Home::postgres().with_key_of(&first);
    let refused = second.refuse(&["import", name]);
    assert!(refused.contains("broken off"), "{refused}");
    for least in [3_000_000, 6_000_000] {
        kill_when(first.command(&["export", "--to", name, "--resume"]), || size() > least);
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    first.run(&["export", "--to", name, "--resume"]);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = first.command(&["export", "--to", name, "--resume"]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stdout).contains("is whole"));
    for part in [10_000, 30_000] {
        kill_when(second.command(&["import", name]), || second.size() > part);
    }
    let report = second.run(&["import", name]);
    let done = written(&report);
    assert!(done > 0 && done < 60_000, "{report}");
    assert!(second.size() >= 60_000);
    let server = second.serve();
    let client = Client::new(&server.base);
    assert!(pairs.iter().all(|pair| client.is_alive(&pair.access).unwrap()));
    server.stop();
}

#[test]
fn clients_alone_go_to_standard_output() {
    let home = Home::sqlite();
    let admin = home.init();
    let server = home.serve();
    let app = Client::new(&server.base).register(&admin);
    let export = ["export", "--to", "-", "--only", "clients"];
    let Output { stdout, status, .. } = home.command(&export).output().unwrap();
    assert!(status.success());
    let lines = String::from_utf8(stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tokenry_export", "client", "end"]);
    assert_eq!(
        (&lines[1]["id"], &lines[1]["identifier"]),
        (&app.id.into(), &app.identifier.into())
    );
    let refused = failure(&home.command(&["export", "--to", "-", "--resume"]).output().unwrap());
    assert!(refused.contains("needs a file"), "{refused}");
    server.stop();
}

#[test]
fn what_differs_is_refused_by_its_line() {
    let (first, second) = (Home::sqlite(), Home::sqlite());
    first.init();
    second.init();
    let file = first.path().join("tokenry.jsonl");
    let name = file.to_str().unwrap();
    first.run(&["export", "--to", name]);
    let refused = second.refuse(&["import", name]);
    assert!(refused.contains("line 2") && refused.contains("differs"), "{refused}");
    assert!(refused.contains("empty one") || refused.contains("empty database"), "{refused}");
    second.serve().stop();
}

#[test]
fn a_token_that_was_revoked_after_an_export_is_imported_only_with_revive() {
    let home = Home::sqlite();
    let admin = home.init();
    let server = home.serve();
    let client = Client::new(&server.base);
    let (app, pairs) = client.prepare(&admin, 1);
    let file = home.path().join("tokenry.jsonl");
    let name = file.to_str().unwrap();
    home.run(&["export", "--to", name, "--only", "tokens"]);
    client.revoke(&app, &pairs[0].access).unwrap().expect(200);
    server.stop();
    let refused = home.refuse(&["import", name]);
    assert!(refused.contains("revoked") && refused.contains("--revive"), "{refused}");
    let server = home.serve();
    assert!(!Client::new(&server.base).is_alive(&pairs[0].access).unwrap());
    server.stop();
    home.run(&["import", name, "--revive"]);
    let server = home.serve();
    assert!(Client::new(&server.base).is_alive(&pairs[0].access).unwrap());
    server.stop();
}
