//! What the journal promises its readers.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use serde_json::json;
use tokenry_protocol::{ids::ID_MAX, oauth::token::GrantType};

use super::*;
use crate::faults::{Fault, Struck};

fn journal(capacity: usize) -> Journal {
    Journal::new(NonZeroUsize::new(capacity).unwrap())
}

fn call(path: &str, status: u16) -> Call<'_> {
    let call = Call::new(Timestamp::from_seconds(1_772_445_600), "GET", path);
    Call { decided: Some(status), sent: Some(status), ..call }
}

fn numbers(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.number).collect()
}

#[test]
fn an_entry_is_written_with_these_members() {
    let struck = [Struck { rule: Some(1), fault: Fault::LoseAnswer }];
    let form = b"grant_type=refresh_token&refresh_token=abc&client_id=acme_reports";
    let entry = journal(1).push(&Call {
        route: Some("/oauth/tokens"),
        grant_type: Some(GrantType::RefreshToken),
        method: "POST",
        sent: None,
        user_id: Some(UserId::new(29).unwrap()),
        client_id: Some(ClientId::new(41).unwrap()),
        record_id: Some(2_001),
        credential: Some("r0000000G9"),
        struck: &struck,
        took: std::time::Duration::from_micros(312),
        request: Body { content_type: Some("application/x-www-form-urlencoded"), bytes: form },
        answer: Body { content_type: None, bytes: br#"{"access_token":"abc","expires_in":1800}"# },
        ..call("/oauth/tokens", 201)
    });
    assert_eq!(
        serde_json::to_value(&*entry).unwrap(),
        json!({
            "number": 1,
            "at": "2026-03-02T10:00:00Z",
            "method": "POST",
            "path": "/oauth/tokens",
            "route": "/oauth/tokens",
            "status": null,
            "outcome": "refreshed token 2001; the answer was lost",
            "user_id": 29,
            "client_id": 41,
            "record_id": 2_001,
            "credential": "r0000000G9",
            "faults": ["lose-answer"],
            "micros": 312,
            "request":
                {"grant_type": "refresh_token", "refresh_token": "…", "client_id": "acme_reports"},
            "answer": {"access_token": "…", "expires_in": 1800},
        })
    );
}

#[test]
fn the_oldest_make_room_and_are_counted() {
    let journal = journal(3);
    for _ in 0..5 {
        journal.push(&call("/x", 200));
    }
    let page = journal.since(0, &Filter::default());
    assert_eq!((numbers(&page), page.last, page.dropped), (vec![3, 4, 5], 5, 2));
}

#[test]
fn a_reader_gets_what_is_behind_its_number_and_where_to_read_on() {
    let journal = journal(8);
    for _ in 0..5 {
        journal.push(&call("/x", 200));
    }
    for (since, expected) in [(0, vec![1, 2, 3, 4, 5]), (3, vec![4, 5]), (5, vec![]), (9, vec![])] {
        let page = journal.since(since, &Filter::default());
        assert_eq!((numbers(&page), page.last), (expected, 5));
    }
}

#[test]
fn filters_look_at_path_status_and_faults() {
    let journal = journal(8);
    let struck = [Struck { rule: None, fault: Fault::CutAnswer }];
    journal.push(&call("/oauth/tokens", 201));
    journal.push(&call("/oauth/tokens", 400));
    journal.push(&call("/api/v2/users/me", 404));
    journal.push(&Call { struck: &struck, ..call("/api/v2/users/me", 200) });
    journal.push(&Call { sent: None, ..call("/api/v2/users/me", 200) });
    for (query, expected) in [
        ("", vec![1, 2, 3, 4, 5]),
        ("path=/oauth", vec![1, 2]),
        ("status=4xx", vec![2, 3]),
        ("status=404", vec![3]),
        ("status=none", vec![5]),
        ("faults=true", vec![4]),
        ("path=/api&status=200", vec![4]),
        ("since=2&status=4xx", vec![3]),
    ] {
        let query_read = Query::parse(query).unwrap();
        let page = journal.since(query_read.since, &query_read.filter);
        assert_eq!((numbers(&page), page.last), (expected, 5), "{query}");
    }
}

#[test]
fn after_clearing_numbers_go_on() {
    let journal = journal(2);
    for _ in 0..3 {
        journal.push(&call("/x", 200));
    }
    assert_eq!(journal.clear(), 3);
    let page = journal.since(0, &Filter::default());
    assert_eq!((numbers(&page), page.last, page.dropped, page.cleared), (vec![], 3, 0, 3));
    assert_eq!(journal.push(&call("/x", 200)).number, 4);
}

#[test]
fn whoever_waits_gets_the_next_entry_that_its_filter_lets_through() {
    let journal = journal(8);
    journal.push(&call("/x", 200));
    let filter = Filter { path: Some("/y".to_owned()), ..Filter::default() };
    let mut waiting = pin!(journal.wait(0, &filter, None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    journal.push(&call("/x", 200));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    journal.push(&call("/y", 200));
    let Poll::Ready(page) = waiting.as_mut().poll(&mut context) else { panic!("not told") };
    assert_eq!(numbers(&page), [3]);
}

#[test]
fn whoever_waits_and_shows_earlier_entries_is_told_when_they_are_forgotten() {
    let journal = journal(8);
    journal.push(&call("/x", 200));
    let filter = Filter::default();
    let mut shows_them = pin!(journal.wait(1, &filter, Some(0)));
    let mut asks_for_news = pin!(journal.wait(1, &filter, None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(shows_them.as_mut().poll(&mut context).is_pending());
    assert!(asks_for_news.as_mut().poll(&mut context).is_pending());
    journal.clear();
    let Poll::Ready(page) = shows_them.as_mut().poll(&mut context) else { panic!("not told") };
    assert_eq!((numbers(&page), page.cleared), (vec![], 1));
    assert!(asks_for_news.as_mut().poll(&mut context).is_pending());
    assert!(pin!(journal.wait(1, &filter, Some(1))).poll(&mut context).is_pending(), "it knows");
}

#[test]
fn whoever_waits_for_what_is_there_gets_it_at_once() {
    let journal = journal(8);
    journal.push(&call("/x", 200));
    let filter = Filter::default();
    let mut waiting = pin!(journal.wait(0, &filter, None));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_is_missed_between_a_look_and_a_wait() {
    const CALLS: u64 = 2_000;
    let journal = Arc::new(journal(usize::try_from(CALLS).unwrap()));
    let writer = tokio::spawn({
        let journal = Arc::clone(&journal);
        async move {
            for _ in 0..CALLS {
                journal.push(&call("/x", 200));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut seen = 0;
    while seen < CALLS {
        let filter = Filter::default();
        let news = journal.wait(seen, &filter, None);
        let page = tokio::time::timeout(WAIT_MAX, news).await.expect("an entry was missed");
        assert_eq!(page.entries.first().map(|entry| entry.number), Some(seen + 1));
        seen = page.last;
    }
    writer.await.unwrap();
    assert_eq!(seen, CALLS);
}

#[test]
fn of_what_was_presented_the_public_part_is_kept_and_of_anything_else_nothing() {
    use tokenry_protocol::secret::{Kind, Parts};
    let parts = Parts {
        kind: Kind::AccessToken,
        id: ID_MAX,
        rotation: 0,
        key_number: 0,
        secret: [7; 16],
        tag: [9; 9],
    };
    let credential = Credential::assemble(parts);
    let public = credential.public_part();
    for (presented, expected) in [
        (credential.reveal(), &*public),
        (&*public, &*public),
        ("ada@acme.test:hunter2", "…"),
        ("eyJhbGciOiJub25lIn0.e30.", "…"),
    ] {
        let call = Call { credential: Some(presented), ..call("/x", 200) };
        assert_eq!(journal(1).push(&call).credential.as_deref(), Some(expected));
    }
}

#[test]
fn a_reason_that_holds_a_secret_loses_it() {
    let reason = Some("password=hunter2");
    let entry = journal(1).push(&Call { reason, ..call("/x", 400) });
    assert!(!entry.outcome.contains("hunter2"), "{}", entry.outcome);
}

#[test]
fn a_reader_is_told_up_to_which_entry_the_journal_was_cleared() {
    let journal = journal(8);
    let cleared = |since| journal.since(since, &Filter::default()).cleared;
    journal.clear();
    assert_eq!(cleared(0), 0, "there was nothing to forget");
    for _ in 0..3 {
        journal.push(&call("/x", 200));
    }
    journal.clear();
    journal.push(&call("/x", 200));
    assert_eq!([0, 2, 3, 4].map(cleared), [3; 4], "whatever is asked for");
    journal.clear();
    assert_eq!(cleared(0), 4);
}

#[test]
fn the_page_has_every_member_of_an_answer_and_an_entry_and_every_parameter() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/journal.md");
    let page = std::fs::read_to_string(page).unwrap();
    let journal = journal(1);
    let entry = serde_json::to_value(&*journal.push(&call("/x", 200))).unwrap();
    let answer = serde_json::to_value(journal.since(0, &Filter::default())).unwrap();
    let members = [&entry, &answer].into_iter().flat_map(|it| it.as_object().unwrap().keys());
    let members = members.map(String::as_str);
    for name in members.chain(query::NAMES) {
        assert!(page.contains(&format!("\n| `{name}` |")), "docs/journal.md lacks {name}");
    }
}
