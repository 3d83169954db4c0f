//! JSON that is redacted while it is read: what is not shown is never kept, and once enough is
//! shown the rest is only looked at for being JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Budget, HIDDEN, hidden, names, scrubbed, shown_name};

/// An object or an array; `None`: the text is neither. Text and numbers alone are JSON as well, but
/// say nothing of what they are.
pub(super) fn read(text: &str, depth: u8, budget: &Budget) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let reading = Reading { depth, budget, codes: Codes::Secret };
    let value = reading.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// What `code` is here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codes {
    /// An authorization code.
    Secret,
    /// The word for an error.
    Words,
}

#[derive(Clone, Copy)]
struct Reading<'a> {
    /// So many texts within texts are still looked into.
    depth: u8,
    budget: &'a Budget,
    codes: Codes,
}

impl Reading<'_> {
    fn object<'de, A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.budget.spend(2);
        let mut shown = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if self.budget.is_spent() {
                members.next_value::<IgnoredAny>()?;
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                shown.insert(HIDDEN.to_owned(), HIDDEN.into());
                break;
            }
            let is_word = self.codes == Codes::Words && name == "code";
            let value = if names::is_secret(&name) && !is_word {
                members.next_value_seed(Hiding { name: &name, reading: self })?
            } else {
                let codes = if name == "errors" { Codes::Words } else { self.codes };
                members.next_value_seed(Self { codes, ..self })?
            };
            let name = shown_name(name);
            self.budget.spend(name.len() + 4);
            shown.insert(name, value);
        }
        Ok(shown.into())
    }

    fn text(self, text: &str) -> Value {
        self.budget.cut(scrubbed(text, self.depth, self.budget).into_owned()).into()
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.budget.spend(5);
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.budget.spend(12);
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.budget.spend(12);
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.budget.spend(12);
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.budget.spend(4);
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.budget.spend(2);
        let mut shown = Vec::new();
        while !self.budget.is_spent() {
            match items.next_element_seed(self)? {
                Some(item) => shown.push(item),
                None => return Ok(shown.into()),
            }
            self.budget.spend(1);
        }
        if items.next_element::<IgnoredAny>()?.is_some() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            shown.push(HIDDEN.into());
        }
        Ok(shown.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        self.object(members)
    }
}

/// Reads the value of a member whose name says that it is secret. Whether there is one may be seen.
struct Hiding<'a> {
    name: &'a str,
    reading: Reading<'a>,
}

impl<'de> DeserializeSeed<'de> for Hiding<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Hiding<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(HIDDEN.into())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(HIDDEN.into())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(HIDDEN.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let shown = hidden(self.name, text);
        self.reading.budget.spend(shown.len() + 2);
        Ok(shown.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(HIDDEN.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        // The record API wraps records in their name.
        if matches!(self.name, "token" | "api_token") {
            return self.reading.object(members);
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(HIDDEN.into())
    }
}
