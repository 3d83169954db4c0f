//! No secret is found where it does not belong, after a run that sends every one of them down every
//! error path.
//!
//! 1. Make every kind of secret by the real binary, at the log level that tells most.
//! 2. Send each through every door that refuses it (`doors.rs`), while the store works and while it
//!    cannot write.
//! 3. Search for each, in any spelling and for any 16 bytes of it, in all that the server left:
//!    database, log, metrics, answers, process list, settings.
//!
//! The searcher itself is shown to find what is planted.

mod cast;
mod doors;
mod search;
mod server;
mod wire;

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use self::{
    cast::Cast,
    search::{Find, Searcher, Secret},
    server::{Server, Writes},
};

#[test]
fn a_planted_secret_is_found_in_every_spelling_and_in_part() {
    let text = "r0000000G9_tokenry_0000QBe7mSxkW2hYc5VtLzPa8RnDf3JuKq4GpXv";
    let secret = Secret::of_text("a token", text);
    let searcher = Searcher::new([&secret]);
    let each_byte = |spell: fn(u8) -> String| text.bytes().map(spell).collect::<Vec<_>>().concat();
    let hex = each_byte(|byte| format!("{byte:02X}"));
    let percent = each_byte(|byte| format!("%{byte:02x}"));
    let json = each_byte(|byte| format!("\\u00{byte:02x}"));
    let html = each_byte(|byte| format!("&#{byte};"));
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let padded = format!("xy{text}");
    for (spelling, bytes) in [
        ("verbatim", text.as_bytes().to_vec()),
        ("in part", text.as_bytes()[30..46].to_vec()),
        ("hex", hex.into_bytes()),
        ("percent", percent.into_bytes()),
        ("JSON", json.into_bytes()),
        ("HTML", html.into_bytes()),
        ("UTF-16", utf_16),
        ("Base64", STANDARD.encode(format!("user:{text}")).into_bytes()),
        ("Base64, URL-safe and shifted", URL_SAFE_NO_PAD.encode(padded).into_bytes()),
    ] {
        let around = [&b"{\"a\":\"="[..], &bytes, b"\"} and more"].concat();
        assert_eq!(searcher.search(&around), vec!["a token"], "{spelling}");
    }
    for innocent in [&text.as_bytes()[..19], &text.as_bytes()[..34], b"0123456789abcdef"] {
        assert_eq!(searcher.search(innocent), Vec::<&str>::new(), "{innocent:?}");
    }
}

#[test]
fn no_secret_is_left_anywhere_after_every_error_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut cast = Cast::init(folder.path());
    let mut finds = Vec::new();

    let server = Server::start(folder.path(), "json", Writes::Work);
    cast.make_tokens(&server);
    let sent = send_everything(&server, &cast, &mut finds);
    check_server(&server, folder.path(), &cast, &mut finds);
    check_log("the log as JSON", &server.stop(), &cast, &mut finds);

    let server = Server::start(folder.path(), "text", Writes::Fail);
    server.wait_until_writes_fail(&cast);
    let sent = sent + send_everything(&server, &cast, &mut finds);
    check_server(&server, folder.path(), &cast, &mut finds);
    check_log("the log as text", &server.stop(), &cast, &mut finds);

    let settings = server::check_config(folder.path(), &cast.root_key);
    assert!(settings.contains("server_key"), "{settings}");
    finds.extend(cast.searcher().finds("check-config", settings.as_bytes()));

    println!("{sent} requests, {} secrets", cast.secrets.len());
    assert!(finds.is_empty(), "{} finds:\n{}", finds.len(), shown(&finds));
}

/// Every secret through every door; how many requests that were.
fn send_everything(server: &Server, cast: &Cast, finds: &mut Vec<Find>) -> usize {
    let mut sent = 0;
    for secret in &cast.secrets {
        let Some(text) = &secret.text else { continue };
        let searcher = Searcher::new([secret]);
        for door in doors::all(cast) {
            let answer = server.send(&(door.request)(text));
            sent += 1;
            // 408 and a closed connection would mean that the door was never reached.
            assert!(answer.starts_with(b"HTTP/1.1 "), "no answer at {}", door.name);
            if !door.returns(text) {
                finds.extend(searcher.finds(&format!("the answer of: {}", door.name), &answer));
            }
        }
    }
    sent
}

/// What a running server shows and keeps.
fn check_server(server: &Server, folder: &std::path::Path, cast: &Cast, finds: &mut Vec<Find>) {
    let searcher = cast.searcher();
    let metrics = server.metrics();
    let text = String::from_utf8_lossy(&metrics);
    assert!(text.contains("tokenry_refused_total"), "{text}");
    finds.extend(searcher.finds("metrics", &metrics));
    for file in ["cmdline", "environ", "comm", "status"] {
        let shown = fs::read(format!("/proc/{}/{file}", server.id())).unwrap();
        finds.extend(searcher.finds(&format!("/proc/{file}"), &shown));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // The root key's own file is where it belongs.
        if name != "server.key" {
            finds.extend(searcher.finds(&name, &fs::read(&path).unwrap()));
            files.push(name);
        }
    }
    for needed in ["tokenry.db", "tokenry.db-wal", "tokenry.db-shm"] {
        assert!(files.iter().any(|name| name == needed), "{needed} is not among {files:?}");
    }
}

fn check_log(name: &str, log: &[u8], cast: &Cast, finds: &mut Vec<Find>) {
    let text = String::from_utf8_lossy(log);
    assert!(text.contains("refused") && text.contains("answered"), "a log tells: {text:.2000}");
    let searcher = cast.searcher();
    for line in log.split(|byte| *byte == b'\n') {
        let place = format!("{name}: {}", String::from_utf8_lossy(line));
        finds.extend(searcher.finds(&place, line));
    }
}

fn shown(finds: &[Find]) -> String {
    let mut lines: Vec<String> = finds.iter().map(|find| format!("  {find}\n")).collect();
    lines.sort();
    lines.dedup();
    lines.concat()
}
