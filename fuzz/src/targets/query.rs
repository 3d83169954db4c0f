//! `api::query` and `api::pagination`: queries of lists.

use tokenry_protocol::{
    api::{
        pagination::{
            AFTER, BEFORE, CursorPosition, PAGE, PAGE_MAX, PER_PAGE, PageParameters, SIZE, SIZE_MAX,
        },
        query::{IdFilter, Query},
    },
    ids::{ClientId, TokenId},
};

const NAMES: [&str; 5] = [PAGE, PER_PAGE, SIZE, AFTER, BEFORE];

pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    let query = Query::parse(Some(text));
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    for name in NAMES.into_iter().chain(["client_id", "all"]) {
        let mut sent = pairs.iter().filter(|pair| pair.0 == name).map(|pair| &*pair.1);
        match (query.find(name), sent.next(), sent.next()) {
            (Ok(found), expected, None) => assert_eq!(found, expected),
            (Err(_), Some(_), Some(_)) => {}
            (read, ..) => panic!("{name} was read as {read:?}"),
        }
    }
    if let (Ok(all), Ok(Some(sent))) = (query.switch("all"), query.find("all")) {
        let known = if all { ["true", "1"] } else { ["false", "0"] };
        assert!(known.contains(&&*sent.to_ascii_lowercase()));
    }
    if let Ok(IdFilter::Only(id)) = query.id::<ClientId>("client_id") {
        let sent = query.find("client_id").unwrap().unwrap().trim_start_matches('0');
        assert_eq!(TokenId::parse(sent).map(TokenId::get), Ok(id.get()));
    }
    let kept: Vec<&str> = query.without(&[]).collect();
    let pieces: Vec<&str> = text.split('&').filter(|piece| !piece.is_empty()).collect();
    assert_eq!(kept, pieces);
    check_page(&query);
}

/// What is asked for is within bounds, and a link that asks for the same is read the same.
fn check_page(query: &Query<'_>) {
    let Ok(asked) = PageParameters::parse(query) else { return };
    let mut link: Vec<String> = query.without(&NAMES).map(str::to_owned).collect();
    match &asked {
        PageParameters::Offset { page, per_page } => {
            assert!((1..=PAGE_MAX).contains(page) && (1..=SIZE_MAX).contains(per_page));
            link.push(format!("{PAGE}={page}&{PER_PAGE}={per_page}"));
        }
        PageParameters::Cursor { size, position } => {
            assert!((1..=SIZE_MAX).contains(size));
            link.push(format!("{SIZE}={size}"));
            let mut encoded = form_urlencoded::Serializer::new(String::new());
            match position {
                CursorPosition::Start => {}
                CursorPosition::After(cursor) => _ = encoded.append_pair(AFTER, cursor),
                CursorPosition::Before(cursor) => _ = encoded.append_pair(BEFORE, cursor),
            }
            link.push(encoded.finish());
        }
    }
    let link = link.join("&");
    assert_eq!(PageParameters::parse(&Query::parse(Some(&link))), Ok(asked));
}
