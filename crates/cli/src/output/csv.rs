//! Comma-separated values (RFC 4180), safe to open in a spreadsheet.

use serde_json::{Map, Value};

/// The header.
pub(super) fn header(fields: &[&str]) -> String {
    record(fields.iter().map(|field| (*field).to_owned()))
}

/// One record: these fields in this order. What is absent or null is empty.
pub(super) fn row(fields: &[&str], record_: &Map<String, Value>) -> String {
    record(fields.iter().map(|field| record_.get(*field).map(cell).unwrap_or_default()))
}

fn record(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\r\n"
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            harmless(&items.join(" "))
        }
        value => value.to_string(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A spreadsheet takes text that begins like this for a formula, and what strangers chose must not
/// be run. An apostrophe in front makes it text.
fn harmless(text: &str) -> String {
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if begins_formula { format!("'{text}") } else { text.to_owned() }
}

fn quoted(cell: &str) -> String {
    let is_plain = !cell.contains(['"', ',', '\r', '\n']) && cell.trim() == cell;
    if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(value: &Value) -> String {
        row(&["a", "b"], value.as_object().unwrap())
    }

    #[test]
    fn cells_are_quoted_where_rfc_4180_demands_it() {
        assert_eq!(header(&["id", "name"]), "id,name\r\n");
        assert_eq!(line(&json!({"a": 1, "b": "x y"})), "1,x y\r\n");
        assert_eq!(line(&json!({"a": "1,2", "b": "say \"x\""})), "\"1,2\",\"say \"\"x\"\"\"\r\n");
        assert_eq!(line(&json!({"a": "1\n2", "b": " x"})), "\"1\n2\",\" x\"\r\n");
    }

    #[test]
    fn what_is_null_or_absent_is_empty_and_lists_are_words() {
        assert_eq!(line(&json!({"a": null})), ",\r\n");
        assert_eq!(line(&json!({"a": true, "b": ["read", "write"]})), "true,read write\r\n");
        assert_eq!(line(&json!({"a": -1, "b": [{"c": 1}]})), "-1,\"[{\"\"c\"\":1}]\"\r\n");
    }

    #[test]
    fn text_that_a_spreadsheet_would_run_begins_with_an_apostrophe() {
        for text in ["=cmd()", "+1", "-1", "@x", "\tx"] {
            let written = line(&json!({"a": text, "b": ""}));
            assert!(written.trim_start_matches('"').starts_with('\''), "{written}");
        }
        assert_eq!(line(&json!({"a": ["=x"], "b": "a=b"})), "'=x,a=b\r\n");
    }
}
