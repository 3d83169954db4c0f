//! What is exported and imported again is the same, and what was broken off is not done twice.

use std::io::Cursor;

use tokenry_store::{
    copy::{self, CopyError, Imported, Progress, Records, Role, Start},
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
    let begun = copy::read_begun(Cursor::new(text), |_| ())?;
    let side = place.side(Role::Target).await?;
    copy::import(&side, only, &begun, Cursor::new(text), &nothing()).await
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
    copy::import(&side, &[], &begun, Cursor::new(part), &nothing()).await.unwrap();
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
