//! Members of an answer that have no field of their own.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a server sent and this version does not know, by name and in the order of sending, so that
/// reading and writing a record loses nothing.
///
/// Its `Debug` shows the names alone: what is unknown may be a secret.
///
/// Example: `{"resource_type": "oauth_token"}`
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

impl Extra {
    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// Names alone: what is unknown may be a secret.
impl fmt::Debug for Extra {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_kept_in_their_order_and_not_written_for_debugging() {
        let text = r#"{"b":"hunter2","a":[1,null]}"#;
        let extra: Extra = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&extra).unwrap(), text);
        assert_eq!(extra.get("b"), Some(&"hunter2".into()));
        assert!(extra.iter().map(|(name, _)| name).eq(["b", "a"]));
        assert_eq!(format!("{extra:?}"), r#"{"b", "a"}"#);
        let same: Extra = extra.iter().map(|(name, value)| (name.into(), value.clone())).collect();
        assert_eq!(same, extra);
        assert!(Extra::default().is_empty() && !extra.is_empty());
    }
}
