//! `oauth::parameters::Parameters::from_form`: the URL standard's form parser, and stricter.

use std::{borrow::Cow, collections::BTreeMap};

use tokenry_protocol::oauth::parameters::{COUNT_MAX, Parameters};

pub(super) fn run(data: &[u8]) {
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    let names: BTreeMap<_, _> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    match Parameters::from_form(data) {
        Ok(parameters) => {
            assert_eq!(names.len(), pairs.len(), "a name that comes twice was accepted");
            assert!(names.len() <= COUNT_MAX);
            for (name, value) in &names {
                assert_eq!(parameters.text(name), Ok(Some(*value).filter(|text| !text.is_empty())));
                assert!(parameters.has(name) && !parameters.is_not_text(name));
                assert!(!name.contains('\0') && !value.contains('\0'));
                check_seconds(&parameters, name, value);
            }
            // What is logged are the names, as they came.
            assert_eq!(format!("{parameters:?}"), format!("{:?}", Names(&pairs)));
        }
        Err(error) => {
            assert!(super::is_description(&error.description), "{:?}", error.description);
            let lossy = |text: &str| text.contains(['\u{FFFD}', '\0']);
            let is_unreadable = pairs.iter().any(|(name, value)| lossy(name) || lossy(value));
            let is_refused = names.len() < pairs.len() || pairs.len() > COUNT_MAX;
            assert!(is_refused || is_unreadable, "{error} but it can be read");
        }
    }
}

fn check_seconds(parameters: &Parameters, name: &str, value: &str) {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let expected = value.parse::<u32>().ok().filter(|seconds| is_number && *seconds <= 300);
    match parameters.seconds(name, 0..=300) {
        Ok(read) => assert_eq!(read.map(|seconds| seconds.0), expected),
        Err(_) => assert!(expected.is_none() && !value.is_empty()),
    }
}

struct Names<'a>(&'a [(Cow<'a, str>, Cow<'a, str>)]);

impl std::fmt::Debug for Names<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
