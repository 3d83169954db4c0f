//! `listen::framing`: the same verdict however the bytes are cut, and no head with both framings
//! that the HTTP parser would take gets past it.

use tokenry_server::listen::framing::{Framing, FramingWatch};

/// The first byte says how large the pieces are.
pub(super) fn run(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else { return };
    let whole = watched([bytes]);
    assert_eq!(watched(bytes.chunks(usize::from(*size).max(1))), whole);
    assert_eq!(watched(bytes.chunks(1)), whole);
    if has_both(bytes) {
        assert_eq!(whole, Framing::Ambiguous, "framed twice, and passed on");
    }
    if whole == Framing::Ambiguous {
        let text = bytes.to_ascii_lowercase();
        let names = |name: &[u8]| text.windows(name.len()).any(|window| window == name);
        assert!(names(b"transfer-encoding") && names(b"content-length"));
    }
}

fn watched<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Framing {
    let mut watch = FramingWatch::default();
    let mut seen = Framing::Plain;
    for piece in pieces {
        if watch.watch(piece) == Framing::Ambiguous {
            seen = Framing::Ambiguous;
        }
    }
    seen
}

/// What the parser behind the watch makes of the first head.
fn has_both(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let is_whole = request.parse(bytes).is_ok_and(|status| status.is_complete());
    let has =
        |name: &str| request.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    is_whole && has("transfer-encoding") && has("content-length")
}
