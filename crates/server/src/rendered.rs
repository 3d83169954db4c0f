//! Answers that are kept beside what they tell of: what is asked for again and again is written
//! once.

use serde::Serialize;
use tokenry_protocol::time::Timestamp;

/// A JSON body in which one time changes from answer to answer.
pub struct Rendered {
    text: Box<[u8]>,
    /// Where the time begins.
    time_at: usize,
}

impl Rendered {
    /// Writes `body`, in which the member `name` is `time`. `None` if it is not there exactly once:
    /// then the body has to be written each time.
    pub fn new(body: &impl Serialize, name: &str, time: Timestamp) -> Option<Self> {
        let text = serde_json::to_vec(body).ok()?;
        // Within a JSON string a quote is escaped, so this can be nothing but a member.
        let member = format!("\"{name}\":\"{time}\"");
        let mut found = memchr::memmem::find_iter(&text, member.as_bytes());
        let (at, None) = (found.next()?, found.next()) else {
            return None;
        };
        let time_at = at + name.len() + "\"\":\"".len();
        Some(Self { text: text.into(), time_at })
    }

    /// The body with another time in it.
    pub fn at(&self, time: Timestamp) -> Vec<u8> {
        let mut text = self.text.to_vec();
        let time = time.written();
        if let Some(slot) = text.get_mut(self.time_at..).and_then(|rest| rest.get_mut(..time.len()))
        {
            slot.copy_from_slice(&time);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const THEN: Timestamp = Timestamp::from_seconds(1_772_712_000);
    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

    #[test]
    fn a_body_is_given_again_with_another_time() {
        let body = |time: Timestamp| json!({"a": {"used_at": time, "created_at": THEN, "x": "ä"}});
        let rendered = Rendered::new(&body(THEN), "used_at", THEN).unwrap();
        for time in [THEN, NOW] {
            let given: Value = serde_json::from_slice(&rendered.at(time)).unwrap();
            assert_eq!(given, body(time));
        }
    }

    #[test]
    fn text_that_looks_like_the_member_is_not_taken_for_it() {
        let body = json!({"x": format!("\"used_at\":\"{THEN}\""), "used_at": THEN});
        let rendered = Rendered::new(&body, "used_at", THEN).unwrap();
        let given: Value = serde_json::from_slice(&rendered.at(NOW)).unwrap();
        assert_eq!(given, json!({"x": body["x"], "used_at": NOW}));
    }

    #[test]
    fn a_body_without_the_member_or_with_two_is_not_kept() {
        assert!(Rendered::new(&json!({"x": THEN}), "used_at", THEN).is_none());
        let twice = json!({"used_at": THEN, "y": {"used_at": THEN}});
        assert!(Rendered::new(&twice, "used_at", THEN).is_none());
    }
}
