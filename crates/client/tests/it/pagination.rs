//! Lists of more than a thousand records, walked in every way there is.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, future};
use tokenry_client::{
    BoxFuture, Client, Error, RefusalKind, Response, RetryPolicy, Transport, TransportError,
    blocking,
    models::{OAuthTokenObject, Pagination},
};
use tokio::sync::Semaphore;

use crate::support::{Fault, Relay, TestServer};

const RECORDS: usize = 1_001;

/// A server with tokens, and the ids of these.
async fn filled() -> (TestServer, Vec<u64>) {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let client = server.client();
    let creations = (0..RECORDS).map(|_| client.oauth_tokens().create(client_id).send());
    let mut creations: Vec<_> = creations.collect();
    let mut made = Vec::new();
    while !creations.is_empty() {
        // A few side by side, so that they share commits.
        let some = creations.split_off(creations.len().saturating_sub(50));
        made.extend(future::try_join_all(some).await.unwrap());
    }
    let mut made: Vec<_> = made.into_iter().map(|answer| id(&answer.token.unwrap())).collect();
    made.sort_unstable();
    (server, made)
}

fn id(token: &OAuthTokenObject) -> u64 {
    token.id.unwrap().get()
}

#[tokio::test]
async fn every_record_is_met_once_and_in_order_in_every_form() {
    let (server, made) = filled().await;
    let client = server.client();
    let list = || client.oauth_tokens().list().all(true);

    let walked: Vec<_> = list().stream().try_collect().await.unwrap();
    assert_eq!(walked.iter().map(id).collect::<Vec<_>>(), made, "a stream");

    let (mut pages, mut walked, mut sizes) = (list().pages(), Vec::new(), Vec::new());
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.tokens.len());
        walked.extend(page.tokens.iter().map(id));
    }
    assert_eq!((walked, sizes.len()), (made.clone(), 11), "page by page");
    assert_eq!((sizes[0], sizes[10]), (100, 1));
    assert!(pages.next().await.unwrap().is_none(), "the end stays the end");

    let mut call = Some(list().page_size(64));
    let mut walked = Vec::new();
    while let Some(this) = call {
        let page = this.clone().await.unwrap();
        walked.extend(page.tokens.iter().map(id));
        call = this.next(&page).unwrap();
    }
    assert_eq!(walked, made, "by next()");

    let walked: Vec<_> = list().page(1, 90).stream().try_collect().await.unwrap();
    assert_eq!(walked.iter().map(id).collect::<Vec<_>>(), made, "by number");
    let page = list().page(12, 90).await.unwrap();
    assert_eq!(page.tokens.len(), 11);
    let Some(Pagination::Offset { count, next_page: None, previous_page: Some(_) }) =
        page.pagination
    else {
        panic!("{:?}", page.pagination)
    };
    assert_eq!(count, 1_001);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_client_walks_as_well() {
    let (server, made) = filled().await;
    let builder = server.builder();
    let walk = std::thread::spawn(move || {
        let client = blocking::Client::new(builder).unwrap();
        let list = || client.oauth_tokens().list().all(true);
        let items: Vec<_> = list().items().map(|token| id(&token.unwrap())).collect();
        let pages: Vec<_> = list().page_size(77).pages().map(|page| page.unwrap().tokens).collect();
        (items, pages)
    });
    let (items, pages) = tokio::task::spawn_blocking(|| walk.join().unwrap()).await.unwrap();
    assert_eq!(items, made);
    assert_eq!(pages.len(), 13);
    assert_eq!(pages.iter().flatten().map(id).collect::<Vec<_>>(), made);
    server.stop().await;
}

#[tokio::test]
async fn a_walk_goes_back_and_forth_by_cursor() {
    let (server, made) = filled().await;
    let client = server.client();
    let list = || client.oauth_tokens().list().all(true).page_size(10);
    let cursors = |page: &Option<Pagination>| match page {
        Some(Pagination::Cursor { meta, .. }) => {
            (meta.before_cursor.clone(), meta.after_cursor.clone())
        }
        other => panic!("{other:?}"),
    };
    let first = list().await.unwrap();
    let (_, after) = cursors(&first.pagination);
    let second = list().after(after.unwrap()).await.unwrap();
    assert_eq!(second.tokens.iter().map(id).collect::<Vec<_>>(), made[10..20]);
    let (before, _) = cursors(&second.pagination);
    let back = list().before(before.unwrap()).await.unwrap();
    assert_eq!(back.tokens, first.tokens);
    let (before, _) = cursors(&second.pagination);
    let walked: Vec<_> =
        list().before(before.unwrap()).page_size(100).stream().try_collect().await.unwrap();
    assert_eq!(walked.iter().map(id).collect::<Vec<_>>(), made, "forward from there");
    server.stop().await;
}

#[tokio::test]
async fn records_that_end_during_a_walk_make_it_miss_and_repeat_nothing() {
    let (server, made) = filled().await;
    let client = server.client();
    let mut pages = client.oauth_tokens().list().all(true).page_size(100).pages();
    let mut walked: Vec<_> = pages.next().await.unwrap().unwrap().tokens.iter().map(id).collect();
    // The one at which the next page begins, some before it, and one far ahead.
    let ended = [made[3], made[99], made[100], made[700]];
    for id in ended {
        client.oauth_tokens().revoke(id).await.unwrap();
    }
    while let Some(page) = pages.next().await.unwrap() {
        walked.extend(page.tokens.iter().map(id));
    }
    let gone = [made[100], made[700]];
    let expected: Vec<_> = made.into_iter().filter(|id| !gone.contains(id)).collect();
    assert_eq!(walked, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_page_that_was_not_read_is_asked_for_again() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let direct = server.client();
    for _ in 0..3 {
        direct.oauth_tokens().create(client_id).await.unwrap();
    }
    let relay = Relay::before(&server.base).await;
    let builder = server.builder().server(&relay.base).retry(RetryPolicy::never());
    let client = builder.build().unwrap();
    let mut pages = client.oauth_tokens().list().all(true).page_size(2).pages();
    let held = Arc::new(Semaphore::new(0));
    relay.next([Fault::Hold(held), Fault::Answer(503, "")]);
    tokio::select! {
        _ = pages.next() => unreachable!("nobody lets it through"),
        () = relay.seen(1) => {}
    }
    let away = pages.next().await.unwrap_err();
    assert_eq!(away.kind(), Some(RefusalKind::Unavailable));
    let mut walked = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        walked.push(page.tokens.len());
    }
    assert_eq!(walked, [2, 1]);
    server.stop().await;
}

/// A list whose one page names itself as the next.
struct Circle;

impl Transport for Circle {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        let body = r#"{"tokens":[{"id":1}],"meta":{"has_more":true,"after_cursor":"a",
            "before_cursor":"a"},"links":{"next":null,"prev":null}}"#;
        Box::pin(std::future::ready(Ok(Response::new(body.into()))))
    }
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_given_before_the_error() {
    let builder = || Client::builder().subdomain("acme").transport(Circle);
    let client = builder().build().unwrap();
    let mut pages = client.oauth_tokens().list().after("a").pages();
    assert_eq!(pages.next().await.unwrap().unwrap().tokens.len(), 1);
    assert!(matches!(pages.next().await, Err(Error::Endless)));
    assert!(pages.next().await.unwrap().is_none());
    let walked = std::thread::spawn(move || {
        let client = blocking::Client::new(builder()).unwrap();
        client.oauth_tokens().list().after("a").items().collect::<Vec<_>>()
    });
    let walked = walked.join().unwrap();
    assert!(matches!(&*walked, [Ok(_), Err(Error::Endless)]), "{walked:?}");
}

#[tokio::test]
async fn a_walk_ends_at_an_error() {
    let server = TestServer::start().await;
    let client = server.client();
    let list = || client.oauth_tokens().list().all(true);
    let refused = list().after("tampered").await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::BadRequest));
    let refusal = refused.refusal().unwrap();
    assert_eq!(refusal.code(), Some("InvalidPaginationParameter"));
    let mut pages = list().before("tampered").pages();
    assert!(pages.next().await.is_err());
    assert!(pages.next().await.is_err(), "it is no end of the list");
    let walked: Vec<_> = list().before("tampered").stream().collect().await;
    assert_eq!(walked.len(), 1);
    for call in [list().page_size(0), list().page_size(101), list().page(101, 100)] {
        let refused = call.await.unwrap_err();
        assert_eq!(refused.kind(), Some(RefusalKind::BadRequest), "{refused}");
    }
    server.stop().await;
}
