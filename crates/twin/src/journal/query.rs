//! What a reader of the journal asks for: `since=17&path=/oauth&status=4xx&faults=true&wait=10s`.

use std::time::Duration;

use tokenry_server::config::nearest;

use super::Entry;
use crate::span;

/// The longest that a reader may wait.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// A whole question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Entries behind this number; 0: all.
    pub since: u64,
    /// How long to wait for one, at most [`WAIT_MAX`].
    pub wait: Duration,
    /// The `cleared` of an earlier answer: who waits is also told when that has become another.
    pub cleared: Option<u64>,
    /// Which of them.
    pub filter: Filter,
}

/// Which entries somebody wants to see; without anything all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Their path begins like this.
    pub path: Option<String>,
    /// Their status is this.
    pub status: Option<StatusFilter>,
    /// Something went wrong with them on demand.
    pub faults_only: bool,
}

/// A status, several, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// `404`
    Exactly(u16),
    /// `4xx`: its first digit.
    Class(u16),
    /// `none`: no answer was sent.
    NoAnswer,
}

/// Why text is no question, and what would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No such parameter.
    #[error("{name}: no parameter of the journal; {}", meant(name))]
    UnknownName {
        /// As it was written.
        name: String,
    },
    /// A parameter twice.
    #[error("{0}: written twice; leave one of them out")]
    Twice(&'static str),
    /// A value that the parameter cannot have.
    #[error("{name}={value}: write {right}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// As it was written.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

/// The parameters there are.
pub(super) const NAMES: [&str; 6] = ["since", "path", "status", "faults", "wait", "cleared"];

fn meant(name: &str) -> String {
    nearest(name, NAMES).map_or_else(
        || format!("they are {}", NAMES.join(", ")),
        |meant| format!("did you mean {meant}?"),
    )
}

impl Query {
    /// Reads the query of an address. Parameters without a value are taken for left out, as forms
    /// send them.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let mut read = Self::default();
        let mut seen = Vec::new();
        for (written, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = NAMES.into_iter().find(|name| *name == written);
            let name = name.ok_or_else(|| QueryError::UnknownName { name: written.into() })?;
            if seen.contains(&name) {
                return Err(QueryError::Twice(name));
            }
            seen.push(name);
            if !value.is_empty() {
                let fault = |right| QueryError::Value { name, value: value.clone().into(), right };
                read.set(name, &value).map_err(fault)?;
            }
        }
        Ok(read)
    }

    /// The error is what would be right.
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "since" => self.since = value.parse().map_err(|_| "the number of an entry")?,
            "cleared" => {
                self.cleared = Some(value.parse().map_err(|_| "`cleared` of an answer")?);
            }
            "path" => self.filter.path = Some(value.to_owned()),
            "status" => self.filter.status = Some(StatusFilter::parse(value)?),
            "faults" => {
                self.filter.faults_only = value.parse().map_err(|_| "true or false")?;
            }
            _ => {
                let wait = span::parse(value).filter(|wait| *wait <= WAIT_MAX);
                self.wait = wait.ok_or("up to 60s, as 10s or 500ms")?;
            }
        }
        Ok(())
    }
}

impl StatusFilter {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const RIGHT: &str = "a status as 404, a class as 4xx, or none";
        if text == "none" {
            return Ok(Self::NoAnswer);
        }
        let number = |text: &str, bounds: std::ops::RangeInclusive<u16>| {
            text.parse().ok().filter(|number| bounds.contains(number)).ok_or(RIGHT)
        };
        match text.strip_suffix("xx") {
            Some(class) => Ok(Self::Class(number(class, 1..=5)?)),
            None => Ok(Self::Exactly(number(text, 100..=599)?)),
        }
    }

    fn is(self, status: Option<u16>) -> bool {
        match self {
            Self::Exactly(exactly) => status == Some(exactly),
            Self::Class(class) => status.is_some_and(|status| status / 100 == class),
            Self::NoAnswer => status.is_none(),
        }
    }
}

impl Filter {
    /// Whether somebody wants to see it.
    pub fn lets_through(&self, entry: &Entry) -> bool {
        self.path.as_ref().is_none_or(|path| entry.path.starts_with(path))
            && self.status.is_none_or(|status| status.is(entry.status))
            && (!self.faults_only || !entry.faults.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_from_a_query() {
        let query =
            Query::parse("since=17&path=%2Foauth&status=4xx&faults=true&wait=10s&cleared=3");
        assert_eq!(
            query.unwrap(),
            Query {
                since: 17,
                wait: Duration::from_secs(10),
                cleared: Some(3),
                filter: Filter {
                    path: Some("/oauth".to_owned()),
                    status: Some(StatusFilter::Class(4)),
                    faults_only: true,
                },
            }
        );
        assert_eq!(Query::parse("").unwrap(), Query::default());
        assert_eq!(Query::parse("since=&status=&path=").unwrap(), Query::default());
    }

    #[test]
    fn what_is_no_question_is_told_what_is() {
        for (query, told) in [
            ("sinse=1", "sinse: no parameter of the journal; did you mean since?"),
            (
                "x=1",
                "x: no parameter of the journal; they are since, path, status, faults, wait, \
                 cleared",
            ),
            ("since=1&since=2", "since: written twice; leave one of them out"),
            ("since=-1", "since=-1: write the number of an entry"),
            ("status=6xx", "status=6xx: write a status as 404, a class as 4xx, or none"),
            ("status=7", "status=7: write a status as 404, a class as 4xx, or none"),
            ("cleared=yes", "cleared=yes: write `cleared` of an answer"),
            ("faults=yes", "faults=yes: write true or false"),
            ("wait=61s", "wait=61s: write up to 60s, as 10s or 500ms"),
        ] {
            assert_eq!(Query::parse(query).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_status_is_one_a_class_or_none() {
        for (text, some, none) in [("404", "404", "405 403 400 -"), ("4xx", "400 499", "399 500 -")]
            .into_iter()
            .chain([("none", "-", "200 500")])
        {
            let filter = StatusFilter::parse(text).unwrap();
            let is = |status: &str| filter.is(status.parse().ok());
            assert!(some.split(' ').all(is), "{text}");
            assert!(!none.split(' ').any(is), "{text}");
        }
    }
}
