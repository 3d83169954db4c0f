//! `api::pagination::Binding`: a cursor opens where it was made for, and nothing else opens.

use tokenry_core::credentials::Key;
use tokenry_protocol::ids::UserId;
use tokenry_server::api::pagination::{Binding, List};

const LISTS: [List; 4] = [List::Tokens, List::Clients, List::OwnClients, List::GlobalClients];

/// The first 8 bytes are a position, the next two change one byte of its cursor, and the rest is
/// read as a cursor of somebody else's making.
pub(super) fn run(data: &[u8]) {
    let Some((position, rest)) = data.split_first_chunk::<8>() else { return };
    let Some(([at, change], rest)) = rest.split_first_chunk::<2>() else { return };
    let position = u64::from_be_bytes(*position);
    let keys = [Key::new([1; 32]), Key::new([2; 32])];
    let bindings = bindings();
    let (list, binding) = bindings[usize::from(*at) % bindings.len()];
    let cursor = binding.cursor(position, &keys[usize::from(change & 1)]);
    assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{cursor}");
    for (other_list, other) in bindings {
        let expected = (other_list == list).then_some(position);
        assert_eq!(other.position(&cursor, &keys), expected);
    }
    assert_eq!(binding.position(&cursor, &[]), None);

    let mut changed = cursor.clone().into_bytes();
    let at = usize::from(*at) % changed.len();
    changed[at] ^= change;
    if let Ok(changed) = String::from_utf8(changed) {
        let expected = (changed == cursor).then_some(position);
        assert_eq!(binding.position(&changed, &keys), expected, "{changed}");
    }
    if let Some(text) = super::text(rest)
        && let Some(position) = binding.position(text, &keys)
    {
        assert!(keys.iter().any(|key| binding.cursor(position, key) == text));
    }
}

/// Bindings that differ by one thing each, and what tells them apart.
fn bindings() -> [(usize, Binding<'static>); 7] {
    let caller = |id| UserId::new(id).unwrap();
    let binding = |list, id, filters| Binding { list, caller: caller(id), filters };
    [
        (0, binding(LISTS[0], 29, &[0, 0])),
        (1, binding(LISTS[1], 29, &[0, 0])),
        (2, binding(LISTS[2], 29, &[0, 0])),
        (3, binding(LISTS[3], 29, &[0, 0])),
        (4, binding(LISTS[0], 30, &[0, 0])),
        (5, binding(LISTS[0], 29, &[1, 0])),
        (6, binding(LISTS[0], 29, &[0, 1])),
    ]
}
