//! JSON as pages show it: a member a line, and arrays of plain values on one.

use serde_json::Value;

/// The widest array on one line.
const WIDTH_MAX: usize = 90;

pub(super) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Array(items) if items.iter().all(is_plain) && line(items).len() <= WIDTH_MAX => {
            text.push_str(&line(items));
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| (String::new(), item));
            block(['[', ']'], items, depth, text);
        }
        Value::Object(members) if !members.is_empty() => {
            let members = members.iter();
            let named = members.map(|(name, value)| (format!("{}: ", quoted(name)), value));
            block(['{', '}'], named, depth, text);
        }
        plain => text.push_str(&plain.to_string()),
    }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

fn line(items: &[Value]) -> String {
    let items: Vec<_> = items.iter().map(Value::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn block<'v>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = (String, &'v Value)>,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    for (index, (name, value)) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push('\n');
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(&name);
        write(value, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_its_line_and_short_arrays_have_one() {
        let value = serde_json::json!({"a": {"b": ["x", "y"], "c": [{}]}, "d": [], "e": null});
        let expected = [
            "{",
            "  \"a\": {",
            "    \"b\": [\"x\", \"y\"],",
            "    \"c\": [",
            "      {}",
            "    ]",
            "  },",
            "  \"d\": [],",
            "  \"e\": null",
            "}",
        ]
        .join("\n");
        assert_eq!(pretty(&value), expected);
        assert_eq!(serde_json::from_str::<Value>(&expected).unwrap(), value);
    }
}
