//! `secret::Credential`: accepted exactly when a second reader of the published form accepts it.

use tokenry_protocol::secret::{
    Credential, LENGTH, PUBLIC_LENGTH, Parts, examination::Examination,
};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = LENGTH - 6;
const ID_MAX: u64 = (1 << 53) - 1;

pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    check(text);
    // The checksum hides from blind changes what lies behind it: the same text with a right one.
    if let Some(body) = text.get(..BODY) {
        check(&format!("{body}{}", checksum(body.as_bytes())));
    }
}

fn check(text: &str) {
    let read = Credential::parse(text);
    let expected = second_reading(text);
    assert_eq!(read.is_ok(), expected.is_some(), "{text:?}");
    let examined = Examination::of(text);
    assert_eq!(matches!(examined, Examination::Whole { .. }), read.is_ok(), "{examined:?}");
    if let Examination::Damaged { faults, .. } = examined {
        assert!(!faults.is_empty(), "{text:?}");
    }
    let (Ok(read), Some((id, packed))) = (read, expected) else { return };
    let Parts { kind, id: read_id, rotation, key_number, secret, tag } = *read.parts();
    assert_eq!(kind.letter(), text.as_bytes()[0]);
    assert_eq!(read_id, id);
    let head = [&rotation.to_be_bytes()[1..], &[key_number]].concat();
    assert_eq!([&head[..], &secret, &tag].concat(), packed);
    assert_eq!(read.reveal(), text);
    assert_eq!(Credential::assemble(*read.parts()).reveal(), text);
    assert_eq!(read.public_part(), text[..PUBLIC_LENGTH]);
    assert_eq!(format!("{read:?}"), format!("{}…", &text[..PUBLIC_LENGTH]));
}

/// Schoolbook arithmetic, one digit after the other.
fn second_reading(text: &str) -> Option<(u64, Vec<u8>)> {
    let bytes = text.as_bytes();
    let is_form = bytes.len() == LENGTH
        && b"abcdprs".contains(&bytes[0])
        && &bytes[PUBLIC_LENGTH..19] == b"_tokenry_"
        && text.is_char_boundary(BODY)
        && text[BODY..] == checksum(&bytes[..BODY]);
    if !is_form {
        return None;
    }
    let id = number(&bytes[1..PUBLIC_LENGTH], 8)?;
    let id = u64::from_be_bytes(id.try_into().ok()?);
    let packed = number(&bytes[19..BODY], 29)?;
    (1..=ID_MAX).contains(&id).then_some((id, packed))
}

/// Base 62 as `length` big-endian bytes; `None` when it holds another character or more bits.
fn number(digits: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut value = vec![0_u8; length];
    for digit in digits {
        let mut carry = DIGITS.iter().position(|known| known == digit)?;
        for byte in value.iter_mut().rev() {
            carry += usize::from(*byte) * 62;
            *byte = u8::try_from(carry & 0xFF).ok()?;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(value)
}

/// CRC-32 (IEEE 802.3), bit by bit, as six digits.
fn checksum(body: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = usize::try_from(!crc).unwrap_or_default();
    let mut digits = [b'0'; 6];
    for slot in digits.iter_mut().rev() {
        *slot = DIGITS[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}
