//! Requests that nobody should send: each has one right answer, in good time, and leaves nothing.

use std::time::{Duration, Instant};

use crate::{
    given::Given,
    memory, one_at_a_time,
    row::{self, Afterwards, Row},
    wire::{Heard, Wire},
};

/// The table, by room.
const TABLE: [(&str, &str); 9] = [
    ("framing", include_str!("requests/framing.txt")),
    ("headers", include_str!("requests/headers.txt")),
    ("paths", include_str!("requests/paths.txt")),
    ("credentials", include_str!("requests/credentials.txt")),
    ("ids_and_queries", include_str!("requests/ids_and_queries.txt")),
    ("record_bodies", include_str!("requests/record_bodies.txt")),
    ("token_doors", include_str!("requests/token_doors.txt")),
    ("revoke_and_introspect", include_str!("requests/revoke_and_introspect.txt")),
    ("browsers", include_str!("requests/browsers.txt")),
];
const ROWS_MIN: usize = 250;
/// No answer takes longer, beyond a time-out that the row waits for.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const TIMEOUT: &str = "1s";
const TIMEOUT_IS: Duration = Duration::from_secs(1);
/// Passes until memory is measured first, and in all. Rows that wait are left to the first.
const PASSES_BEFORE: usize = 3;
const PASSES: usize = 9;
/// What the allocator may keep from pass to pass; a leak of 1 KiB a request would be over it.
const GROWTH_MAX_KIB: u64 = 2_048;
/// The server, and one password hash that is still being worked on.
const RESIDENT_MAX_KIB: u64 = 64 << 10;

#[test]
fn every_bad_request_has_its_one_right_answer_in_good_time_and_leaves_nothing() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let settings =
        [("TOKENRY_LIMITS_REQUEST_TIMEOUT", TIMEOUT), ("TOKENRY_LIMITS_HEAD_TIMEOUT", TIMEOUT)];
    let given = Given::new(folder.path(), &settings);
    let rows = |(name, text)| row::read(&format!("requests/{name}.txt"), text, &given.values);
    let rows: Vec<Row> = TABLE.into_iter().flat_map(rows).collect();
    assert!(rows.len() >= ROWS_MIN, "only {} rows", rows.len());

    let mut wrong = Vec::new();
    let mut before = None;
    for pass in 0..PASSES {
        for row in rows.iter().filter(|row| pass == 0 || !row.waits) {
            if let Err(problem) = try_row(row, &given.host) {
                wrong.push(format!("{} (pass {pass}) {}\n    {problem}", row.place, row.rule));
            }
        }
        assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
        if pass + 1 == PASSES_BEFORE {
            before = memory::resident(given.server.id());
        }
    }
    let after = memory::resident(given.server.id());
    match before.zip(after) {
        Some((before, after)) => {
            let requests = (PASSES - PASSES_BEFORE) * rows.len();
            let grew = format!("{before} KiB became {after} KiB over {requests} requests");
            assert!(after <= before + GROWTH_MAX_KIB && after <= RESIDENT_MAX_KIB, "{grew}");
        }
        None => println!("skipped: memory_stays_level: this system does not tell it in /proc"),
    }

    let answer = given.ask("GET", "/readyz", &[], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    for word in ["panic", "ERROR"] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "the log holds {word:?}");
    }
    given.server.stop();
}

fn try_row(row: &Row, host: &str) -> Result<(), String> {
    let started = Instant::now();
    let mut wire = Wire::connect(host);
    wire.send(&row.bytes);
    for (at, expected) in row.answers.iter().enumerate() {
        let method = row.methods.get(at).map_or("", String::as_str);
        match wire.hear(method) {
            Heard::Answer(answer) => {
                if let Some(difference) = expected.differs(&answer) {
                    return Err(difference);
                }
            }
            other => return Err(format!("{other:?} instead of {expected:?}")),
        }
    }
    match row.afterwards {
        Afterwards::Open => {
            wire.send(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            match wire.hear("GET") {
                Heard::Answer(answer) if answer.body == "{\"status\":\"ok\"}" => {}
                other => return Err(format!("the connection is out of step: {other:?}")),
            }
        }
        Afterwards::Closed => match wire.hear("") {
            Heard::End => {}
            other => return Err(format!("{other:?} on a connection that must end")),
        },
        Afterwards::Either => {}
    }
    let limit = if row.waits { TIMEOUT_IS + ANSWER_MAX } else { ANSWER_MAX };
    let elapsed = started.elapsed();
    if elapsed > limit { Err(format!("took {elapsed:?}")) } else { Ok(()) }
}
