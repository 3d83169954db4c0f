//! Pages, as a browser sees them.

mod assets;
mod connections;
mod home;
mod notice;
mod sign_in;
mod sign_out;

use crate::support::Answer;

/// What a reader sees of a page: its text, without markup.
fn words(page: &Answer) -> String {
    let pieces = page.text().split('<');
    let texts = pieces.filter_map(|piece| piece.split_once('>').map(|(_, text)| text));
    let text: String = texts.collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
