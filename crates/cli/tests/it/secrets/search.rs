//! Looking for secrets in bytes, however they are written there.

use std::{collections::HashMap, fmt};

use tokenry_protocol::secret::Credential;

/// As many bytes of a secret in a row give it away.
const RUN: usize = 16;

/// Something that must stay where it was given.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    /// As it is sent; `None` for what never leaves the server.
    pub(crate) text: Option<String>,
    /// Every form whose parts are looked for.
    forms: Vec<Vec<u8>>,
}

impl Secret {
    /// A credential gives itself away past its public part, as text and as its 128 bits.
    pub(crate) fn of_text(name: &'static str, text: &str) -> Self {
        let mut forms = match text.split_once("_tokenry_") {
            Some((_, secret)) => vec![secret.as_bytes().to_vec()],
            None => vec![text.as_bytes().to_vec()],
        };
        if let Ok(credential) = Credential::parse(text) {
            forms.push(credential.parts().secret.to_vec());
        }
        Self { name, text: Some(text.to_owned()), forms }
    }

    /// A key of the server's own, and how it is written where it belongs.
    pub(crate) fn of_bytes(name: &'static str, bytes: &[u8], text: Option<String>) -> Self {
        let written = text.as_ref().map(|text| text.as_bytes().to_vec());
        Self { name, text, forms: written.into_iter().chain([bytes.to_vec()]).collect() }
    }
}

/// A secret and where it was found.
pub(crate) struct Find {
    secret: &'static str,
    place: String,
}

impl fmt::Display for Find {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}", self.secret, self.place)
    }
}

/// Finds any run of any of its secrets.
pub(crate) struct Searcher {
    runs: HashMap<[u8; RUN], &'static str>,
    /// Which first two bytes a run can have: nearly all places are passed over by this alone.
    begins: Vec<bool>,
}

impl Searcher {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut searcher = Self { runs: HashMap::new(), begins: vec![false; 1 << 16] };
        for secret in secrets {
            for form in &secret.forms {
                assert!(form.len() >= RUN, "{} is too short to look for", secret.name);
                for run in form.windows(RUN) {
                    searcher.runs.insert(run.try_into().unwrap(), secret.name);
                    searcher.begins[begin(run)] = true;
                }
            }
        }
        searcher
    }

    pub(crate) fn finds(&self, place: &str, bytes: &[u8]) -> Vec<Find> {
        let names = self.search(bytes).into_iter();
        names.map(|secret| Find { secret, place: place.to_owned() }).collect()
    }

    /// The names of the secrets that stand there in any spelling, each once.
    pub(crate) fn search(&self, bytes: &[u8]) -> Vec<&'static str> {
        let mut found = Vec::new();
        for view in views(bytes) {
            for run in view.windows(RUN).filter(|run| self.begins[begin(run)]) {
                let run: &[u8; RUN] = run.try_into().unwrap();
                if let Some(name) = self.runs.get(run)
                    && !found.contains(name)
                {
                    found.push(*name);
                }
            }
        }
        found
    }
}

fn begin(run: &[u8]) -> usize {
    usize::from(run[0]) << 8 | usize::from(run[1])
}

/// The bytes, and what they say when each encoding is undone wherever it could stand.
fn views(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut views = vec![bytes.to_vec()];
    // UTF-16 and UTF-32, in either order.
    views.push(bytes.iter().copied().filter(|byte| *byte != 0).collect());
    views.push(unescaped(bytes, b"%", 2, 16, b""));
    views.push(unescaped(bytes, b"\\u00", 2, 16, b""));
    views.push(unescaped(bytes, b"&#", 0, 10, b";"));
    views.push(unescaped(bytes, b"&#x", 0, 16, b";"));
    for shift in 0..2 {
        views.push(grouped(bytes, shift, 2, 4, |byte| char::from(byte).to_digit(16)));
    }
    for shift in 0..4 {
        views.push(grouped(bytes, shift, 4, 6, base64_digit));
    }
    views
}

/// Undoes escapes: a prefix, so many digits (0: as many as there are), and a suffix.
fn unescaped(bytes: &[u8], prefix: &[u8], digits: usize, radix: u32, suffix: &[u8]) -> Vec<u8> {
    let mut view = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let escape = rest.strip_prefix(prefix).and_then(|after| {
            let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
            let most = if digits == 0 { 4 } else { digits };
            let count = after.iter().take(most).take_while(is_digit).count();
            let number = std::str::from_utf8(&after[..count]).ok()?;
            let value = u8::from_str_radix(number, radix).ok()?;
            Some((value, after[count..].strip_prefix(suffix)?))
        });
        let (byte, next) = escape.unwrap_or((*first, after));
        view.push(byte);
        rest = next;
    }
    view
}

/// Decodes every run of digits, taken in groups from `shift` on, with a gap between runs.
fn grouped(
    bytes: &[u8],
    shift: usize,
    group: usize,
    bits: usize,
    digit: impl Fn(u8) -> Option<u32>,
) -> Vec<u8> {
    let mut view = Vec::new();
    for run in bytes.split(|byte| digit(*byte).is_none()).filter(|run| run.len() > shift) {
        for digits in run[shift..].chunks(group) {
            let missing = group - digits.len();
            let value = digits.iter().fold(0, |value, byte| value << bits | digit(*byte).unwrap());
            let value = value << (missing * bits);
            let whole = (group * bits) / 8;
            view.extend_from_slice(&value.to_be_bytes()[4 - whole..]);
        }
        view.push(0);
    }
    view
}

fn base64_digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}
