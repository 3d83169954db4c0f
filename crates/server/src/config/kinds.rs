//! The kinds of value a setting can have: how each is read from a file or from text, how it is
//! shown, and what the reference says about it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::error::Fault;

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// From the environment or a flag: text whose type the setting decides.
    Plain(String),
    /// A TOML string.
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Self>),
    /// What no setting takes, by its name: a table, a float, a date.
    Other(&'static str),
}

impl Raw {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// A list of text, or text with commas between its items.
    pub(super) fn list(&self) -> Option<Vec<String>> {
        match self {
            Self::Plain(text) => Some(text.split(',').map(|item| item.trim().to_owned()).collect()),
            Self::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            _ => None,
        }
    }

    /// For messages: short, quoted, without control characters.
    pub(super) fn quoted(&self) -> String {
        const SHOWN_MAX: usize = 60;
        match self {
            Self::Plain(text) | Self::Text(text) => {
                let cut = text.chars().take(SHOWN_MAX).collect::<String>();
                let more = if cut.len() < text.len() { "…" } else { "" };
                format!("{cut:?}{more}")
            }
            Self::Integer(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::List(_) => "a list".to_owned(),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

/// A value as the report and the reference show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// As TOML.
    Toml(String),
    /// Not set, where that is allowed.
    Unset,
    /// Set, and nobody's business.
    Redacted,
}

/// From where a setting may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Everywhere,
    /// Secrets: files are copied and flags are seen in process lists.
    EnvironmentOnly,
}

/// How values of one setting are read and shown.
pub(super) trait Kind {
    type Value;

    fn parse(&self, raw: &Raw) -> Result<Self::Value, Fault>;
    fn show(&self, value: &Self::Value) -> Shown;
    /// For the reference: `duration`, `one of …`.
    fn name(&self) -> String;
    /// For the reference: `5m – 2d`.
    fn bounds(&self) -> Option<String> {
        None
    }
    /// What the example file shows where the default is not to set it, as TOML.
    fn example(&self) -> Option<String> {
        None
    }
    fn reach(&self) -> Reach {
        Reach::Everywhere
    }
}

pub(super) fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

type Units = [(&'static str, u64)];

const DAY: u64 = 86_400;

const SECONDS: &Units = &[("s", 1), ("m", 60), ("h", 3_600), ("d", DAY)];
// What people count in who look back; settings keep to days.
const SPANS: &Units = &[("s", 1), ("m", 60), ("h", 3_600), ("d", DAY), ("w", 7 * DAY)];
const BYTES: &Units = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const ONES: &Units = &[];

/// A whole number between two bounds, both included: a count, or a quantity with units, of which
/// the first is meant when none is written.
pub(super) struct Quantity<T> {
    noun: &'static str,
    units: &'static Units,
    least: u64,
    most: u64,
    read: fn(u64) -> Option<T>,
    back: fn(T) -> u64,
}

/// A duration between two bounds in seconds.
pub(super) const fn duration(least: u64, most: u64) -> Quantity<Duration> {
    Quantity {
        noun: "duration",
        units: SECONDS,
        least,
        most,
        read: |seconds| Some(Duration::from_secs(seconds)),
        back: |duration| duration.as_secs(),
    }
}

/// Reads a span of a second to a hundred years, written as durations are here and in weeks too:
/// `90`, `30m`, `12h`, `30d`, `4w`. The error says what to write instead.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let spans = Quantity { units: SPANS, ..duration(1, 36_500 * DAY) };
    let fault = |Fault { problem, remedy }| format!("{problem}: {remedy}");
    spans.parse(&Raw::Plain(text.to_owned())).map_err(fault)
}

/// A size between two bounds in bytes.
pub(super) const fn size(least: u64, most: u64) -> Quantity<usize> {
    Quantity {
        noun: "size",
        units: BYTES,
        least,
        most,
        read: |bytes| usize::try_from(bytes).ok(),
        back: wide,
    }
}

/// A count between two bounds, as `usize`.
pub(super) const fn count(least: u64, most: u64) -> Quantity<usize> {
    Quantity {
        noun: "count",
        units: ONES,
        least,
        most,
        read: |number| usize::try_from(number).ok(),
        back: wide,
    }
}

/// A count between two bounds, as `u32`.
pub(super) const fn small_count(least: u32, most: u32) -> Quantity<u32> {
    Quantity {
        noun: "count",
        units: ONES,
        least: least as u64,
        most: most as u64,
        read: |number| u32::try_from(number).ok(),
        back: u64::from,
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl<T> Quantity<T> {
    /// In the largest unit that leaves no rest.
    fn text(&self, number: u64) -> String {
        let fitting = self
            .units
            .iter()
            .rev()
            .find(|(_, factor)| number.is_multiple_of(*factor) && (number > 0 || *factor == 1));
        match fitting {
            Some((unit, factor)) => format!("{}{unit}", number / factor),
            None => number.to_string(),
        }
    }

    /// `None`: not written as such a quantity.
    fn number(&self, raw: &Raw) -> Option<u64> {
        let text = match raw {
            Raw::Integer(number) => return u64::try_from(*number).ok(),
            raw => raw.text()?,
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" => Some(1),
            unit => self.units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
        };
        number.parse::<u64>().ok()?.checked_mul(factor?)
    }

    fn remedy(&self) -> String {
        let (least, most) = (self.text(self.least), self.text(self.most));
        let names: Vec<_> = self.units.iter().map(|(name, _)| *name).collect();
        match names.first() {
            Some(first) => format!(
                "give a {} from {least} to {most} (units {}; a bare number is in {first})",
                self.noun,
                names.join(", "),
            ),
            None => format!("give a whole number from {least} to {most}"),
        }
    }
}

impl<T: Copy> Kind for Quantity<T> {
    type Value = T;

    fn parse(&self, raw: &Raw) -> Result<T, Fault> {
        let fault = |problem: String| Fault::new(problem, self.remedy());
        let number = self
            .number(raw)
            .ok_or_else(|| fault(format!("{} is not a {}", raw.quoted(), self.noun)))?;
        let shown = self.text(number);
        if number < self.least {
            let least = self.text(self.least);
            return Err(fault(format!("{shown} is below the least, {least}")));
        }
        let beyond = || fault(format!("{shown} is above the most, {}", self.text(self.most)));
        if number > self.most {
            return Err(beyond());
        }
        (self.read)(number).ok_or_else(beyond)
    }

    fn show(&self, value: &T) -> Shown {
        let text = self.text((self.back)(*value));
        Shown::Toml(if self.units.is_empty() { text } else { toml_text(&text) })
    }

    fn name(&self) -> String {
        self.noun.to_owned()
    }

    fn bounds(&self) -> Option<String> {
        let (least, most) = (self.text(self.least), self.text(self.most));
        Some(format!("{least} – {most}"))
    }

    fn example(&self) -> Option<String> {
        let most = self.text(self.most);
        Some(if self.units.is_empty() { most } else { toml_text(&most) })
    }
}

/// On or off.
pub(super) struct Switch;

impl Kind for Switch {
    type Value = bool;

    fn parse(&self, raw: &Raw) -> Result<bool, Fault> {
        match (raw, raw.text()) {
            (Raw::Boolean(value), _) => Ok(*value),
            (_, Some("on" | "true")) => Ok(true),
            (_, Some("off" | "false")) => Ok(false),
            _ => Err(Fault::new(
                format!("{} is neither on nor off", raw.quoted()),
                "write true or false (in a file), on or off (anywhere)",
            )),
        }
    }

    fn show(&self, value: &bool) -> Shown {
        Shown::Toml(value.to_string())
    }

    fn name(&self) -> String {
        "true or false".to_owned()
    }
}

/// One of a few words.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T> Choice<T> {
    fn listed(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| toml_text(word)).collect();
        words.join(", ")
    }
}

impl<T: Copy + PartialEq> Kind for Choice<T> {
    type Value = T;

    fn parse(&self, raw: &Raw) -> Result<T, Fault> {
        let found = self.0.iter().find(|(word, _)| raw.text() == Some(word));
        found.map(|(_, value)| *value).ok_or_else(|| {
            Fault::new(
                format!("{} is not among the choices", raw.quoted()),
                format!("write one of {}", self.listed()),
            )
        })
    }

    fn show(&self, value: &T) -> Shown {
        let found = self.0.iter().find(|(_, candidate)| candidate == value);
        found.map_or(Shown::Unset, |(word, _)| Shown::Toml(toml_text(word)))
    }

    fn name(&self) -> String {
        format!("one of {}", self.listed())
    }
}

/// An IP address with a port. `localhost` is 127.0.0.1: no name is ever looked up.
pub(super) struct Address;

impl Kind for Address {
    type Value = SocketAddr;

    fn parse(&self, raw: &Raw) -> Result<SocketAddr, Fault> {
        let text = raw.text().unwrap_or_default();
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        numeric.parse().map_err(|_| {
            Fault::new(
                format!("{} is no address to listen on", raw.quoted()),
                "write an IP address and a port, such as 127.0.0.1:4000 or [::1]:4000 \
                 (port 0: any free one)",
            )
        })
    }

    fn show(&self, value: &SocketAddr) -> Shown {
        Shown::Toml(toml_text(&value.to_string()))
    }

    fn name(&self) -> String {
        "address:port".to_owned()
    }

    fn example(&self) -> Option<String> {
        Some(toml_text("127.0.0.1:9464"))
    }
}

/// A path, and an example of one; a relative one is relative to the folder the program was started
/// in.
pub(super) struct FilePath(pub(super) &'static str);

impl Kind for FilePath {
    type Value = PathBuf;

    fn parse(&self, raw: &Raw) -> Result<PathBuf, Fault> {
        match raw.text() {
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(PathBuf::from(text)),
            _ => Err(Fault::new(format!("{} is no path", raw.quoted()), "write a path as text")),
        }
    }

    fn show(&self, value: &PathBuf) -> Shown {
        Shown::Toml(toml_text(&value.to_string_lossy()))
    }

    fn name(&self) -> String {
        "path".to_owned()
    }

    fn example(&self) -> Option<String> {
        Some(toml_text(self.0))
    }
}

/// Words for people on one line, at most so many characters.
pub(super) struct Prose(pub(super) usize);

impl Kind for Prose {
    type Value = String;

    fn parse(&self, raw: &Raw) -> Result<String, Fault> {
        let text = raw.text().unwrap_or_default();
        let problem = if text.is_empty() {
            "is no text".to_owned()
        } else if text.chars().any(char::is_control) {
            "has a line break or another control character".to_owned()
        } else if text.chars().count() > self.0 {
            format!("has {} characters", text.chars().count())
        } else {
            return Ok(text.to_owned());
        };
        let remedy = format!("write one line of at most {} characters", self.0);
        Err(Fault::new(format!("{} {problem}", raw.quoted()), remedy))
    }

    fn show(&self, value: &String) -> Shown {
        Shown::Toml(toml_text(value))
    }

    fn name(&self) -> String {
        format!("text of at most {} characters", self.0)
    }

    fn example(&self) -> Option<String> {
        Some(toml_text("For tests only: whatever is made here is deleted every night."))
    }
}

/// A setting that may be left unset, also by the word `none` (or `off`) over a file that sets it.
pub(super) struct Optional<K>(pub(super) K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn parse(&self, raw: &Raw) -> Result<Self::Value, Fault> {
        match raw.text() {
            Some("none" | "off") => Ok(None),
            _ => self.0.parse(raw).map(Some),
        }
    }

    fn show(&self, value: &Self::Value) -> Shown {
        value.as_ref().map_or(Shown::Unset, |value| self.0.show(value))
    }

    fn name(&self) -> String {
        format!("{}, or \"none\"", self.0.name())
    }

    fn bounds(&self) -> Option<String> {
        self.0.bounds()
    }

    fn example(&self) -> Option<String> {
        self.0.example()
    }

    fn reach(&self) -> Reach {
        self.0.reach()
    }
}
