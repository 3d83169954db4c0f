//! What a table amounts to: how many rows, and the SHA-256 of all of them in their order.

use sha2::{Digest as _, Sha256};

use super::{
    Result, Side,
    merge::Rows,
    progress::Meter,
    tables::{Row, Table, Value},
};
/// Rows, and their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) rows: u64,
    pub(super) digest: [u8; 32],
}

/// Reads a whole table.
pub(super) async fn of(side: Side, table: &'static Table, meter: Option<Meter>) -> Result<Amount> {
    let mut rows = Rows::of(&side, table);
    let mut digest = Sha256::new();
    let (mut count, mut encoded) = (0, Vec::new());
    while let Some(row) = rows.next().await? {
        encoded.clear();
        encode(&row, &mut encoded);
        digest.update(&encoded);
        count += 1;
        if let Some(meter) = &meter {
            meter.count();
        }
    }
    Ok(Amount { rows: count, digest: digest.finalize().into() })
}

/// Every value by its kind and its length, so that no two rows are written the same.
fn encode(row: &Row, into: &mut Vec<u8>) {
    let mut sized = |kind: u8, bytes: &[u8]| {
        into.push(kind);
        into.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        into.extend_from_slice(bytes);
    };
    for value in &row.0 {
        match value {
            Value::Null => sized(0, &[]),
            Value::Integer(number) => sized(1, &number.to_be_bytes()),
            Value::Text(text) => sized(2, text.as_bytes()),
            Value::Bytes(bytes) => sized(3, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Value, encode};

    fn encoded(values: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&Row(values.to_vec()), &mut bytes);
        bytes
    }

    #[test]
    fn rows_that_differ_are_never_written_the_same() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            vec![Value::Null, Value::Null],
            vec![Value::Null],
            vec![Value::Integer(0)],
            vec![text("")],
            vec![Value::Bytes(Vec::new())],
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![Value::Bytes(b"ab".to_vec()), text("c")],
        ];
        for (at, row) in rows.iter().enumerate() {
            for other in &rows[at + 1..] {
                assert_ne!(encoded(row), encoded(other), "{row:?} {other:?}");
            }
        }
    }
}
