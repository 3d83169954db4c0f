//! Rows as lines of JSON: what people and programs read, and the same row again.
//!
//! A line is an object with the `kind` of its record and the columns of its table by their names.
//! What is not set is not there, hashes and what is sealed are hexadecimal, times are RFC 3339.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};
use tokenry_protocol::time::Timestamp;

use super::tables::{Column, Kind, Row, TABLES, Table, Value};

/// The first member of every line.
pub(super) const KIND: &str = "kind";

/// Tables that are exported, in their order, and what a row of them is called.
const EXPORTED: [(&str, &str); 6] = [
    ("keys", "key"),
    ("users", "user"),
    ("clients", "client"),
    ("api_tokens", "api_token"),
    ("tokens", "token"),
    ("token_uses", "token_use"),
];

/// What to export or import; nothing said is everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Users.
    Users,
    /// Clients.
    Clients,
    /// Tokens with their last uses, and the keys without which they are taken for forgeries.
    Tokens,
    /// API tokens, and those keys.
    ApiTokens,
}

/// The tables of what is wanted, and their kinds.
pub(super) fn tables(only: &[Records]) -> Vec<(&'static Table, &'static str)> {
    let is_wanted = |kind: &str| {
        let is_of = |records: &Records| match records {
            Records::Users => kind == "user",
            Records::Clients => kind == "client",
            Records::Tokens => ["key", "token", "token_use"].contains(&kind),
            Records::ApiTokens => ["key", "api_token"].contains(&kind),
        };
        only.is_empty() || only.iter().any(is_of)
    };
    let named = |name: &str| TABLES.iter().find(|table| table.name == name);
    let wanted = EXPORTED.iter().filter(|(_, kind)| is_wanted(kind));
    wanted.filter_map(|(name, kind)| Some((named(name)?, *kind))).collect()
}

/// The table of which a row is called so.
pub(super) fn table_of(kind: &str) -> Option<&'static Table> {
    let (name, _) = EXPORTED.iter().find(|(_, known)| *known == kind)?;
    TABLES.iter().find(|table| table.name == *name)
}

/// A row as an object.
pub(super) fn write(table: &Table, kind: &str, row: &Row) -> String {
    let mut line = Map::new();
    line.insert(KIND.to_owned(), kind.into());
    for (column, value) in table.columns.iter().zip(&row.0) {
        let written = match value {
            Value::Null => continue,
            Value::Integer(number) if column.kind == Kind::Boolean => (*number != 0).into(),
            Value::Integer(number) if is_time(column) => write_time(*number),
            Value::Integer(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Bytes(bytes) => hex(bytes).into(),
        };
        line.insert(column.name.to_owned(), written);
    }
    Json::Object(line).to_string()
}

/// The row of an object; otherwise which member is wrong.
pub(super) fn read(table: &Table, line: &Map<String, Json>) -> Result<Row, String> {
    let is_known =
        |name: &str| name == KIND || table.columns.iter().any(|column| column.name == name);
    if let Some(unknown) = line.keys().find(|name| !is_known(name)) {
        return Err(format!("{unknown} is no member of it"));
    }
    let values = table.columns.iter().map(|column| match line.get(column.name) {
        None => Ok(Value::Null),
        Some(written) => read_value(column, written)
            .ok_or_else(|| format!("{} cannot be {written}", column.name)),
    });
    let row = Row(values.collect::<Result<_, _>>()?);
    if row.key(table).contains(&Value::Null) {
        return Err("its key is missing".to_owned());
    }
    Ok(row)
}

fn read_value(column: &Column, written: &Json) -> Option<Value> {
    match (column.kind, written) {
        (Kind::Boolean, Json::Bool(is_so)) => Some(Value::Integer((*is_so).into())),
        (Kind::Integer, Json::String(text)) if is_time(column) => {
            Some(Value::Integer(Timestamp::parse(text)?.as_millis()))
        }
        (Kind::Integer, Json::Number(number)) => number.as_i64().map(Value::Integer),
        (Kind::Text, Json::String(text)) => Some(Value::Text(text.clone())),
        (Kind::Bytes, Json::String(text)) => unhex(text).map(Value::Bytes),
        _ => None,
    }
}

/// By its name, as everywhere here.
fn is_time(column: &Column) -> bool {
    column.name.ends_with("_at") || column.name == "last_used"
}

/// With its milliseconds. What no calendar has stays a number.
fn write_time(millis: i64) -> Json {
    let written = Timestamp::from_millis(millis).written();
    let seconds = std::str::from_utf8(&written).unwrap_or_default().trim_end_matches('Z');
    let text = format!("{seconds}.{:03}Z", millis.rem_euclid(1_000));
    let is_same = Timestamp::parse(&text).is_some_and(|time| time.as_millis() == millis);
    if is_same { text.into() } else { millis.into() }
}

/// Bytes as people compare them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(kind: &str, row: &Row) -> Result<Row, String> {
        let table = table_of(kind).unwrap();
        let line = write(table, kind, row);
        let Json::Object(object) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
        read(table, &object)
    }

    #[test]
    fn a_row_comes_back_from_its_line_as_it_was() {
        for time in [0, -1, 1_790_000_000_123, i64::MAX, i64::MIN] {
            let row = Row(vec![
                Value::Text("token".to_owned()),
                Value::Integer(1),
                Value::Bytes(vec![0, 255, 16]),
                Value::Integer(time),
            ]);
            assert_eq!(round_trip("key", &row).unwrap(), row);
        }
        let unset = Row(vec![
            Value::Text("\0\u{1A}\n\"∅".to_owned()),
            Value::Integer(i64::MAX),
            Value::Null,
            Value::Integer(5),
        ]);
        assert_eq!(round_trip("key", &unset).unwrap(), unset);
    }

    #[test]
    fn a_line_is_what_people_can_read() {
        let row = Row(vec![
            Value::Text("token".to_owned()),
            Value::Integer(1),
            Value::Bytes(vec![0xAB]),
            Value::Integer(1_790_000_000_123),
        ]);
        assert_eq!(
            write(table_of("key").unwrap(), "key", &row),
            r#"{"kind":"key","purpose":"token","number":1,"sealed":"ab","created_at":"2026-09-21T14:13:20.123Z"}"#
        );
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_member() {
        for (line, wrong) in [
            (r#"{"kind":"key","number":1}"#, "its key is missing"),
            (r#"{"purpose":"token","number":"1"}"#, "number"),
            (r#"{"purpose":"token","number":1,"sealed":"0g"}"#, "sealed"),
            (r#"{"purpose":"token","number":1,"sealed":"abc"}"#, "sealed"),
            (r#"{"purpose":"token","number":1,"created_at":"yesterday"}"#, "created_at"),
            (r#"{"purpose":"token","number":1,"colour":"red"}"#, "colour"),
        ] {
            let Json::Object(object) = serde_json::from_str(line).unwrap() else { panic!() };
            let refused = read(table_of("key").unwrap(), &object).unwrap_err();
            assert!(refused.contains(wrong), "{refused}");
        }
    }
}
