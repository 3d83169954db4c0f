//! Connections that are there to hurt: slow, silent, many, or against every rule of HTTP/2. Others
//! are served meanwhile, and memory stays bounded.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    given::Given,
    http2::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR,
        HEADERS, Http2, INITIAL_WINDOW_SIZE, PING, PROTOCOL_ERROR, RST_STREAM, SETTINGS,
        WINDOW_UPDATE, frame, request, setting,
    },
    memory, one_at_a_time,
    wire::{PATIENCE, Wire},
};

/// No bystander waits longer for an answer.
const BYSTANDER_MAX: Duration = Duration::from_secs(2);
/// What the server may take while it is attacked, but for the attack of ten thousand.
const RESIDENT_MAX_KIB: u64 = 96 << 10;
/// Short, so that no test waits long for them.
const TIMEOUTS: [(&str, &str); 3] = [
    ("TOKENRY_LIMITS_HEAD_TIMEOUT", "1s"),
    ("TOKENRY_LIMITS_REQUEST_TIMEOUT", "1s"),
    ("TOKENRY_LIMITS_IDLE_TIMEOUT", "1s"),
];

/// Attacks while somebody else asks about their token, over and over, on a new connection each
/// time; then looks at the most memory that the server ever took.
fn attack(given: &Given, resident_max_kib: u64, attack: impl FnOnce(&str) + Send) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let bystander = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !is_over.load(Ordering::Relaxed) {
                let started = Instant::now();
                let headers = [("Authorization", given.values["bearer"].as_str())];
                let answer = given.ask("GET", "/api/v2/oauth/tokens/current", &headers, "");
                assert_eq!(answer.status, 200, "{answer:?}");
                slowest = slowest.max(started.elapsed());
            }
            slowest
        });
        let attacked = scope.spawn(|| attack(&given.host)).join();
        is_over.store(true, Ordering::Relaxed);
        let slowest = bystander.join().unwrap();
        if let Err(panic) = attacked {
            std::panic::resume_unwind(panic);
        }
        assert!(slowest <= BYSTANDER_MAX, "a bystander waited {slowest:?}");
    });
    match memory::most_resident(given.server.id()) {
        Some(most) => {
            println!("{most} KiB at the most");
            assert!(most <= resident_max_kib, "the server took {most} KiB");
        }
        None => println!("skipped: memory_stays_bounded: this system does not tell it in /proc"),
    }
}

/// Sends a byte now and then on each until the server has hung up on all.
fn trickle(mut streams: Vec<TcpStream>) {
    let started = Instant::now();
    while !streams.is_empty() {
        assert!(started.elapsed() < PATIENCE, "{} connections go on", streams.len());
        streams.retain_mut(|stream| {
            let is_open = match stream.read(&mut [0; 4_096]) {
                Ok(length) => length > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            is_open && stream.write_all(b"a").is_ok()
        });
    }
}

fn open(host: &str, count: usize, first: &str) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(first.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        stream
    };
    (0..count).map(one).collect()
}

#[test]
fn slow_heads_and_bodies_are_cut_off_although_they_never_stop() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &TIMEOUTS);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        trickle(open(host, 200, "GET / HTTP/1.1\r\nHost: a.test\r\nX: "));
        let body = "POST /oauth/token HTTP/1.1\r\nHost: a.test\r\nContent-Length: 60000\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        trickle(open(host, 200, body));
    });
}

#[test]
fn idle_connections_are_closed_in_their_time() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &TIMEOUTS);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let mut silent = open(host, 300, "");
        silent.extend(open(host, 300, "GET /healthz HTTP/1.1\r\nHost: a.test\r\n\r\n"));
        for mut stream in silent {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an idle connection is closed");
        }
    });
}

#[test]
fn ten_thousand_connections_leave_room_for_others() {
    const CONNECTIONS: usize = 10_000;
    const DESCRIPTORS: usize = CONNECTIONS + 1_000;
    /// What a listener's queue holds with room to spare: of one that is full the kernel drops
    /// the bystander's attempt too, and it is made again only after a second and more.
    const LOT: usize = 250;
    /// 48 KiB a connection, without optimisation.
    const MANY_MAX_KIB: u64 = 544 << 10;

    let _alone = one_at_a_time();
    // The server inherits the limit.
    let limit = format!("--nofile={DESCRIPTORS}:");
    let own = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &own, &limit]).output();
    if !raised.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: ten_thousand_connections_leave_room_for_others: this machine does not allow \
             {DESCRIPTORS} open files, or has no prlimit"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, MANY_MAX_KIB, |host| {
        let mut streams = Vec::new();
        while streams.len() < CONNECTIONS {
            let mut lot = open(host, LOT, "GET /healthz HTTP/1.1\r\nHost: a.test\r\n\r\n");
            // Every one of them is served, and then stays.
            for stream in &mut lot {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut beginning = [0; 12];
                stream.read_exact(&mut beginning).unwrap();
                assert_eq!(&beginning, b"HTTP/1.1 200");
            }
            streams.append(&mut lot);
        }
    });
}

#[test]
fn streams_that_are_opened_and_reset_end_their_connection() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let mut connection = Http2::connect(host, &[]);
        let head = request("GET", "/sign-in");
        let cancel = 8_u32.to_be_bytes();
        let pairs = (0..5_000_u32).flat_map(|at| {
            let stream = 2 * at + 1;
            let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head);
            [open, frame(RST_STREAM, 0, stream, &cancel)].concat()
        });
        let pairs: Vec<u8> = pairs.collect();
        // The server may hang up before all of it is sent.
        let _ = connection.send(&pairs);
        let code = connection.hear_goodbye();
        assert!(code.is_none_or(|code| code == ENHANCE_YOUR_CALM), "{code:?}");
    });
}

#[test]
fn a_head_that_is_continued_without_end_ends_its_connection() {
    /// Of this much no server must have read all.
    const FLOOD: usize = 4_000;

    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let long = [&[0x00, 0x01, b'x', 0x7f, 0x81, 0x5f][..], &[b'y'; 12_288]].concat();
        for piece in [&long[..], &[]] {
            let mut connection = Http2::connect(host, &[]);
            let first = frame(HEADERS, END_STREAM, 1, &request("GET", "/healthz"));
            connection.send(&first).unwrap();
            let more = frame(CONTINUATION, 0, 1, piece);
            let stopped = (0..FLOOD).find(|_| connection.send(&more).is_err());
            // Small frames may all fit into the buffers on the way; then the goodbye tells.
            if stopped.is_none() {
                connection.hear_goodbye();
            }
        }
    });
}

#[test]
fn a_head_that_grows_when_it_is_unpacked_is_refused() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let mut connection = Http2::connect(host, &[]);
        // One entry of 4,000 bytes in the dynamic table, and 12,000 references to it: 48 MB.
        let entry = [&[0x40, 0x01, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4_000]].concat();
        let bomb = [&request("GET", "/healthz")[..], &entry, &[0xbe; 12_000]].concat();
        connection.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb)).unwrap();
        // 431, a reset of the stream, or the end of the connection; but never a 200, which is one
        // byte by the static table (RFC 7541, appendix A).
        while let Some(frame) = connection.hear() {
            let is_answer = frame.kind == HEADERS;
            assert!(!is_answer || frame.payload.first() != Some(&0x88), "the head was taken");
            if is_answer || frame.kind == RST_STREAM {
                break;
            }
        }
    });
}

#[test]
fn floods_of_pings_and_settings_meet_a_server_that_stops_reading() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &TIMEOUTS);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let pings = frame(PING, 0, 0, b"12345678").repeat(1_000);
        let settings = frame(SETTINGS, 0, 0, &setting(INITIAL_WINDOW_SIZE, 1)).repeat(1_000);
        for flood in [pings, settings] {
            let mut connection = Http2::connect(host, &[]);
            // Nothing is read: the answers fill all buffers, and then the server hangs up.
            let stopped = (0..10_000).find(|_| connection.send(&flood).is_err());
            assert!(stopped.is_some(), "ten million frames were taken and answered");
        }
    });
}

#[test]
fn windows_beyond_their_bounds_end_the_connection() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let huge = frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes());
        let settings = frame(SETTINGS, 0, 0, &setting(INITIAL_WINDOW_SIZE, 0x8000_0000));
        // The library has the other name for a setting of another type (§6.5.2).
        for (frames, code) in [(huge, FLOW_CONTROL_ERROR), (settings, PROTOCOL_ERROR)] {
            let mut connection = Http2::connect(host, &[]);
            connection.send(&frames).unwrap();
            assert_eq!(connection.hear_goodbye(), Some(code));
        }
    });
}

#[test]
fn answers_that_nobody_lets_through_take_bounded_room_and_time() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &TIMEOUTS);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let head = request("GET", "/sign-in");
        let streams =
            (0..100).map(|at| frame(HEADERS, END_STREAM | END_HEADERS, 2 * at + 1, &head));
        let streams = streams.collect::<Vec<_>>().concat();
        let closed = setting(INITIAL_WINDOW_SIZE, 0);
        let stalled: Vec<_> = (0..20)
            .map(|_| {
                let mut connection = Http2::connect(host, &closed);
                connection.send(&streams).unwrap();
                connection
            })
            .collect();
        for mut connection in stalled {
            while connection.hear().is_some() {}
        }
    });
}

#[test]
fn bodies_that_nobody_reads_take_no_more_than_their_window() {
    let _alone = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let given = Given::new(folder.path(), &[]);
    attack(&given, RESIDENT_MAX_KIB, |host| {
        let mut connection = Http2::connect(host, &[]);
        for at in 0..100 {
            let stream = 2 * at + 1;
            let head = frame(HEADERS, END_HEADERS, stream, &request("POST", "/nothing/here"));
            let body = frame(DATA, 0, stream, &[0; 16_384]).repeat(40);
            // It ends the stream, or the connection, as soon as it has answered.
            if connection.send(&[head, body].concat()).is_err() {
                break;
            }
        }
        let mut wire = Wire::connect(host);
        let answer = wire.ask("GET /healthz HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(answer.status, 200, "{answer:?}");
    });
}
