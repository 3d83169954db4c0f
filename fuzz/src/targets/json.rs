//! `json`: what `serde_json` reads, without what two readers could understand differently.

use std::collections::BTreeSet;

use serde_json::Value;
use tokenry_protocol::{
    json::{DEPTH_MAX, parse},
    oauth::parameters::{COUNT_MAX, Parameters},
};

pub(super) fn run(data: &[u8]) {
    let read = parse(data);
    let Ok(plain) = serde_json::from_slice::<Value>(data) else {
        assert!(read.is_err(), "what is no JSON was accepted");
        return;
    };
    let facts = Facts::of(data);
    let is_strict = !facts.has_twice && facts.depth <= DEPTH_MAX;
    assert_eq!(read.is_ok(), is_strict, "{read:?}");
    let Ok(read) = read else { return };
    assert_eq!(read, plain);
    // `serde_json` may round the last digit of a fraction or of a large number when it reads it.
    if !has_float(&read) {
        let printed = serde_json::to_vec(&read).unwrap();
        assert_eq!(parse(&printed).unwrap(), read);
    }
    check_parameters(data, &read);
}

/// The same text as the parameters of a request.
fn check_parameters(data: &[u8], read: &Value) {
    match (Parameters::from_json(data), read) {
        (Ok(parameters), Value::Object(members)) => {
            for (name, value) in members {
                assert_eq!(parameters.has(name), !value.is_null());
                match (parameters.text(name), value) {
                    (Ok(Some(text)), Value::String(sent)) => assert_eq!(text, sent),
                    (Ok(None), value) => assert!(value.is_null() || value == ""),
                    (Err(_), value) => assert!(!value.is_string() && !value.is_null()),
                    (Ok(Some(text)), value) => panic!("{value} was read as {text:?}"),
                }
            }
        }
        (Err(_), Value::Object(members)) => assert!(members.len() > COUNT_MAX, "it was refused"),
        (read, _) => assert!(read.is_err(), "no object, and accepted"),
    }
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        _ => false,
    }
}

/// What a scan of valid JSON text finds.
#[derive(Default)]
struct Facts {
    depth: usize,
    has_twice: bool,
}

impl Facts {
    fn of(json: &[u8]) -> Self {
        let mut facts = Self::default();
        // The names seen in each object that is open; `None` for an array.
        let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
        let mut at = 0;
        while let Some(byte) = json.get(at) {
            let mut end = at + 1;
            match byte {
                b'{' => open.push(Some(BTreeSet::new())),
                b'[' => open.push(None),
                b'}' | b']' => _ = open.pop(),
                b'"' => {
                    end = end_of_string(json, at);
                    let after = json[end..].iter().find(|byte| !byte.is_ascii_whitespace());
                    if let (Some(Some(names)), Some(b':')) = (open.last_mut(), after) {
                        let name = serde_json::from_slice(&json[at..end]).unwrap();
                        facts.has_twice |= !names.insert(name);
                    }
                }
                _ => {}
            }
            facts.depth = facts.depth.max(open.len());
            at = end;
        }
        facts
    }
}

fn end_of_string(json: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while json[at] != b'"' {
        at += if json[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}
