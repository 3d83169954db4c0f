//! What is exported and imported again is the same, and what was broken off is not done twice.

use std::io::Cursor;

use tokenry_store::{
    copy::{self, CopyError, Gone, Imported, Progress, Records, Role, Start, Taken},
    suite::support::START,
};

use crate::{
    backup::Backup,
    support::{Installation, Place},
};

fn nothing() -> Progress {
    Progress::new(|_| ())
}

async fn export(place: &Place, only: &[Records]) -> String {
    let side = place.side(Role::Snapshot).await.unwrap();
    let mut lines = Vec::new();
    let start = Start::New { only, version: "1" };
    let count = copy::export(&side, start, START, &mut lines, &nothing()).await.unwrap();
    let text = String::from_utf8(lines).unwrap();
    assert_eq!(text.lines().count() as u64, count);
    text
}

async fn import_only(
    place: &Place,
    text: &str,
    only: &[Records],
) -> Result<Vec<Imported>, CopyError> {
    import_as(place, text, Taken { only, gone: Gone::Stays }).await
}

async fn import_as(
    place: &Place,
    text: &str,
    taken: Taken<'_>,
) -> Result<Vec<Imported>, CopyError> {
    let begun = copy::read_begun(Cursor::new(text), |_| ())?;
    let side = place.side(Role::Target).await?;
    copy::import(&side, taken, &begun, Cursor::new(text), &nothing()).await
}

async fn import(place: &Place, text: &str) -> Result<Vec<Imported>, CopyError> {
    import_only(place, text, &[]).await
}

/// The digests of what is exported.
async fn digests(place: &Place) -> Vec<(&'static str, u64, [u8; 32])> {
    const LEFT: [&str; 3] = ["events", "refusals", "sign_in_sessions"];
    let (_, copied) = Backup::of(place).await;
    let exported = copied.iter().filter(|it| !LEFT.contains(&it.table));
    exported.map(|copied| (copied.table, copied.rows, copied.digest)).collect()
}

/// What stops an import, with the number of its line.
#[track_caller]
fn refused(done: Result<Vec<Imported>, CopyError>) -> (u64, String) {
    match done {
        Err(CopyError::Line { line, what }) => (line, what),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn export_wipe_and_import_give_the_same_records() {
    for seed in 0..4 {
        for (first, second) in [
            (Place::sqlite(), Place::sqlite()),
            (Place::postgres(), Place::postgres()),
            (Place::sqlite(), Place::postgres()),
            (Place::postgres(), Place::sqlite()),
        ] {
            Installation::new(&first, 200 + seed).await.go_on(&first, 200).await;
            let text = export(&first, &[]).await;
            let imported = import(&second, &text).await.unwrap();
            assert!(imported.iter().all(|it| it.written > 0 && it.same == 0), "{imported:?}");
            assert_eq!(digests(&first).await, digests(&second).await, "seed {seed}");
            // The lines as well, but for the moment.
            assert_eq!(export(&second, &[]).await, text, "seed {seed}");
            let again = import(&second, &text).await.unwrap();
            assert!(again.iter().all(|it| it.written == 0 && it.same > 0), "{again:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_broken_off_is_finished_by_the_next_run() {
    let (first, second) = (Place::sqlite(), Place::postgres());
    Installation::new(&first, 41).await.go_on(&first, 150).await;
    let text = export(&first, &[]).await;
    let lines: Vec<_> = text.lines().collect();
    // Half of the records are there.
    let half = lines.len() / 2;
    let side = second.side(Role::Target).await.unwrap();
    let begun = copy::read_begun(Cursor::new(&text), |_| ()).unwrap();
    let part = lines[..half].join("\n");
    let taken = Taken { only: &[], gone: Gone::Stays };
    copy::import(&side, taken, &begun, Cursor::new(part), &nothing()).await.unwrap();
    drop(side);
    let imported = import(&second, &text).await.unwrap();
    let count = |of: fn(&Imported) -> u64| imported.iter().map(of).sum::<u64>();
    assert_eq!(count(|it| it.same), half as u64 - 1);
    assert_eq!(count(|it| it.written), (lines.len() - half) as u64 - 1);
    assert_eq!(digests(&first).await, digests(&second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_was_broken_off_goes_on_after_its_last_whole_line() {
    let place = Place::postgres();
    Installation::new(&place, 42).await.go_on(&place, 120).await;
    let text = export(&place, &[]).await;
    let header = text.find('\n').unwrap() + 1;
    for end in [header, header + 1, text.len() / 4, text.len() / 2, text.len() - 100, text.len()] {
        let begun = copy::read_begun(Cursor::new(&text[..end]), |_| ()).unwrap();
        assert_eq!(begun.is_whole, end == text.len());
        if begun.is_whole {
            continue;
        }
        let whole = usize::try_from(begun.bytes).unwrap();
        assert!(whole <= end && text[..whole].ends_with('\n'));
        let mut lines = text.as_bytes()[..whole].to_vec();
        let side = place.side(Role::Snapshot).await.unwrap();
        let start = Start::Rest(Box::new(begun));
        copy::export(&side, start, START, &mut lines, &nothing()).await.unwrap();
        let resumed = String::from_utf8(lines).unwrap();
        assert!(copy::read_begun(Cursor::new(&resumed), |_| ()).unwrap().is_whole);
        let records = |text: &str| -> Vec<String> {
            let is_record = |line: &&str| {
                !["tokenry_export", "resumed", "end"]
                    .iter()
                    .any(|kind| line.starts_with(&format!("{{\"kind\":\"{kind}\"")))
            };
            text.lines().filter(is_record).map(str::to_owned).collect()
        };
        assert_eq!(records(&resumed), records(&text), "cut at {end}");
        let other = Place::sqlite();
        import(&other, &resumed).await.unwrap();
        assert_eq!(digests(&other).await, digests(&place).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_refused_with_its_line_and_nothing_is_overwritten() {
    for place in [Place::sqlite(), Place::postgres()] {
        Installation::new(&place, 43).await.go_on(&place, 80).await;
        let text = export(&place, &[]).await;
        place.execute("UPDATE users SET name = 'somebody else' WHERE id = 2");
        let before = digests(&place).await;
        let (line, what) = refused(import(&place, &text).await);
        let expected = text.lines().position(|line| line.starts_with(r#"{"kind":"user","id":2,"#));
        assert_eq!(line, expected.unwrap() as u64 + 1);
        assert!(what.contains("user 2") && what.contains("differs"), "{what}");
        assert_eq!(digests(&place).await, before);
        let done = import_only(&place, &text, &[Records::Tokens]).await.unwrap();
        assert!(done.iter().all(|it| it.written == 0), "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_whole_export_is_refused_before_anything_is_written() {
    let place = Place::sqlite();
    Installation::new(&place, 44).await.go_on(&place, 80).await;
    let text = export(&place, &[]).await;
    let changed = text.replacen("\"role\":\"end-user\"", "\"role\":\"admin\"", 1);
    assert_ne!(changed, text);
    for wrong in [&changed, "", "{}\n", "{\"kind\":\"user\"}\n", "garbage\n"] {
        let other = Place::sqlite();
        refused(import(&other, wrong).await);
        assert!(!other.file().exists());
    }
    let cut = copy::read_begun(Cursor::new(&text[..text.len() / 2]), |_| ()).unwrap();
    assert!(!cut.is_whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_wanted_is_exported_and_what_it_refers_to_is_asked_for() {
    let (first, second) = (Place::sqlite(), Place::postgres());
    Installation::new(&first, 45).await.go_on(&first, 100).await;
    let kinds = |text: &str| -> Vec<String> {
        let of = |line: &str| line.split('"').nth(3).unwrap().to_owned();
        let mut kinds: Vec<_> = text.lines().map(of).collect();
        kinds.dedup();
        kinds
    };
    let clients = export(&first, &[Records::Clients]).await;
    assert_eq!(kinds(&clients), ["tokenry_export", "client", "end"]);
    let tokens = export(&first, &[Records::Tokens]).await;
    assert_eq!(kinds(&tokens), ["tokenry_export", "key", "token", "token_use", "end"]);
    let (line, what) = refused(import(&second, &clients).await);
    assert!(line == 2 && what.contains("refers to"), "{what}");
    for only in [Records::Users, Records::Clients, Records::ApiTokens, Records::Tokens] {
        import(&second, &export(&first, &[only]).await).await.unwrap();
    }
    assert_eq!(digests(&first).await, digests(&second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_were_given_before_an_export_are_not_given_after_its_import() {
    let (first, second) = (Place::sqlite(), Place::postgres());
    Installation::new(&first, 46).await.go_on(&first, 60).await;
    let sequence = tokenry_store::IdSequence::Tokens;
    let opened = first.open().await;
    let given = opened.store().lease_ids(sequence, 5_000).await.unwrap();
    opened.close().await;
    import(&second, &export(&first, &[]).await).await.unwrap();
    let opened = second.open().await;
    let fresh = opened.store().lease_ids(sequence, 1).await.unwrap();
    assert_eq!(*fresh.start(), given.end() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_revoked_where_it_was_is_not_revived_unless_one_says_so() {
    for place in [Place::sqlite(), Place::postgres()] {
        Installation::new(&place, 47).await.go_on(&place, 120).await;
        let text = export(&place, &[]).await;
        let before = digests(&place).await;
        for (kind, table) in [("api_token", "api_tokens"), ("token", "tokens")] {
            let first =
                text.lines().find(|line| line.starts_with(&format!("{{\"kind\":\"{kind}\",")));
            let first: serde_json::Value = serde_json::from_str(first.unwrap()).unwrap();
            let id = first["id"].as_i64().unwrap();
            place.execute(&format!("DELETE FROM {table} WHERE id = {id}"));
            let left = digests(&place).await;
            let (line, what) = refused(import(&place, &text).await);
            assert!(what.contains(&format!("{kind} {id} ")) && what.contains("--revive"), "{what}");
            let named = text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap();
            assert!(named.contains(&format!("\"id\":{id},")), "{named}");
            assert_eq!(digests(&place).await, left);
            let revive = Taken { only: &[], gone: Gone::Revives };
            let done = import_as(&place, &text, revive).await.unwrap();
            assert!(done.iter().any(|it| it.written == 1), "{done:?}");
            assert_eq!(digests(&place).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_import_brought_and_somebody_revoked_is_not_brought_again() {
    let first = Place::sqlite();
    Installation::new(&first, 48).await.go_on(&first, 150).await;
    let text = export(&first, &[]).await;
    for second in [Place::sqlite(), Place::postgres()] {
        // Broken off in the middle of the tokens.
        let lines: Vec<_> = text.lines().collect();
        let is_token = |line: &&str| line.starts_with("{\"kind\":\"token\",");
        let at = lines.iter().position(is_token).unwrap();
        let begun = copy::read_begun(Cursor::new(&text), |_| ()).unwrap();
        let side = second.side(Role::Target).await.unwrap();
        let part = lines[..at + 5].join("\n");
        let taken = Taken { only: &[], gone: Gone::Stays };
        copy::import(&side, taken, &begun, Cursor::new(part), &nothing()).await.unwrap();
        drop(side);
        let reached: serde_json::Value = serde_json::from_str(lines[at + 4]).unwrap();
        second.execute(&format!("DELETE FROM tokens WHERE id = {}", reached["id"]));
        let (line, what) = refused(import(&second, &text).await);
        assert_eq!(line, at as u64 + 5);
        assert!(what.contains("--revive"), "{what}");
        // What comes behind was never there.
        let behind: Vec<_> =
            lines[..at].iter().chain(&lines[at + 5..lines.len() - 1]).copied().collect();
        let side = second.side(Role::Target).await.unwrap();
        let behind = behind.join("\n");
        copy::import(&side, taken, &begun, Cursor::new(behind), &nothing()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_goes_on_leaves_out_what_belongs_to_whoever_came_meanwhile() {
    for place in [Place::sqlite(), Place::postgres()] {
        let mut installation = Installation::new(&place, 49).await;
        installation.go_on(&place, 80).await;
        let text = export(&place, &[]).await;
        let count = |text: &str, kind: &str| {
            text.lines().filter(|line| line.starts_with(&format!("{{\"kind\":\"{kind}\","))).count()
        };
        for kind in ["api_token", "token"] {
            let cut = text.find(&format!("{{\"kind\":\"{kind}\",")).unwrap();
            installation.go_on(&place, 80).await;
            let begun = copy::read_begun(Cursor::new(&text[..cut]), |_| ()).unwrap();
            let mut lines = text.as_bytes()[..cut].to_vec();
            let side = place.side(Role::Snapshot).await.unwrap();
            let start = Start::Rest(Box::new(begun));
            copy::export(&side, start, START, &mut lines, &nothing()).await.unwrap();
            let resumed = String::from_utf8(lines).unwrap();
            let whole = export(&place, &[]).await;
            assert!(count(&resumed, "token") < count(&whole, "token"), "cut at {kind}");
            assert!(count(&resumed, kind) > 0);
            import(&Place::sqlite(), &resumed).await.unwrap();
        }
    }
}
