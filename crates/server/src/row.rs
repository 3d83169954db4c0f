//! One row of the table of routes, as every request that it answers needs it.

use std::{sync::OnceLock, time::Duration};

use metrics::{Counter, Histogram};

/// What is counted one by one without asking the recorder; other statuses ask it.
const STATUSES: [u16; 16] =
    [200, 201, 204, 302, 303, 400, 401, 403, 404, 405, 408, 415, 422, 429, 500, 503];

/// Whether scripts of other origins may call it (without credentials).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origins {
    /// No.
    Own,
    /// Yes: browser-based public clients need it.
    Any,
}

/// One path of the table, and what is counted of it.
pub struct Row {
    path: &'static str,
    origins: Origins,
    seconds: OnceLock<Histogram>,
    answers: [OnceLock<Counter>; STATUSES.len()],
}

impl Row {
    /// A path, and who may call it. Nothing is asked of the recorder of metrics yet: it may be
    /// started later.
    pub const fn new(path: &'static str, origins: Origins) -> Self {
        Self {
            path,
            origins,
            seconds: OnceLock::new(),
            answers: [const { OnceLock::new() }; STATUSES.len()],
        }
    }

    /// The path, with `{id}` where an id stands.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Whether scripts of other origins may call it.
    pub const fn origins(&self) -> Origins {
        self.origins
    }

    /// Counts an answer.
    pub fn count(&self, status: u16, elapsed: Duration) {
        let known = STATUSES.iter().position(|known| *known == status);
        match known.and_then(|at| self.answers.get(at)) {
            Some(answers) => answers.get_or_init(|| self.answers(status)).increment(1),
            None => self.answers(status).increment(1),
        }
        let seconds = || metrics::histogram!("tokenry_request_seconds", "route" => self.path);
        self.seconds.get_or_init(seconds).record(elapsed);
    }

    fn answers(&self, status: u16) -> Counter {
        let status = status.to_string();
        metrics::counter!("tokenry_requests_total", "route" => self.path, "status" => status)
    }
}
